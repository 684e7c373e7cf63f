"""`models remove` as a function: only what Satchel pulled, with all that belongs to it."""

from __future__ import annotations

import pytest
from helpers.local_hub import REPOSITORY
from helpers.model_folders import model_bytes, write_file, write_ollama
from helpers.tiny_gguf import TinyModel, write_parts

from satchel.runtime.commands.models_pull import find_offer, pull_model
from satchel.runtime.commands.models_remove import RemovedModel, remove_model
from satchel.runtime.models.errors import NotPulledError
from satchel.runtime.models.partial import PartialFile, PartialState

NAME = "Tiny-1B-Q8_0"


@pytest.fixture
def pulled(owner, settings, hub) -> bytes:
    content = model_bytes()
    hub.add(f"{NAME}.gguf", content)
    pull_model(find_offer(f"hub:{REPOSITORY}/{NAME}.gguf", owner, settings), owner, settings)
    return content


@pytest.mark.parametrize("name", [NAME, NAME.lower(), f"{NAME}.gguf"])
def test_a_pulled_model_goes_with_its_record_and_its_folders(owner, pulled, name):
    done = remove_model(name, owner)

    path = owner.models / REPOSITORY / f"{NAME}.gguf"
    assert done == RemovedModel(NAME, (str(path),), len(pulled))
    assert list(owner.models.rglob("*")) == []


@pytest.mark.usefixtures("pulled")
def test_it_can_be_named_by_its_path_and_others_stay(owner):
    other = write_file(owner.models / REPOSITORY / "mine.gguf", b"mine")
    remove_model(str(owner.models / REPOSITORY / f"{NAME}.gguf"), owner)

    assert list(owner.models.rglob("*.*")) == [other]


def test_all_parts_of_a_split_model_go(owner, settings, hub, tmp_path):
    parts = write_parts(tmp_path, "Big", TinyModel(), 2)
    for part in parts:
        hub.add(part.name, part.read_bytes())
    pull_model(find_offer(f"hub:{REPOSITORY}/{parts[0].name}", owner, settings), owner, settings)

    assert len(remove_model("big", owner).paths) == 2
    assert list(owner.models.rglob("*")) == []


def test_what_an_unfinished_pull_left_goes_too(owner):
    wanted = PartialState(repository=REPOSITORY, file="x.gguf", size=10, sha256="0" * 64)
    with PartialFile(owner.models / REPOSITORY / "x.gguf", wanted) as partial:
        partial.open(lambda _: None)
        partial.append(b"12345")

    assert remove_model("x", owner).bytes == 5
    assert list(owner.models.rglob("*")) == []


@pytest.mark.usefixtures("pulled")
def test_a_replaced_file_is_not_removed(owner):
    path = owner.models / REPOSITORY / f"{NAME}.gguf"
    path.write_bytes(b"mine")

    with pytest.raises(NotPulledError, match="its files are not what came"):
        remove_model(NAME, owner)
    assert path.read_bytes() == b"mine"


def test_a_persons_own_file_is_theirs_to_remove(owner):
    path = write_file(owner.models / "mine.gguf", model_bytes())

    with pytest.raises(NotPulledError, match="somebody put it there"):
        remove_model("mine", owner)
    assert path.exists()


def test_another_programs_model_is_that_programs(owner, person):
    blob = write_ollama(person / ".ollama/models", "tiny:1b", model_bytes())

    with pytest.raises(NotPulledError, match="it belongs to ollama"):
        remove_model("tiny:1b", owner)
    assert blob.exists()


@pytest.mark.usefixtures("pulled")
def test_an_unknown_name_is_told_with_what_can_be_removed(owner):
    with pytest.raises(NotPulledError) as caught:
        remove_model("x", owner)
    assert NAME in caught.value.advice


@pytest.mark.parametrize("record", [b"", b"[]", b'{"files": [{"name": "../../x", "size": 1, "sha256": "0"}]}'])
def test_a_broken_record_removes_nothing(owner, record):
    path = write_file(owner.models / "mine.gguf", model_bytes())
    write_file(owner.models / "mine.gguf.pulled.json", record)

    with pytest.raises(NotPulledError):
        remove_model("mine", owner)
    assert path.exists()


def test_a_record_cannot_point_out_of_its_folder(owner, tmp_path):
    victim = write_file(tmp_path / "home/data/victim.gguf", b"1")
    record = (
        b'{"repository": "o/r", "commit": "0", "licence": "", "endpoint": "", "day": "2026-01-01",'
        b' "files": [{"name": "../victim.gguf", "size": 1, "sha256": "0"}]}'
    )
    write_file(owner.models / "x.gguf.pulled.json", record)

    with pytest.raises(NotPulledError):
        remove_model("victim", owner)
    assert victim.exists()
