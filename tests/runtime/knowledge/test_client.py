"""The knowledge worker from outside: it searches and quotes, and its death is a sentence."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.harbour import GATE, HANDBOOK, Harbour
from helpers.packs import write_knowing_pack

from satchel.runtime.errors import WorkerDiedError
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.packfile.errors import PackChangedError, UnknownKnowledgeFileError, UnreadablePackError
from satchel.runtime.packfile.verified import VerifiedFiles, VerifiedPack
from satchel.runtime.paths import Home

GATE_QUESTION = "At what water level does the flood gate close?"


def verified(path: Path, home: Home) -> VerifiedPack:
    return VerifiedFiles(home.cache / "verified").verify_once(path)


def client_of(path: Path, home: Home) -> KnowledgeClient:
    return KnowledgeClient(KnowledgeRequest(verified(path, home), home, "auto"))


@pytest.fixture(scope="module")
def client(harbour: Harbour) -> Iterator[KnowledgeClient]:
    """The assistant's knowledge, opened once."""
    client = client_of(harbour.pack, harbour.home)
    yield client
    client.close()


@pytest.fixture
def own_pack(harbour: Harbour, tmp_path: Path) -> Path:
    """A copy of the pack that a test may harm."""
    return Path(shutil.copyfile(harbour.pack, tmp_path / "own.pack"))


@pytest.fixture
def own_client(own_pack: Path, harbour: Harbour) -> Iterator[KnowledgeClient]:
    client = client_of(own_pack, harbour.home)
    yield client
    client.close()


def kill_worker(client: KnowledgeClient) -> None:
    pid = client._worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_opening_tells_how_much_is_there(client):
    summary = client.open()

    assert summary.files == 5
    assert summary.passages >= 5
    assert summary.languages == ("en",)


def test_a_question_finds_passages_best_first_with_their_place(client):
    found = client.ask("Where is diesel sold?", k=3, quote=False)

    first = found.passages[0]
    assert (first.file, first.page) == ("handbook.pdf", 1)  # where the passage begins
    assert HANDBOOK[1][1] in " ".join(first.text.split())
    assert first.vector is not None
    assert found.quotations == ()
    assert set(found.timings_ms) == {"find"}
    assert [passage.score for passage in found.passages] == sorted(
        (passage.score for passage in found.passages), reverse=True
    )


def test_a_quotation_is_a_span_of_its_sentence_in_the_files_text(client):
    found = client.ask(GATE_QUESTION, k=6, quote=True)

    quotation = found.quotations[0]
    assert quotation.file == "gate.txt"
    text = client.page("gate.txt", None).text
    assert text[quotation.start : quotation.end] == quotation.text
    assert text[quotation.answer_start : quotation.answer_end] == quotation.answer
    assert "3.2" in quotation.text
    assert quotation.start <= quotation.answer_start < quotation.answer_end <= quotation.end
    assert set(found.timings_ms) == {"find", "quote"}


def test_a_quotation_has_the_page_of_its_own_sentence(client):
    found = client.ask("Where is diesel sold?", k=6, quote=True)

    assert (found.quotations[0].file, found.quotations[0].page) == ("handbook.pdf", 2)
    assert "Diesel is sold" in found.quotations[0].text


def test_a_question_that_the_files_do_not_bear_on_is_answered_by_none(client):
    found = client.ask("Who painted the Mona Lisa in Florence?", k=6, quote=True)

    assert found.quotations == ()
    assert {passage.file for passage in found.passages} <= {"fees.csv"}  # in no language that the gate knows
    assert found.below_gate > 0


def test_only_the_named_files_are_searched(client):
    found = client.ask(GATE_QUESTION, k=6, quote=False, files=["tides.md"])

    assert {passage.file for passage in found.passages} <= {"tides.md"}


def test_a_file_that_is_not_among_them_is_named_with_those_that_are(client):
    with pytest.raises(UnknownKnowledgeFileError, match=r"no knowledge file boats\.md; it has: fees\.csv, gate\.txt"):
        client.ask(GATE_QUESTION, k=6, quote=False, files=["boats.md"])


