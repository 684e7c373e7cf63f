"""The tokenizer of an embedder, from its `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from satchel.runtime.errors import MissingExtraError
from satchel.runtime.knowledge.embedders.wordpiece import WordPieceRules, WordPieceTokenizer


class EmbedderTokenizer(Protocol):
    """Texts to the ids that Hugging Face's tokenizer gives."""

    def encode(self, text: str) -> Sequence[int]:
        """Return the ids with special tokens, cut to the embedder's window."""

    def count(self, text: str) -> int:
        """Return the number of tokens, not cut, special ones not counted."""


def load_tokenizer(tokenizer_json: str | bytes, *, max_tokens: int) -> EmbedderTokenizer:
    """Return the tokenizer that a `tokenizer.json` describes.

    Raises:
        MissingExtraError: it is no WordPiece (XLM-R's SentencePiece, RoBERTa's BPE), and `tokenizers` is not installed.
        msgspec.DecodeError: it is no `tokenizer.json`.
    """
    if (rules := _wordpiece_rules(tokenizer_json)) is not None:
        return WordPieceTokenizer(rules, max_tokens=max_tokens)
    return _LibraryTokenizer(tokenizer_json, max_tokens)


class _LibraryTokenizer:
    """Any other tokenizer, run by the library that defines what its file means."""

    def __init__(self, tokenizer_json: str | bytes, max_tokens: int) -> None:
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise MissingExtraError(feature="An embedder whose tokenizer is not WordPiece", extra="embed") from error
        text = tokenizer_json if isinstance(tokenizer_json, str) else tokenizer_json.decode()
        self._cutting, self._whole = Tokenizer.from_str(text), Tokenizer.from_str(text)
        for tokenizer in (self._cutting, self._whole):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        self._cutting.enable_truncation(max_tokens)

    def encode(self, text: str) -> Sequence[int]:
        ids: list[int] = self._cutting.encode(text).ids
        return ids

    def count(self, text: str) -> int:
        return len(self._whole.encode(text, add_special_tokens=False).ids)


class _Normalizer(msgspec.Struct):
    type: str
    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None
    lowercase: bool = True


class _Typed(msgspec.Struct):
    type: str


class _AddedToken(msgspec.Struct):
    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False

    @property
    def is_plain(self) -> bool:
        """Found in a text exactly as it is written."""
        return self.special and not (self.single_word or self.lstrip or self.rstrip or self.normalized)


class _PostProcessor(msgspec.Struct):
    type: str
    single: list[dict[str, dict[str, Any]]] = []
    special_tokens: dict[str, Any] = {}
    cls: tuple[str, int] | None = None
    sep: tuple[str, int] | None = None

    def ends(self) -> tuple[int, int] | None:
        """Return the ids put before and after a text, when there is exactly one on either side."""
        if self.type == "BertProcessing" and self.cls and self.sep:
            return self.cls[1], self.sep[1]
        if self.type != "TemplateProcessing" or [next(iter(part)) for part in self.single] != [
            "SpecialToken",
            "Sequence",
            "SpecialToken",
        ]:
            return None
        first, _, last = (part[next(iter(part))]["id"] for part in self.single)
        ids = [self.special_tokens[token]["ids"] for token in (first, last)]
        return (ids[0][0], ids[1][0]) if all(len(each) == 1 for each in ids) else None


class _WordPieceModel(msgspec.Struct):
    type: str
    vocab: dict[str, int]
    unk_token: str = "[UNK]"  # noqa: S105 - a token of a vocabulary
    continuing_subword_prefix: str = "##"
    max_input_chars_per_word: int = 100


class _WordPieceFile(msgspec.Struct):
    normalizer: _Normalizer
    pre_tokenizer: _Typed
    post_processor: _PostProcessor
    model: _WordPieceModel
    added_tokens: list[_AddedToken] = []


def _wordpiece_rules(tokenizer_json: str | bytes) -> WordPieceRules | None:
    """Return the rules where the file is BERT's WordPiece in every respect, else None."""
    try:
        file = msgspec.json.decode(tokenizer_json, type=_WordPieceFile)
    except msgspec.ValidationError:
        return None
    types = file.normalizer.type, file.pre_tokenizer.type, file.model.type
    ends = file.post_processor.ends()
    if types != ("BertNormalizer", "BertPreTokenizer", "WordPiece") or ends is None:
        return None
    unknown = file.model.vocab.get(file.model.unk_token)
    # Of characters that are not cleaned away, Python and the library take others for white space.
    if unknown is None or not file.normalizer.clean_text or not all(token.is_plain for token in file.added_tokens):
        return None
    strip = file.normalizer.strip_accents
    return WordPieceRules(
        vocabulary=file.model.vocab,
        special_tokens={token.content: token.id for token in file.added_tokens},
        cls=ends[0],
        sep=ends[1],
        unknown=unknown,
        lowercase=file.normalizer.lowercase,
        strip_accents=file.normalizer.lowercase if strip is None else strip,
        set_chinese_apart=file.normalizer.handle_chinese_chars,
        continuing_prefix=file.model.continuing_subword_prefix,
        longest_word=file.model.max_input_chars_per_word,
    )
