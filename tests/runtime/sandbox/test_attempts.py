"""Everything that a program may try: each attempt succeeds outside and fails inside, as root and as anybody."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "runtime"
NOBODY = 65534

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the attempts are calls of Linux on x86-64"
)


@pytest.fixture(scope="module", params=["root", "an ordinary user"])
def happened(request, tmp_path_factory):
    """What the attempts came to as a user who may be another: all they need is copied to where anybody may read."""
    ordinary = request.param != "root"
    if not ordinary and os.getuid() != 0:
        pytest.skip("these tests do not run as root")
    python = (
        shutil.which("python3", path="/usr/local/bin:/usr/bin") if ordinary and os.getuid() == 0 else sys.executable
    )
    if python is None:
        pytest.skip("there is no Python that everybody may run")
    place = Path("/tmp") / f"satchel-attempts-{tmp_path_factory.mktemp('x').parent.name}-{request.param[:4]}"
    shutil.rmtree(place, ignore_errors=True)
    try:
        package = place / "packages/satchel/runtime"
        shutil.copytree(SOURCES / "sandbox", package / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("__init__.py", "errors.py"):
            shutil.copy(SOURCES / name, package)
        shutil.copytree(HERE / "attempts", place / "attempts", ignore=shutil.ignore_patterns("__pycache__"))
        run = subprocess.run(
            [python, "-B", str(place / "attempts/stage.py")],
            env={"PYTHONPATH": str(place / "packages"), "PATH": os.defpath, "TMPDIR": "/tmp"},
            cwd="/",
            capture_output=True,
            check=False,
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if ordinary and os.getuid() == 0 else {}),
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def attempts():
    """The table, read in a process of its own: its modules have names of files, not of a package."""
    code = (
        "import json, files, kernel, network, processes; from table import ATTEMPTS;"
        "print(json.dumps({a.name: [a.needs_root, a.needs_namespaces] for a in ATTEMPTS.values()}))"
    )
    run = subprocess.run([sys.executable, "-B", "-c", code], cwd=HERE / "attempts", capture_output=True, check=True)
    return json.loads(run.stdout)


def made_by(happened, attempts):
    return {name for name, (needs_root, _) in attempts.items() if happened["user"] == 0 or not needs_root}


def succeeded(happened, attempts, where):
    return {name for name in made_by(happened, attempts) if happened[where][name] == "succeeded"}


def test_at_least_a_hundred_attempts_succeed_outside_as_each_user(happened, attempts):
    """All of them do on a usual machine; some kernels are built without what one or the other needs."""
    failed = {name: happened["outside"][name] for name in made_by(happened, attempts)}
    failed = {name: why for name, why in failed.items() if why != "succeeded"}
    assert len(succeeded(happened, attempts, "outside")) >= 100
    assert len(failed) <= 8, failed


def test_every_attempt_fails_in_bubblewrap(happened, attempts):
    if "bubblewrap" not in happened:
        pytest.skip("bubblewrap is not installed")
    assert succeeded(happened, attempts, "bubblewrap") == set()


def test_every_attempt_but_those_that_need_namespaces_fails_in_landlock_alone(happened, attempts):
    if "Landlock alone" not in happened:
        pytest.skip("this kernel has no Landlock")
    expected = {name for name, (_, needs_namespaces) in attempts.items() if needs_namespaces}
    assert succeeded(happened, attempts, "Landlock alone") == expected


@pytest.mark.parametrize("confinement", ["bubblewrap", "Landlock alone"])
def test_the_persons_files_are_as_they_were_after_all_attempts(happened, confinement):
    if confinement not in happened:
        pytest.skip("this machine does not have it")
    assert not happened[f"{confinement} changed"]
