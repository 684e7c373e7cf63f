"""`models pull` as a function: from a name to a checked file with a record of where it came from."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace

import pytest
from helpers.local_hub import REPOSITORY
from helpers.model_folders import model_bytes, projector_bytes, write_file, write_hugging_face, write_ollama
from helpers.tiny_gguf import TinyModel, write_parts

from satchel.runtime.commands.models_pull import find_offer, pull_model
from satchel.runtime.engine.choice import GgufFile, find_model
from satchel.runtime.errors import BusyError, MissingExtraError, UsageError
from satchel.runtime.models.errors import (
    ForeignFileError,
    GatedModelError,
    InterruptedDownloadError,
    LicenceNotAcceptedError,
    NotEnoughSpaceError,
    UnknownModelError,
)
from satchel.runtime.models.pulled import read_record
from satchel.runtime.packfile.lock import locked
from satchel.runtime.settings import Settings

REFERENCE = f"hub:{REPOSITORY}/Tiny-1B-Q8_0.gguf"


@pytest.fixture
def content(hub) -> bytes:
    held = model_bytes()
    hub.add("Tiny-1B-Q8_0.gguf", held)
    return held


def pull(owner, settings, reference: str = REFERENCE, **options):
    return pull_model(find_offer(reference, owner, settings), owner, settings, **options)


def test_a_pulled_model_is_usable_by_its_name(owner, settings, content):
    done = pull(owner, settings)

    path = owner.models / REPOSITORY / "Tiny-1B-Q8_0.gguf"
    assert (done.name, done.path, done.bytes) == ("Tiny-1B-Q8_0", str(path), len(content))
    assert done.sha256 == (hashlib.sha256(content).hexdigest(),)
    assert (done.problem, done.already_here, done.resumed_from) == ("", False, 0)
    assert find_model("tiny-1b", owner) == GgufFile(path, "Tiny-1B-Q8_0")


def test_the_record_says_where_it_came_from(owner, settings, content, hub):
    pull(owner, settings)

    found = read_record(owner.models / REPOSITORY / "Tiny-1B-Q8_0.gguf")
    assert found is not None
    record = found.record
    assert (record.repository, record.commit, record.licence) == (REPOSITORY, hub.commit(), "apache-2.0")
    assert [(file.name, file.size) for file in record.files] == [("Tiny-1B-Q8_0.gguf", len(content))]


@pytest.mark.usefixtures("content")
def test_a_second_pull_fetches_nothing(owner, settings, hub):
    pull(owner, settings)
    hub.asked.clear()
    done = pull(owner, settings)

    assert done.already_here
    assert hub.paths("cdn") == []


def test_a_run_that_was_killed_before_it_took_its_note_is_made_good(owner, settings, content):
    path = write_file(owner.models / REPOSITORY / "Tiny-1B-Q8_0.gguf", content)

    assert pull(owner, settings).already_here
    assert read_record(path).is_unchanged()


@pytest.mark.usefixtures("content")
def test_a_file_that_changed_on_the_hub_replaces_the_pulled_one(owner, settings, hub):
    pull(owner, settings)
    sha256 = hub.add("Tiny-1B-Q8_0.gguf", model_bytes(2))
    done = pull(owner, settings)

    assert not done.already_here
    assert done.sha256 == (sha256,)
    assert read_record(owner.models / REPOSITORY / "Tiny-1B-Q8_0.gguf").record.files[0].sha256 == sha256


@pytest.mark.usefixtures("content")
def test_a_persons_own_file_is_never_replaced(owner, settings):
    path = write_file(owner.models / REPOSITORY / "Tiny-1B-Q8_0.gguf", b"mine")

    with pytest.raises(ForeignFileError, match="is there already") as caught:
        find_offer(REFERENCE, owner, settings)
    assert str(path) in caught.value.message
    assert path.read_bytes() == b"mine"


@pytest.mark.usefixtures("content")
def test_a_pulled_file_that_a_person_changed_is_their_own(owner, settings, hub):
    path = owner.models / REPOSITORY / "Tiny-1B-Q8_0.gguf"
    pull(owner, settings)
    path.write_bytes(b"mine")
    hub.add("Tiny-1B-Q8_0.gguf", model_bytes(2))

    with pytest.raises(ForeignFileError):
        find_offer(REFERENCE, owner, settings)


def test_what_another_program_has_is_used_there(owner, person, settings, content, hub):
    link = write_hugging_face(person / ".cache/huggingface/hub", "m/T", "Other-Name.gguf", content)
    done = pull(owner, settings)

    assert (done.already_here, done.path, done.name) == (True, str(link), "Other-Name")
    assert hub.paths("cdn") == []
    assert find_model("other-name", owner).path == link


def test_the_name_that_another_program_gives_it_is_told(owner, person, settings, content):
    blob = write_ollama(person / ".ollama/models", "tiny:1b", content)
    done = pull(owner, settings)

    assert (done.name, done.path) == ("tiny:1b", str(blob))


def test_a_copy_under_another_name_in_the_own_folder_is_used(owner, settings, content):
    copy = write_file(owner.models / "mine.gguf", content)

    assert pull(owner, settings).path == str(copy)


def test_a_name_of_the_catalogue_is_enough(owner, settings, hub):
    repository, file = "unsloth/Qwen3-4B-Instruct-2507-GGUF", "Qwen3-4B-Instruct-2507-Q4_K_M.gguf"
    hub.add(file, model_bytes(), repository)

    assert pull(owner, settings, "Qwen3-4B").path == str(owner.models / repository / file)


def test_an_unknown_name_is_told_with_the_nearest_and_asks_nobody(owner, settings, hub):
    with pytest.raises(UnknownModelError) as caught:
        find_offer("qwen34b", owner, settings)

    assert "qwen3-4b" in caught.value.advice
    assert hub.asked == []


def test_a_split_model_comes_whole_and_is_gone_on_with(owner, settings, hub, tmp_path):
    parts = write_parts(tmp_path, "Big-Q8_0", TinyModel(), 3)
    for part in parts:
        hub.add(part.name, part.read_bytes())
    reference = f"hub:{REPOSITORY}/{parts[1].name}"
    size = parts[1].stat().st_size
    hub.rules.cut_after = [1 << 30, size // 2, 0, 0, 0]
    offer = find_offer(reference, owner, settings)
    with pytest.raises(InterruptedDownloadError, match=parts[1].name), no_waiting():
        pull_model(offer, owner, settings)
    hub.rules.cut_after = []
    hub.asked.clear()
    done = pull(owner, settings, reference)

    assert len(hub.paths("cdn")) == 2  # the first part is here already
    assert done.resumed_from == size // 2
    assert (done.name, len(done.paths), done.problem) == ("Big-Q8_0", 3, "")
    assert pull(owner, settings, reference).already_here


@contextlib.contextmanager
def no_waiting():
    """Take the waits between attempts out, by the hub's own clock."""
    from satchel.runtime.models import download

    attempts, download._ATTEMPTS = download._ATTEMPTS, 1
    try:
        yield
    finally:
        download._ATTEMPTS = attempts


