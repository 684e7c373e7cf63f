"""`satchel unpack`: a pack becomes an editable project, and the project the same pack."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from helpers.embedder_folders import write_embedder_folder
from helpers.harbour import FILE_NAMES, GATE, INSTRUCTIONS, Harbour, embedded_here
from helpers.packs import DIMENSION, contents_of, forge_pack, write_knowing_pack, write_plain_pack
from helpers.project_folders import snapshot, write_files, write_project
from helpers.python_processes import run_python

from satchel.runtime.commands.build import build_pack
from satchel.runtime.commands.index import index_project
from satchel.runtime.commands.unpack import unpack
from satchel.runtime.errors import CancelledError, SaveError
from satchel.runtime.knowledge.embedders.model_folder import read_embedder_folder
from satchel.runtime.knowledge.embedders.multilingual import MULTILINGUAL
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.packfile.errors import DamagedPackError, NotAPackError, UnreadablePackError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.project.errors import FolderNotEmptyError
from satchel.runtime.project.folder import load_project


def arrays_of(path: Path) -> dict[str, bytes]:
    with open_pack(path, verify=True) as pack:
        return {name: pack.read(name) for name in pack.names if name.startswith("knowledge/") and "files" not in name}


@pytest.fixture(scope="module")
def without_sources(harbour: Harbour, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assistant, built without the files themselves."""
    path = tmp_path_factory.mktemp("bare") / "bare.pack"
    build_pack(harbour.folder, path, harbour.home, sources=False)
    return path


def test_the_project_is_as_it_was_with_its_files(harbour, tmp_path):
    done = unpack(harbour.pack, tmp_path / "again")

    assert done.folder == tmp_path / "again"
    assert done.name == "Harbour guide"
    assert done.with_source == FILE_NAMES
    assert done.text_only == ()
    before, after = snapshot(harbour.folder), snapshot(done.folder)
    assert {name for name in after if name != ".satchel/origin.pack"} == set(before)
    for name in before:
        if name != "assistant.toml":
            assert after[name] == before[name], name
    unpacked = load_project(done.folder).assistant
    assert unpacked.unpacked_from == harbour.pack_id
    assert msgspec.structs.replace(unpacked, unpacked_from="") == load_project(harbour.folder).assistant


def test_the_settings_state_the_version_and_show_the_defaults_as_those_of_a_new_project_do(harbour, tmp_path):
    text = (unpack(harbour.pack, tmp_path / "again").folder / "assistant.toml").read_text()

    assert 'version = "1.0.0"\n' in text
    assert "# passage_tokens = 200" in text


def test_the_empty_current_folder_becomes_the_project(harbour, monkeypatch, tmp_path):
    (tmp_path / "again").mkdir()
    monkeypatch.chdir(tmp_path / "again")

    unpack(harbour.pack, Path())

    assert load_project(Path()).assistant.id == load_project(harbour.folder).assistant.id
    assert (Path("knowledge") / "gate.txt").read_text() == GATE
    assert sorted(path.name for path in (tmp_path / "again").iterdir() if path.name.startswith(".")) == [".satchel"]


def test_a_full_disk_leaves_the_empty_folder_empty(harbour, tmp_path):
    (tmp_path / "again").mkdir()
    program = """
import resource, sys
from pathlib import Path
from satchel.runtime.commands.unpack import unpack
from satchel.runtime.errors import SaveError
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
except SaveError as error:
    print(error.exit_code)
"""

    finished = run_python(program, str(harbour.pack), str(tmp_path / "again"))

    assert finished.stdout == "61\n", finished.stderr
    assert list((tmp_path / "again").iterdir()) == []


def test_built_again_it_is_the_same_pack_and_nothing_is_embedded(harbour, stranger, tmp_path):
    unpack(harbour.pack, tmp_path / "again")

    built = build_pack(tmp_path / "again", tmp_path / "again.pack", stranger)

    assert built.pack_id == harbour.pack_id
    assert (tmp_path / "again.pack").read_bytes() == harbour.pack.read_bytes()
    assert embedded_here(stranger) == 0


