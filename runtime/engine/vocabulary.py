"""A model's tokens: text to tokens and back, and which of them are special."""

from __future__ import annotations

import ctypes
import re
from typing import Any

_UNKNOWN, _CONTROL, _USER_DEFINED = 1 << 0, 1 << 3, 1 << 4
_PIECE_BYTES = 512
# Vocabularies also declare runs of blanks as user-defined, which any text may hold; marks have brackets.
_MARK = re.compile(r"[<\[\u2581|].*[>\]|]", re.DOTALL)


class Vocabulary:
    """The tokens of one loaded model."""

    def __init__(self, llama: Any, model: Any) -> None:
        """`llama` is the low-level module, `model` a loaded model, which must outlive this."""
        self._llama = llama
        self._vocab = llama.llama_model_get_vocab(model)
        self.size: int = llama.llama_vocab_n_tokens(self._vocab)
        self.bos: int = llama.llama_vocab_bos(self._vocab)
        self.eos: int = llama.llama_vocab_eos(self._vocab)
        self.adds_bos = bool(llama.llama_vocab_get_add_bos(self._vocab))
        self.control_texts: tuple[str, ...] = ()
        """Texts of control and unknown tokens: nothing that a person or a file writes may become one of them."""
        self.mark_texts: tuple[str, ...] = ()
        """Texts of user-defined marks such as `<tool_call>`, which are parsed even where special tokens are not."""
        self._read_special_texts()
        self._pieces: dict[int, bytes] = {}
        self._buffer = ctypes.create_string_buffer(_PIECE_BYTES)

    @property
    def handle(self) -> Any:
        """llama.cpp's pointer."""
        return self._vocab

    def tokenise(self, text: str, *, parse_special: bool) -> list[int]:
        """Return the tokens of a text; none is added at its start or end."""
        encoded = text.encode("utf-8", errors="replace")
        room = len(encoded) + 8
        while True:
            tokens = (ctypes.c_int32 * room)()
            count = self._llama.llama_tokenize(self._vocab, encoded, len(encoded), tokens, room, False, parse_special)
            if count >= 0:
                return tokens[:count]
            room = -count

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """Return a token's bytes, perhaps part of a character; control tokens are empty unless `special`."""
        if not special and (known := self._pieces.get(token)) is not None:
            return known
        length = self._llama.llama_token_to_piece(self._vocab, token, self._buffer, _PIECE_BYTES, 0, special)
        if length < 0:
            longer = ctypes.create_string_buffer(-length)
            length = self._llama.llama_token_to_piece(self._vocab, token, longer, -length, 0, special)
            piece = longer.raw[:length]
        else:
            piece = self._buffer.raw[:length]
        if not special:
            self._pieces[token] = piece
        return piece

    def text_of(self, token: int) -> str:
        """Return a token as a person may read it; bytes that are no whole character are shown as U+FFFD."""
        return self.piece(token, special=True).decode(errors="replace")

    def ends_generation(self, token: int) -> bool:
        """Return whether the model says that it is done."""
        return bool(self._llama.llama_vocab_is_eog(self._vocab, token))

    def token_text(self, token: int) -> str:
        """Return a special token's own text; empty where the model has no such token."""
        return self.text_of(token) if token >= 0 else ""

    def _read_special_texts(self) -> None:
        attribute, text = self._llama.llama_vocab_get_attr, self._llama.llama_vocab_get_text
        control, marks = set(), set()
        for token in range(self.size):
            bits = attribute(self._vocab, token)
            if bits & (_CONTROL | _UNKNOWN | _USER_DEFINED):
                written = text(self._vocab, token).decode(errors="replace")
                if bits & (_CONTROL | _UNKNOWN):
                    control.add(written)
                elif _MARK.fullmatch(written):
                    marks.add(written)
        self.control_texts = tuple(sorted(filter(None, control)))
        self.mark_texts = tuple(sorted(marks))
