"""Whether the sandbox is on, and why."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from satchel.runtime.sandbox import probes
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.errors import SandboxOffError
from satchel.runtime.sandbox.inside import landlock_abi
from satchel.runtime.sandbox.probes import Probed, SandboxState

GOOD, BAD = Confinement("/usr/bin/bwrap", 7), Confinement(None, 7)


def test_a_way_whose_probes_pass_is_taken_and_named():
    state = SandboxState((Probed(BAD, "a program could read a file of yours"), Probed(GOOD, "")))
    assert state.require() is GOOD
    assert state.in_words == "on: bubblewrap + Landlock 7 + seccomp + limits"


def test_where_no_way_holds_the_sandbox_is_off_with_each_reason():
    state = SandboxState((Probed(GOOD, "no permissions to create a namespace"), Probed(BAD, "a program could fork")))
    assert state.confinement is None
    with pytest.raises(SandboxOffError, match=r"no permissions to create a namespace; .*a program could fork"):
        state.require()


def test_on_other_systems_it_is_off_and_says_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert probes.find_sandbox().in_words == "off: there is none for darwin; it needs Linux"


def test_probes_that_pass_leave_no_complaint(confinement):
    assert probes.probe(confinement) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_a_way_that_confines_nothing_is_found_out(tmp_path):
    """A `bwrap` that only runs its command, on a kernel without Landlock: seccomp and limits alone do not do."""
    pretender = tmp_path / "bwrap"
    pretender.write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nmkdir -p /sandbox\nexec "$@"\n')
    pretender.chmod(0o755)
    problem = probes.probe(Confinement(str(pretender), 0))
    assert problem  # as root it can read the person's files; as anybody else it could not even make its folder


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_where_user_namespaces_are_forbidden_landlock_stands_alone():
    """As on newer Ubuntu, made by a namespace in which no more may be made."""
    code = "from satchel.runtime.sandbox.probes import find_sandbox; print(find_sandbox().in_words)"
    script = f"echo 0 > /proc/sys/user/max_user_namespaces && exec {sys.executable} -c '{code}'"
    run = subprocess.run(["unshare", "-Ur", "sh", "-c", script], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip(f"no such namespace can be made here: {run.stderr.strip()}")
    assert re.fullmatch(r"on: Landlock \d+ \+ seccomp \+ limits|off: .*bubblewrap.*", run.stdout.strip())
    assert landlock_abi() < 3 or run.stdout.startswith("on: Landlock")