def test_a_pack_without_sources_keeps_its_text_and_its_vectors(without_sources, stranger, tmp_path):
    done = unpack(without_sources, tmp_path / "again")
    assert done.with_source == ()
    assert done.text_only == FILE_NAMES
    assert list((tmp_path / "again" / "knowledge").iterdir()) == []
    (tmp_path / "again" / "instructions.md").write_text("Be kind.")

    build_pack(tmp_path / "again", tmp_path / "again.pack", stranger, sources=False)

    assert arrays_of(tmp_path / "again.pack") == arrays_of(without_sources)
    with open_pack(tmp_path / "again.pack", verify=True) as pack:
        assert pack.read("instructions.md") == b"Be kind."
    assert embedded_here(stranger) == 0


def test_a_pack_without_sources_comes_back_as_the_same_pack(without_sources, stranger, tmp_path):
    unpack(without_sources, tmp_path / "again")

    build_pack(tmp_path / "again", tmp_path / "again.pack", stranger, sources=False)

    assert (tmp_path / "again.pack").read_bytes() == without_sources.read_bytes()


def test_a_file_that_is_put_back_takes_the_place_of_its_kept_text(without_sources, stranger, tmp_path):
    folder = tmp_path / "again"
    unpack(without_sources, folder)
    write_files(folder, {"knowledge/gate.txt": GATE.replace("3.2", "2.9")})

    build_pack(folder, tmp_path / "again.pack", stranger)

    with open_pack(tmp_path / "again.pack", verify=True) as pack:
        arrays = KnowledgeArrays.from_pack(pack)
        texts = {file.name: arrays.file_text(number) for number, file in enumerate(arrays.files)}
        assert "2.9 metres" in texts["gate.txt"]
        assert set(texts) == set(FILE_NAMES)
        assert [file.name for file in arrays.files if file.source] == ["gate.txt"]
    assert embedded_here(stranger) == 1


def test_other_passage_sizes_cut_kept_texts_anew(without_sources, stranger, tmp_path):
    folder = tmp_path / "again"
    unpack(without_sources, folder)
    settings = (folder / "assistant.toml").read_text()
    (folder / "assistant.toml").write_text(settings.replace("[retrieval]\n", "[retrieval]\npassage_tokens = 16\n"))

    built = build_pack(folder, tmp_path / "again.pack", stranger)

    with open_pack(without_sources, verify=True) as pack:
        assert built.passages > len(KnowledgeArrays.from_pack(pack).passages)


def test_the_authors_ticks_and_languages_are_kept_and_later_files_are_not_ticked(
    harbour_folder, stranger, harbour, tmp_path
):
    settings = (harbour_folder / "assistant.toml").read_text()
    settings += '[knowledge]\ntrusted = true\npublic = ["gate.txt"]\nlanguages = ["fees.csv: nl"]\n'
    (harbour_folder / "assistant.toml").write_text(settings)
    built = build_pack(harbour_folder, tmp_path / "one.pack", harbour.home)

    unpack(tmp_path / "one.pack", tmp_path / "again")

    knowledge = load_project(tmp_path / "again").assistant.knowledge
    assert knowledge.trusted == list(FILE_NAMES)
    assert knowledge.public == ["gate.txt"]
    assert knowledge.languages == ["fees.csv: nl"]
    assert knowledge.embedder == "default"
    assert build_pack(tmp_path / "again", tmp_path / "two.pack", stranger).pack_id == built.pack_id


@pytest.mark.parametrize("name", ["model", "../model", "{folder}/model", "somebody/model", "~/model"])
def test_a_strangers_pack_chooses_no_embedder_of_this_machine(tmp_path, stranger, monkeypatch, name):
    model = write_embedder_folder(tmp_path / "model")
    hub = tmp_path / "hub" / "models--somebody--model"
    write_embedder_folder(hub / "snapshots" / "1")
    write_files(hub / "refs", {"main": "1"})
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    name = name.format(folder=tmp_path)
    claimed = msgspec.structs.replace(
        read_embedder_folder(model).fingerprint, name=name, dimension=DIMENSION, query_prefix="told: "
    )
    pack = write_knowing_pack(tmp_path / "a.pack", embedder=claimed)

    done = unpack(pack, tmp_path / "again")

    assert done.other_embedder == name
    assert load_project(done.folder).assistant.knowledge.embedder == "default"
    assert index_project(done.folder, stranger).embedder == "all-MiniLM-L6-v2"


