"""What is remembered of the sandbox between commands."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from satchel.runtime.sandbox import known, probes
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.known import KnownSandbox
from satchel.runtime.sandbox.probes import Probed, SandboxState

ON = SandboxState((Probed(Confinement(None, 7), "a program could fork"), Probed(Confinement("/usr/bin/bwrap", 7), "")))


class Prober:
    def __init__(self, *states: SandboxState) -> None:
        self.states = list(states)

    def __call__(self) -> SandboxState:
        return self.states.pop(0)


def test_nothing_is_probed_before_it_is_asked_for(tmp_path):
    assert KnownSandbox(tmp_path, find=Prober()).launch
    assert not list(tmp_path.iterdir())


def test_one_probing_serves_every_later_command(tmp_path):
    assert KnownSandbox(tmp_path, find=Prober(ON)).state() == ON
    assert KnownSandbox(tmp_path, find=Prober()).state() == ON


def test_probing_anew_replaces_what_was_known(tmp_path):
    off = SandboxState((), "there is none")
    KnownSandbox(tmp_path, find=Prober(ON)).state()
    assert KnownSandbox(tmp_path, find=Prober(off)).state(fresh=True) == off
    assert KnownSandbox(tmp_path, find=Prober()).state() == off


def test_another_bubblewrap_is_probed_again(tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    KnownSandbox(tmp_path / "cache", find=Prober(ON)).state()
    bwrap = programs / "bwrap"
    bwrap.write_text("#!/bin/sh\n")
    bwrap.chmod(0o755)
    off = SandboxState((), "it confines nothing")
    assert KnownSandbox(tmp_path / "cache", find=Prober(off)).state() == off


def test_another_kernel_is_probed_again(tmp_path, monkeypatch):
    KnownSandbox(tmp_path, find=Prober(ON)).state()
    monkeypatch.setattr(known.platform, "uname", lambda: ("Linux", "another"))
    assert KnownSandbox(tmp_path, find=Prober(SandboxState((), "it is new"))).state().problem == "it is new"


@pytest.mark.parametrize("content", [b"", b"{}", b'{"key": 1}', b"\xff\xfe"])
def test_a_damaged_file_is_probed_over(tmp_path, content):
    (tmp_path / "sandbox.json").write_bytes(content)
    assert KnownSandbox(tmp_path, find=Prober(ON)).state() == ON


def test_a_cache_that_cannot_be_written_costs_a_probing_and_no_error(tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert KnownSandbox(tmp_path / "cache", find=Prober(ON)).state() == ON


@pytest.mark.parametrize("is_on", [True, False])
def test_workers_start_in_the_sandbox_where_there_is_one_and_plainly_elsewhere(tmp_path, is_on):
    state = probes.find_sandbox()
    if is_on and state.confinement is None:
        pytest.skip(state.in_words)
    secret = Path(tmp_path, "secret")
    secret.write_text("mine")
    start = KnownSandbox(tmp_path, find=lambda: state if is_on else SandboxState((), "off")).launch
    with tempfile.TemporaryFile() as errors:
        child = start([sys.executable, "-c", f"print(open({str(secret)!r}).read())"], errors)
        said = child.stdout.read()
        child.wait(20)
        child.stdin.close()
        child.stdout.close()
    assert said == (b"" if is_on else b"mine\n")
