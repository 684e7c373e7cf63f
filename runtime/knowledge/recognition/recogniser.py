"""The recogniser: PP-OCRv6 as RapidOCR runs it in onnxruntime; its models are inside its package.

It reads Latin, Chinese and Japanese script. Only the child process imports it: 1.2 s and 0.8 GB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from satchel.runtime.knowledge.recognition.layout import VERSION, Piece

LONGEST_SIDE = 2200
"""Pixels of a page's longer side: A4 at 188 dots an inch. More costs time and reads no better (tests/bench/ocr.py)."""

_LEAST_SCORE = 0.5
_DOUBTFUL = 0.8
_WRITTEN = 3
"""So many places that look like lines are writing; where none is read, it is in a script that is not known."""
_LYING = 0.5
# Quarter turns against the clock.
_OF_LYING = (1, 3)
_OF_STANDING = (2,)
# Between a full stop and the next sentence, and after a comma: where the model loses most of the spaces that it loses.
_LOST_SPACE = re.compile(r"(?<=[\w)][.!?])(?=[A-Z][a-z]{2})|(?<=[a-z][,;:])(?=[a-zA-Z]{2})")


def recogniser_version() -> str:
    """Return what reads pictures on this machine, with its version; empty where the extra `ocr` is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"rapidocr {version('rapidocr')}, onnxruntime {version('onnxruntime')}, {LONGEST_SIDE}, {VERSION}"
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found on a picture, turned so that it stands upright."""

    pieces: tuple[Piece, ...]
    width: int
    height: int
    certainty: float
    """Mean certainty of the letters, 0 to 1; 1 where nothing is written."""


class Recogniser:
    """Finds and reads text on pictures."""

    def __init__(self, threads: int) -> None:
        from rapidocr import RapidOCR

        self._read: Any = RapidOCR(
            params={
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "Global.log_level": "critical",
                "Global.max_side_len": LONGEST_SIDE,
                "Global.text_score": 0.0,
                "Global.use_cls": False,
            }
        )

    def find(self, picture: Any) -> Found:
        """Read a picture (uint8 [height, width, 3], red first); one that lies or stands on its head is turned."""
        import numpy as np

        best = self._find(picture)
        if not best.pieces or _stands(best) >= _DOUBTFUL:
            return best
        for turns in _OF_LYING if _lying(best.pieces) >= _LYING else _OF_STANDING:
            turned = self._find(np.ascontiguousarray(np.rot90(picture, turns)))
            best = max(best, turned, key=_stands)
            if _stands(best) >= _DOUBTFUL:
                break
        return best

    def _find(self, picture: Any) -> Found:
        read = self._read(picture[:, :, ::-1])  # blue first, as its models were trained
        height, width = picture.shape[:2]
        if read.boxes is None or read.txts is None:
            return Found((), width, height, 1.0)
        kept, weight, sure = [], 0, 0.0
        for corners, text, score in zip(read.boxes.tolist(), read.txts, read.scores, strict=True):
            visible = _LOST_SPACE.sub(" ", " ".join(text.split()))
            weight += len(visible)
            sure += len(visible) * float(score)
            if visible and score >= _LEAST_SCORE:
                kept.append(Piece(visible, tuple((x, y) for x, y in corners)))
        unread = 0.0 if len(read.txts) >= _WRITTEN else 1.0
        return Found(tuple(kept), width, height, sure / weight if weight else unread)


def _stands(found: Found) -> float:
    """Return how sure it is that a picture stands upright."""
    return found.certainty if _lying(found.pieces) < _LYING else 0.0


def _lying(pieces: tuple[Piece, ...]) -> float:
    """Return the share of pieces that run up or down: the lines of a page that lies on its side."""
    standing = 0
    for piece in pieces:
        (x1, y1), (x2, y2), _, (x4, y4) = piece.corners
        across, down = abs(x2 - x1) + abs(y2 - y1), abs(x4 - x1) + abs(y4 - y1)
        standing += down > 1.5 * across and len(piece.text) > 1
    return standing / max(1, len(pieces))