def test_the_multilingual_embedder_is_kept_by_its_weights_whatever_it_is_called(tmp_path):
    claimed = EmbedderFingerprint("/etc", MULTILINGUAL.weights_sha256, DIMENSION, "mean", 512)

    done = unpack(write_knowing_pack(tmp_path / "a.pack", embedder=claimed), tmp_path / "again")

    assert load_project(done.folder).assistant.knowledge.embedder == "multilingual"
    assert done.other_embedder == ""


@pytest.mark.parametrize(("chosen", "shown"), [("", 4), ("examples = 1\n", 1)])
def test_an_example_that_is_added_later_is_shown_unless_the_author_chose_fewer(tmp_path, home, chosen, shown):
    examples = 2 * '{"question": "When?", "answer": "At noon."}\n'
    folder = write_project(tmp_path / "tutor", settings=chosen, files={"examples.jsonl": examples})
    build_pack(folder, None, home)

    unpack(tmp_path / "tutor.pack", tmp_path / "again")

    assert load_project(tmp_path / "again").assistant.examples == shown


def test_a_pack_without_knowledge_leaves_no_origin_behind(tmp_path):
    done = unpack(write_plain_pack(tmp_path / "plain.pack"), tmp_path / "again")

    assert done.with_source == done.text_only == ()
    assert not (tmp_path / "again" / ".satchel").exists()
    assert load_project(tmp_path / "again").assistant.name == done.name


def test_an_empty_folder_that_is_there_is_used(harbour, tmp_path):
    (tmp_path / "again").mkdir()

    unpack(harbour.pack, tmp_path / "again")

    assert (tmp_path / "again" / "instructions.md").read_text() == INSTRUCTIONS


@pytest.mark.parametrize("there", ["a folder with a file", "a file"])
def test_what_is_there_is_never_overwritten(harbour, tmp_path, there):
    target = tmp_path / "again"
    if there == "a file":
        target.write_text("mine")
    else:
        write_files(target, {"mine.txt": "mine"})
    before = snapshot(tmp_path)

    with pytest.raises(FolderNotEmptyError):
        unpack(harbour.pack, target)

    assert snapshot(tmp_path) == before


def test_a_pack_that_is_not_sound_leaves_nothing_behind(tmp_path):
    (tmp_path / "a.pack").write_bytes(b"hello")
    whole = write_knowing_pack(tmp_path / "whole.pack").read_bytes()
    (tmp_path / "cut.pack").write_bytes(whole[:-10])
    (tmp_path / "flipped.pack").write_bytes(whole.replace(b"tide", b"tidy", 1))

    for name, error in (
        ("a.pack", NotAPackError),
        ("cut.pack", DamagedPackError),
        ("flipped.pack", DamagedPackError),
        ("missing.pack", UnreadablePackError),
    ):
        with pytest.raises(error):
            unpack(tmp_path / name, tmp_path / "again")

    assert {path.name for path in tmp_path.iterdir()} == {"a.pack", "cut.pack", "flipped.pack", "whole.pack"}


def test_a_cancelled_unpacking_leaves_nothing_behind(harbour, tmp_path):
    def cancel(_stage: str, _done: int, _total: int | None) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        unpack(harbour.pack, tmp_path / "again", progress=cancel)

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(harbour, tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(SaveError, match="again could not be saved"):
        unpack(harbour.pack, tmp_path / "file" / "again")


def test_texts_that_end_within_a_character_are_refused(tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    with open_pack(path, verify=True) as pack:
        manifest = pack.manifest
    contents = contents_of(path)
    contents["knowledge/text.utf8"] = contents["knowledge/text.utf8"][:-1] + b"\xc3"

    with pytest.raises(DamagedPackError):
        unpack(forge_pack(path, manifest, contents), tmp_path / "again")
