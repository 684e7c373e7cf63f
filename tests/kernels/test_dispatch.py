"""The choice of a backend: explained, overridden, never replaced in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from helpers.kernel_inputs import make_rows

from satchel.kernels import dispatch, ops
from satchel.kernels.errors import BackendUnavailableError


@pytest.fixture(autouse=True)
def _choose_anew() -> Iterator[None]:
    dispatch.choose.cache_clear()
    yield
    dispatch.choose.cache_clear()


def test_explain_names_every_backend_with_a_reason() -> None:
    explanation = dispatch.explain()
    assert [backend.name for backend in explanation.backends] == ["avx512", "avx2", "serial", "numpy"]
    assert all(backend.reason for backend in explanation.backends)
    assert explanation.chosen in str(explanation)
    first = next(backend.name for backend in explanation.backends if backend.available)
    if dispatch.OVERRIDE_VARIABLE not in os.environ:
        assert explanation.chosen == first


def test_a_missing_backend_asked_for_by_name_raises() -> None:
    with pytest.raises(BackendUnavailableError, match="cuda: no such backend; there are avx512"):
        ops.quantise(make_rows(2, 3), backend="cuda")


def test_the_environment_names_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(dispatch.OVERRIDE_VARIABLE, "numpy")
    assert dispatch.choose().name == "numpy"
    assert dispatch.explain().reason == "SATCHEL_KERNELS=numpy"


def test_a_wrong_name_in_the_environment_raises_and_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(dispatch.OVERRIDE_VARIABLE, "sse9")
    with pytest.raises(BackendUnavailableError, match="sse9: no such backend"):
        dispatch.choose()
    assert dispatch.explain().chosen == ""
    assert "sse9" in dispatch.explain().reason


def test_a_library_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    broken = tmp_path / "satchel_kernels.so"
    broken.write_bytes(b"no library")
    monkeypatch.setenv(dispatch.OVERRIDE_VARIABLE, str(broken))
    with pytest.raises(BackendUnavailableError, match=r"satchel_kernels\.so cannot be used"):
        dispatch.choose()
    assert str(broken) in str(dispatch.explain())


def test_the_named_library_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    library = dispatch.explain().library
    if library is None:
        pytest.skip("nothing was compiled here: numpy alone is tested")
    monkeypatch.setenv(dispatch.OVERRIDE_VARIABLE, str(library))
    assert dispatch.explain().library == library
    assert dispatch.choose().name != "numpy"


def test_importing_the_operations_loads_nothing_heavy() -> None:
    code = "import sys, satchel.kernels.ops; print(sorted({'torch', 'triton', 'satchel.runtime'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
