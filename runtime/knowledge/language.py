"""Which language a text is in."""

from __future__ import annotations

import functools
import io
import lzma
import re
from array import array
from collections import Counter
from itertools import pairwise
from typing import Any

_WINDOW = 300
_WINDOWS = 12
_LEAST_LETTERS = 10
# On 1,916 questions of SQuAD none is taken for another language from here on, and 96% are found to be English; of 66
# short sentences in 22 languages (tests/helpers/languages.py) all are right at any confidence.
_SURE = 0.5
_AGREEMENT = 2 / 3

_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
# Words that carry English sentences and hardly any other language's: not "in", "was", "or", "as", "on", "me", "so".
_ENGLISH = frozenset(
    """
    the of and to is are were what which who whom whose when where why how did does do that with this these those
    those from by it its they their have has had been be would could should there than into about between through
    because     after before while during each other some many most more your you we he she his her my our can will not
    """.split()  # noqa: SIM905 - words, easier to read in a row
)
_ENGLISH_SHARE = 0.3
_ENGLISH_WORDS = 4

# The model's finer labels, as the two-letter code that covers them; other labels of three letters have none.
_COVERED_BY = {"yue": "zh", "wuu": "zh", "ary": "ar", "arz": "ar", "nb": "no", "grc": "el", "hbo": "he"}


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of the language of `text`, or "" where it is too short, mixed or uncertain.

    A long text is judged by twelve pieces spread over it, of which two thirds have to agree. Plain English is told by
    its function words, without the model, whose loading takes 0.4 s: a question is answered before that.
    """
    if is_plain_english(text):
        return "en"
    votes: Counter[str] = Counter()
    for piece in _pieces(text):
        votes[_detect_piece(piece)] += len(piece)
    language, weight = votes.most_common(1)[0] if votes else ("", 0)
    return language if weight >= _AGREEMENT * votes.total() else ""


def is_plain_english(text: str) -> bool:
    """Tell text that is English beyond doubt by its function words; False says nothing."""
    pieces = _pieces(text)
    return bool(pieces) and all(_is_plain_english_piece(piece) for piece in pieces)


def _is_plain_english_piece(piece: str) -> bool:
    words = [word.lower() for word in _WORD.findall(piece)]
    known = sum(word in _ENGLISH for word in words)
    return len(words) >= _ENGLISH_WORDS and known >= _ENGLISH_SHARE * len(words)


def _pieces(text: str) -> list[str]:
    """Return up to twelve pieces of about 300 characters that have letters, spread evenly."""
    count = max(1, min(_WINDOWS, round(len(text) / _WINDOW)))
    if count < _WINDOWS:
        bounds = [len(text) * place // count for place in range(count + 1)]
        pieces = [text[start:end] for start, end in pairwise(bounds)]
    else:
        stride = (len(text) - _WINDOW) // (_WINDOWS - 1)
        pieces = [text[start : start + _WINDOW] for start in range(0, stride * _WINDOWS, stride)]
    return [piece for piece in pieces if _LETTER.search(piece)]


def _detect_piece(piece: str) -> str:
    letters = "".join(_LETTER.findall(piece))
    # Three letters of Chinese say as much as ten of a Latin script; bytes measure that.
    if len(letters.encode()) < _LEAST_LETTERS:
        return ""
    label, confidence = identifier().classify(piece)
    language = _COVERED_BY.get(label, label)
    return language if confidence >= _SURE and len(language) == 2 else ""  # noqa: PLR2004 - ISO 639-1


@functools.cache
def identifier() -> Any:
    """Return py3langid's model, with confidences from 0 to 1; read once, because it takes 0.4 s and never changes.

    py3langid 0.4 unpacks it into a temporary file, and document parsers may write none: it is unpacked in memory here.
    """
    import numpy as np
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

    with lzma.open(MODEL_DIR / MODEL_FILE) as packed, np.load(io.BytesIO(packed.read()), allow_pickle=False) as model:
        rows, row_of_state = model["nextmove"], model["nextmove_row"]
        return LanguageIdentifier(
            model["ptc"],
            model["pc"],
            model["classes"].tolist(),
            array(rows.dtype.char, rows.tobytes()),
            model["out_feat"].tolist(),
            norm_probs=True,
            tk_row=array(row_of_state.dtype.char, row_of_state.tobytes()),
        )