def test_every_file_is_explained_those_used_first(client):
    explained = client.explain(GATE_QUESTION, k=6)

    assert len(explained) == 5
    assert explained[0].file == "gate.txt"
    assert explained[0].used
    assert explained[0].reason.startswith("used: its best passage is number 1 of all")
    assert all(file.reason for file in explained)


def test_a_page_comes_with_its_place_in_the_file(client):
    whole = client.page("handbook.pdf", None)
    second = client.page("handbook.pdf", 2)

    assert (whole.page, whole.start) == (None, 0)
    assert "Diesel is sold" in second.text
    assert "siren" not in second.text
    assert second.page == 2
    assert whole.text[second.start : second.start + len(second.text)] == second.text
    assert "".join(client.page("handbook.pdf", page).text for page in (1, 2, 3)) == whole.text


def test_a_page_past_the_last_is_the_last(client):
    assert client.page("handbook.pdf", 99) == client.page("handbook.pdf", 3)
    assert client.page("handbook.pdf", 0) == client.page("handbook.pdf", 1)


def test_a_file_without_pages_is_shown_whole(client):
    assert client.page("gate.txt", 4).text.strip() == GATE.strip()


def test_a_killed_worker_is_told_and_the_next_question_is_answered(own_client):
    own_client.open()
    kill_worker(own_client)

    assert own_client.ask(GATE_QUESTION, k=1, quote=False).passages[0].file == "gate.txt"


def test_a_pack_cut_short_in_use_is_told_and_once_mended_answers_again(own_client, own_pack):
    whole = own_pack.read_bytes()
    own_client.ask(GATE_QUESTION, k=1, quote=True)
    os.truncate(own_pack, 0)

    with pytest.raises(PackChangedError, match=r"own\.pack was changed, cut short or replaced while it was in use"):
        own_client.ask("Where is diesel sold?", k=1, quote=True)
    with pytest.raises(PackChangedError):
        own_client.ask("Where is diesel sold?", k=1, quote=True)
    own_pack.write_bytes(whole)

    assert own_client.ask("Where is diesel sold?", k=1, quote=True).passages[0].file == "handbook.pdf"


def test_another_pack_in_its_place_is_never_taken_for_it(own_client, own_pack):
    own_client.open()
    write_knowing_pack(own_pack)
    kill_worker(own_client)

    with pytest.raises(PackChangedError):
        own_client.ask(GATE_QUESTION, k=1, quote=False)


def test_a_removed_pack_is_told(own_client, own_pack):
    own_client.open()
    own_pack.unlink()
    kill_worker(own_client)

    with pytest.raises(UnreadablePackError, match=r"own\.pack cannot be read: no such file"):
        own_client.ask(GATE_QUESTION, k=1, quote=False)


def test_an_embedder_that_is_not_here_leaves_the_words_and_a_warning(tmp_path, home):
    """The forged packs' vectors are of an embedder that exists nowhere."""
    client = client_of(write_knowing_pack(tmp_path / "a.pack"), home)
    try:
        found = client.ask("How often do tides rise a day?", k=3, quote=False)
    finally:
        client.close()

    assert found.warnings[0].kind == "wrong-embedder"
    assert "keyword search works meanwhile" in found.warnings[0].text
    assert all(passage.vector is None for passage in found.passages)


def test_a_worker_that_is_killed_while_it_answers_is_told_as_such(own_client):
    own_client.open()
    pid = own_client._worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # so that the question is on its way when it dies
    killing = threading.Timer(0.05, os.kill, (pid, signal.SIGKILL))
    killing.start()

    with pytest.raises(WorkerDiedError, match="The knowledge process stopped: it was killed"):
        own_client.ask(GATE_QUESTION, k=1, quote=False)

    killing.join()
    assert own_client.ask(GATE_QUESTION, k=1, quote=False).passages
