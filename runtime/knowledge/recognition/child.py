"""The recogniser's own process (`worker.service`): gets the pixels of a page, never a path, gives its lines back.

Method: `recognise` {width, height, pixels, points, threads}, with None as a sign of life ten times a second; its result
is a `ReadPicture`. The recogniser is loaded with the first page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from satchel.runtime.knowledge.extract.child import limit_cpu
from satchel.runtime.knowledge.extract.confinement import confine
from satchel.runtime.knowledge.extract.ticking import ticking
from satchel.runtime.knowledge.recognition.layout import arrange
from satchel.runtime.knowledge.recognition.page_cache import ReadPicture
from satchel.runtime.worker.service import Call, Method

if TYPE_CHECKING:
    from satchel.runtime.knowledge.recognition.recogniser import Recogniser

CPU_SECONDS_A_PAGE = 240
"""A dense page takes 6; one that lies on its side four times as many."""


def methods() -> dict[str, Method]:
    """Return what this worker serves."""
    confine()
    return {"recognise": _Table().recognise}


class _Table:
    def __init__(self) -> None:
        self._recogniser: Recogniser | None = None

    def recognise(self, params: dict[str, Any], call: Call) -> Any:
        import numpy as np

        from satchel.runtime.knowledge.recognition.recogniser import Recogniser

        limit_cpu(CPU_SECONDS_A_PAGE)
        width, height = params["width"], params["height"]
        picture = np.frombuffer(params["pixels"], np.uint8).reshape(height, width, 3)
        with ticking(call):
            self._recogniser = self._recogniser or Recogniser(params["threads"])
            found = self._recogniser.find(picture)
        lines = arrange(found.pieces, width=found.width, height=found.height, points=params["points"])
        return msgspec.to_builtins(ReadPicture(lines, found.certainty))
