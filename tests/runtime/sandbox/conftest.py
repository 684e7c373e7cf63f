"""Each way of confining that this machine has."""

from __future__ import annotations

import shutil
import sys

import pytest

from satchel.runtime.sandbox import probes
from satchel.runtime.sandbox.confinement import Confinement


def _problem(confinement: Confinement) -> str:
    return "there is no Linux here" if sys.platform != "linux" else probes.probe(confinement)


@pytest.fixture(scope="session", params=["bubblewrap", "Landlock alone"])
def confinement(request):
    from satchel.runtime.sandbox.inside import landlock_abi

    abi = landlock_abi() if sys.platform == "linux" else 0
    bwrap = shutil.which("bwrap") if request.param == "bubblewrap" else None
    if request.param == "bubblewrap" and bwrap is None:
        pytest.skip("bubblewrap is not installed")
    if bwrap is None and abi == 0:
        pytest.skip("this kernel has no Landlock")
    way = Confinement(bwrap, abi)
    if problem := _problem(way):
        pytest.skip(f"the sandbox does not hold here: {problem}")
    return way
