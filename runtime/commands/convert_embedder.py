"""`satchel models convert-embedder`: make the GGUF of a BERT-like sentence-transformers model."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.atomic import sync_folder
from satchel.runtime.errors import SaveError
from satchel.runtime.knowledge.embedders.bundled import fastest_weight_type
from satchel.runtime.knowledge.embedders.embedder_worker import llama_worker, sentence_transformers_vectors
from satchel.runtime.knowledge.embedders.errors import ConversionDiffersError
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.embedders.kept_file import note_file
from satchel.runtime.knowledge.embedders.model_folder import EmbedderFolder, Prefixes, read_embedder_folder
from satchel.runtime.knowledge.embedders.probes import PROBE_TEXTS, lowest_cosine
from satchel.runtime.knowledge.embedders.resolve import converted_path, write_folder_gguf
from satchel.runtime.knowledge.embedders.safe_loading import has_sentence_transformers
from satchel.runtime.knowledge.embedders.sentence_transformers_embedder import NEEDED_COSINE
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress

_STEPS = 3


@dataclass(frozen=True, slots=True)
class ConvertedEmbedder:
    """What was made."""

    path: Path
    fingerprint: EmbedderFingerprint
    weight_type: str
    bytes: int
    lowest_cosine: float | None
    """Against sentence-transformers on the probe texts; None where that is not installed, so nothing was compared."""


def convert_embedder(
    folder: Path,
    home: Home,
    *,
    destination: Path | None = None,
    weight_type: WeightType | None = None,
    name: str | None = None,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
    progress: Progress = SILENT,
) -> ConvertedEmbedder:
    """Write a folder's model as GGUF and compare it with the original where sentence-transformers is installed.

    Without a destination it lies where questions to packs made with this model look for it. A model that does not pass
    the comparison leaves no file.

    Raises:
        EmbedderFolderError, WeightsError: the folder is not whole.
        ForeignCodeError: the folder would have a say in what is run.
        UnsupportedEmbedderError: llama.cpp cannot run such a model; names the key in config.json.
        MissingExtraError: its tokenizer needs the extra `embed`.
        ConversionDiffersError: the vectors are not the original's.
        SaveError: the destination cannot be written.
    """
    prefixes = None
    if query_prefix is not None or passage_prefix is not None:
        prefixes = Prefixes(query=query_prefix or "", passage=passage_prefix or "")
    progress("reading the model", 0, _STEPS)
    model = read_embedder_folder(folder, name=name, prefixes=prefixes)
    weight_type = weight_type or fastest_weight_type()
    destination = destination or converted_path(model.fingerprint, home)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".convert.", dir=destination.parent) as place:
            made = Path(place) / "embedder.gguf"
            progress("writing the GGUF", 1, _STEPS)
            write_folder_gguf(model, made, weight_type)
            progress("comparing with the original", 2, _STEPS)
            cosine = _compare(model, made, home)
            size = made.stat().st_size
            made.replace(destination)
            sync_folder(destination.parent)
            if destination == converted_path(model.fingerprint, home):
                note_file(destination)
    except OSError as error:
        raise SaveError(path=destination, reason=(error.strerror or str(error)).lower()) from error
    progress("comparing with the original", _STEPS, _STEPS)
    return ConvertedEmbedder(destination, model.fingerprint, weight_type.name, size, cosine)


def _compare(model: EmbedderFolder, gguf: Path, home: Home) -> float | None:
    """Load the GGUF at least, in a child; return its lowest cosine to the original's vectors where there are any."""
    with contextlib.closing(llama_worker(home, gguf=gguf)) as embedder:
        converted = embedder.embed_passages(PROBE_TEXTS)
    if not has_sentence_transformers():
        return None
    prefixed = [model.fingerprint.passage_prefix + text for text in PROBE_TEXTS]
    cosine = lowest_cosine(converted, sentence_transformers_vectors(model.path, prefixed))
    if cosine < NEEDED_COSINE:
        raise ConversionDiffersError(name=model.fingerprint.name, cosine=f"{cosine:.4f}", needed=NEEDED_COSINE)
    return cosine
