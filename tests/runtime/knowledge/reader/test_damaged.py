"""A Reader that cannot be used costs its better answers, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from satchel.runtime.knowledge.reader import bundled
from satchel.runtime.knowledge.reader.bundled import CALIBRATION, WEIGHTS, installed_folder
from satchel.runtime.knowledge.service import KnowledgeService
from satchel.runtime.packfile.verified import VerifiedFiles

QUESTION = "At what water level does the flood gate close?"


class _NeverCancelled:
    def check(self) -> None:
        """Nobody cancels."""


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose Reader a test may damage."""
    folder = tmp_path / "reader"
    folder.mkdir()
    for name in (WEIGHTS, CALIBRATION):
        shutil.copy(installed_folder() / name, folder / name)
    monkeypatch.setattr(bundled, "installed_folder", lambda: folder)
    return folder


def ask(service: KnowledgeService, question: str, *, quote: bool = True):
    return service.ask({"question": question, "k": 3, "files": None, "quote": quote}, _NeverCancelled())


def opened(harbour, *, rerank: bool = False) -> KnowledgeService:
    service = KnowledgeService()
    home = {name: str(getattr(harbour.home, name)) for name in ("data", "cache", "settings")}
    pack = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack).as_params()
    service.open({"pack": pack, "home": home, "gate": "auto", "rerank": rerank, "threads": 1}, _NeverCancelled())
    return service


@pytest.mark.parametrize("rerank", [False, True])
def test_sentences_answer_instead_and_the_person_is_told(harbour, damaged, rerank):
    (damaged / WEIGHTS).write_bytes((damaged / WEIGHTS).read_bytes()[:1000])
    service = opened(harbour, rerank=rerank)

    for _ in range(2):
        answer = ask(service, QUESTION)
        assert "3.2 metres" in answer["quotations"][0]["text"]
        (warning,) = answer["warnings"]
        assert warning["kind"] == "reader-model"
        assert WEIGHTS in warning["text"]
        assert "install Satchel again" in warning["text"]


def test_who_is_not_quoted_is_not_told(harbour, damaged):
    (damaged / CALIBRATION).write_bytes(b"{")
    assert ask(opened(harbour), QUESTION, quote=False)["warnings"] == ()


def test_a_sound_one_warns_of_nothing(harbour):
    service = opened(harbour)
    assert ask(service, QUESTION)["warnings"] == ()
    service._reader().close()
