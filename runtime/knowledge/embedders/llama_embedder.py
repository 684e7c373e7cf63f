"""The embedder that every installation has: a GGUF in llama.cpp, in the process that calls it.

That process must be a worker: `embedder_worker.EmbedderWorker` has the same face and runs this one in a child.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.errors import SatchelError
from satchel.runtime.knowledge.embedders.bert_gguf import FINGERPRINT_KEY, TOKENIZER_KEY
from satchel.runtime.knowledge.embedders.cores import usable_threads
from satchel.runtime.knowledge.embedders.errors import EmbedderLoadError
from satchel.runtime.knowledge.embedders.llama_encoder import Batch, LlamaEncoder
from satchel.runtime.knowledge.embedders.tokenizer import load_tokenizer
from satchel.runtime.knowledge.embedders.unit_vectors import unit_rows
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.progress import SILENT, Progress


class LlamaEmbedder:
    """An embedder that `convert_embedder` made, or the bundled one as `bundled.runnable_gguf` wrote it."""

    def __init__(self, path: Path, *, threads: int = 0, together: bool = False) -> None:
        """Load `path`; 0 threads: as many as there are cores.

        `together`: short texts share a batch, which is quicker and lets the last bits of a vector depend on the others.

        Raises:
            EmbedderLoadError: it is no such GGUF.
            MissingExtraError: its tokenizer needs a library that is not installed.
        """
        self._encoder = LlamaEncoder(path, threads=usable_threads(threads), together=together)
        fingerprint, tokenizer = (self._encoder.metadata(key) for key in (FINGERPRINT_KEY, TOKENIZER_KEY))
        try:
            if fingerprint is None or tokenizer is None:
                reason = "Satchel did not make it: it has no tokenizer and no fingerprint"
                raise EmbedderLoadError(path=path, reason=reason)
            self._fingerprint = msgspec.json.decode(fingerprint, type=EmbedderFingerprint)
            self._encoder.max_tokens = min(self._fingerprint.max_tokens, self._encoder.max_tokens)
            self._tokenizer = load_tokenizer(tokenizer, max_tokens=self._encoder.max_tokens)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._encoder.close()
            raise EmbedderLoadError(path=path, reason=f"its tokenizer or fingerprint is damaged: {error}") from error
        except SatchelError:
            self._encoder.close()
            raise

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Which model."""
        return self._fingerprint

    def embed_passages(self, texts: Sequence[str], *, progress: Progress = SILENT) -> NDArray[np.float32]:
        """Return unit vectors float32 [len(texts), dimension]; texts past `max_tokens` are cut."""
        vectors = np.empty((len(texts), self._fingerprint.dimension), np.float32)
        done = 0
        for places, batch in self.passage_batches(texts):
            vectors[places] = batch
            done += len(places)
            progress("embedding passages", done, len(texts))
        return vectors

    def passage_batches(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Yield unit vectors as they come, each with the places of its texts."""
        prefix = self._fingerprint.passage_prefix
        for places, batch in self._encoder.batches([self._tokenizer.encode(prefix + text) for text in texts]):
            yield places, unit_rows(batch)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one unit vector float32 [dimension]."""
        ids = self._tokenizer.encode(self._fingerprint.query_prefix + text)
        vector: NDArray[np.float32] = unit_rows(self._encoder.encode([ids]))[0]
        return vector

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens, special ones not counted."""
        return self._tokenizer.count(text)

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return `count_tokens` of each text."""
        return [self._tokenizer.count(text) for text in texts]

    def close(self) -> None:
        """Free the model."""
        self._encoder.close()
