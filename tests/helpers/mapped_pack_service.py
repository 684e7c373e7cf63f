"""A worker that maps a pack, as the search does: it may die of a file that is cut short, its parent may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from satchel.runtime.packfile import names
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.worker.service import Call, Method


class _MappedPlanes:
    """The last pack that was mapped."""

    def __init__(self) -> None:
        self._high: NDArray[Any] | None = None

    def map(self, params: dict[str, Any], _call: Call) -> list[int]:
        """Map the vectors' high plane and return its shape."""
        with VerifiedPack.from_params(params).open() as pack:
            self._high = pack.array(names.VECTORS_HIGH)
        return list(self._high.shape)

    def sum(self, _params: dict[str, Any], _call: Call) -> int:
        """Read all of it."""
        assert self._high is not None
        return int(self._high.sum(dtype="int64"))


def methods() -> Mapping[str, Method]:
    """What this worker serves."""
    planes = _MappedPlanes()
    return {"map": planes.map, "sum": planes.sum}