@pytest.mark.parametrize("licence", ["gemma", "llama3.2", "cc-by-nc-4.0", "other"])
def test_an_unusual_licence_waits_for_a_word(owner, settings, content, hub, licence):
    hub.card = {"license": licence}
    offer = find_offer(REFERENCE, owner, settings)

    with pytest.raises(LicenceNotAcceptedError) as caught:
        pull_model(offer, owner, settings)
    assert (caught.value.exit_code, "--accept-licence" in caught.value.advice) == (68, True)
    assert hub.paths("cdn") == []
    assert pull_model(offer, owner, settings, accept_licence=True).bytes == len(content)


@pytest.mark.usefixtures("content")
def test_the_token_of_a_person_goes_to_no_mirror(owner, settings, hub):
    hub.rules.token = "hf_secret"

    with pytest.raises(GatedModelError):
        pull_model(
            find_offer(REFERENCE, owner, settings, {"HF_TOKEN": "hf_secret"}),
            owner,
            settings,
            environment={"HF_TOKEN": "hf_secret"},
        )
    assert not any("Authorization" in asked.headers for asked in hub.asked)


@pytest.mark.usefixtures("content")
def test_mirrors_are_tried_in_the_order_of_the_settings(owner, hub):
    settings = Settings(hub_endpoints=("http://127.0.0.1:9", hub.url))

    assert pull(owner, settings).endpoint == hub.url


@pytest.mark.usefixtures("content")
def test_two_processes_do_not_pull_the_same(owner, settings):
    offer = find_offer(REFERENCE, owner, settings)

    with locked(offer.paths[0]), pytest.raises(BusyError):
        pull_model(offer, owner, settings)


@pytest.mark.usefixtures("content")
def test_a_model_that_fits_on_no_disk_is_not_begun(owner, settings, hub):
    offer = find_offer(REFERENCE, owner, settings)
    (file,) = offer.model.files
    huge = replace(offer, model=replace(offer.model, files=(replace(file, size=1 << 60),)))

    with pytest.raises(NotEnoughSpaceError, match="Tiny-1B-Q8_0 needs 1,048,576 TiB more"):
        pull_model(huge, owner, settings)
    assert hub.paths("cdn") == []


def test_what_cannot_be_talked_to_is_told(owner, settings, hub):
    hub.add("mmproj-F16.gguf", projector_bytes())

    assert "projector" in pull(owner, settings, f"hub:{REPOSITORY}/mmproj-F16.gguf").problem


def test_the_reader_and_the_starter_are_not_pulled(owner, settings, monkeypatch):
    with pytest.raises(UsageError, match="the Reader is part of Satchel"):
        find_offer("reader", owner, settings)
    with pytest.raises(UsageError, match="installed already"):
        find_offer("Starter", owner, settings)
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(MissingExtraError):
        find_offer("starter", owner, settings)
