from __future__ import annotations

import os
import random
import signal
import subprocess
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from helpers.packs import (
    contents_of,
    knowing_manifest,
    knowledge_entries,
    manifest,
    plain_entries,
    write_knowing_pack,
    write_plain_pack,
)
from helpers.python_processes import run_python, start_python
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from satchel.runtime.errors import BusyError, CancelledError, SaveError
from satchel.runtime.packfile import names
from satchel.runtime.packfile.errors import PackContentError, PackLimitError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.writer import check_fits, write_pack

GIB = 1 << 30


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writing_tells_where_how_large_and_which_id(tmp_path):
    written = write_pack(tmp_path / "a.pack", manifest(), plain_entries().items())
    assert written.path == tmp_path / "a.pack"
    assert written.size == written.path.stat().st_size
    with open_pack(written.path, verify=True) as pack:
        assert pack.pack_id == written.pack_id
    assert listing(tmp_path) == ["a.pack"]


CONTENTS = st.fixed_dictionaries(
    {},
    optional={
        "README.txt": st.binary(max_size=300),
        "instructions.md": st.binary(max_size=300),
        "avatar.png": st.binary(max_size=300),
        "actions/a.openapi.json": st.binary(max_size=300),
        "actions/ä b.openapi.json": st.binary(max_size=300),
        "evals/cases.jsonl": st.binary(max_size=300),
        "mcp.json": st.binary(max_size=300),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CONTENTS)
def test_what_is_written_is_read_back(tmp_path, entries):
    assert contents_of(write_pack(tmp_path / "a.pack", manifest(), entries.items()).path) == entries


TEXT_FILES = st.dictionaries(
    st.sampled_from(["a.md", "b/c.md", "größe.md", "😀.md"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT_FILES)
def test_knowledge_of_any_text_is_written_and_read_back(tmp_path, texts):
    path = write_knowing_pack(tmp_path / "a.pack", texts)
    with open_pack(path, verify=True) as pack:
        text = bytes(pack.view(names.TEXT)) if pack.location(names.TEXT)[1] else b""
        assert text.decode() == "".join(texts.values())
        for number, first, end, start, stop in pack.array(names.PASSAGES).tolist():
            assert text[first:end].decode() == list(texts.values())[number][start:stop]


def test_files_arrays_and_bytes_give_the_same_entry(tmp_path):
    entries = plain_entries() | knowledge_entries()
    (tmp_path / "text").write_bytes(entries[names.TEXT])
    as_file = entries | {names.TEXT: tmp_path / "text"}
    as_array = entries | {names.TEXT: np.frombuffer(entries[names.TEXT], np.uint8)}
    packs = [
        write_pack(tmp_path / f"{number}.pack", knowing_manifest(), given_entries.items()).path.read_bytes()
        for number, given_entries in enumerate((entries, as_file, as_array))
    ]
    assert packs[0] == packs[1] == packs[2]


def test_big_endian_arrays_are_written_little_endian(tmp_path):
    entries = plain_entries() | knowledge_entries()
    swapped = {
        name: content.astype(content.dtype.newbyteorder(">")) if isinstance(content, np.ndarray) else content
        for name, content in entries.items()
    }
    one = write_pack(tmp_path / "a.pack", knowing_manifest(), entries.items()).path
    other = write_pack(tmp_path / "b.pack", knowing_manifest(), swapped.items()).path
    assert one.read_bytes() == other.read_bytes()


BUILD = """
import os, random, sys
from pathlib import Path
from helpers.packs import knowing_manifest, knowledge_entries, plain_entries
from satchel.runtime.packfile.writer import write_pack
os.umask(int(sys.argv[2], 8))
entries = list((plain_entries() | knowledge_entries() | {"actions/ü.openapi.json": b"{}"}).items())
random.Random(sys.argv[3]).shuffle(entries)
print(write_pack(Path(sys.argv[1]), knowing_manifest(), entries).pack_id)
"""


def test_the_same_content_gives_the_same_bytes_everywhere(tmp_path):
    surroundings = [
        ({"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "0"}, "022", "1"),
        ({"LC_ALL": "C.UTF-8", "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "1"}, "077", "2"),
        ({"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "random"}, "000", "3"),
        ({"LANG": "ar_EG.UTF-8", "PYTHONUTF8": "0", "OMP_NUM_THREADS": "2", "PYTHONOPTIMIZE": "1"}, "027", "4"),
    ]
    packs = []
    for number, (variables, umask, seed) in enumerate(surroundings):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = run_python(BUILD, str(folder / f"{number}.pack"), umask, seed, folder=folder, extra=variables)
        assert done.returncode == 0, done.stderr
        packs.append((done.stdout, (folder / f"{number}.pack").read_bytes()))
    assert len(set(packs)) == 1


def test_a_new_pack_has_the_permissions_that_the_umask_gives(tmp_path):
    for umask in (0o022, 0o077):
        before = os.umask(umask)
        try:
            path = write_plain_pack(tmp_path / "a.pack")
        finally:
            os.umask(before)
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    ("entries", "place", "reason"),
    [
        ([("model.gguf", b"")], "model.gguf", "format 1 has no such entry"),
        ([("../x", b"")], "../x", "format 1 has no such entry"),
        ([("README.txt", b"a"), ("README.txt", b"b")], "README.txt", "it is there twice"),
        ([("actions/A.openapi.json", b""), ("actions/a.openapi.json", b"")], "entries[1].name", "only in case"),
        ([("instructions.md", bytes(2 << 20))], "entries[0].size", "at most 1.0 MiB"),
        ([(names.PASSAGES, np.zeros((3, 5), np.int64))], names.PASSAGES, "i8 [3, 5], and u4 [n, 5] is expected"),
        ([(names.PASSAGES, np.zeros((3, 4), np.uint32))], names.PASSAGES, "u4 [3, 4], and u4 [n, 5] is expected"),
        ([(names.PASSAGES, np.zeros((5, 6), np.uint32)[:, :5])], names.PASSAGES, "not C-contiguous"),
        ([("README.txt", np.zeros(3, np.uint16))], "README.txt", "u1 [n] is expected"),
        ([(names.TEXT, b"x")], "knowledge", "knowledge/files.json: it is missing"),
    ],
)
def test_what_format_1_does_not_allow_is_refused_before_anything_is_replaced(tmp_path, entries, place, reason):
    before = write_plain_pack(tmp_path / "a.pack").read_bytes()
    with pytest.raises(PackContentError) as caught:
        write_pack(tmp_path / "a.pack", manifest(), entries)
    assert caught.value.fields["place"] == place
    assert reason in caught.value.message
    assert (tmp_path / "a.pack").read_bytes() == before
    assert listing(tmp_path) == ["a.pack"]


def test_a_setting_that_format_1_does_not_allow_is_named_by_its_key(tmp_path):
    sampling = msgspec.structs.replace(manifest().sampling, temperature="warm")
    with pytest.raises(PackContentError, match=r"sampling\.temperature: expected `str` matching"):
        write_pack(tmp_path / "a.pack", manifest(sampling=sampling), [])
    with pytest.raises(PackContentError, match="no valid Unicode"):
        write_pack(tmp_path / "a.pack", manifest(attribution="\ud800"), [])
    assert listing(tmp_path) == []


def test_an_array_that_install_would_refuse_is_refused_here(tmp_path):
    entries = plain_entries() | knowledge_entries()
    entries[names.PASSAGES] = entries[names.PASSAGES] + np.uint32(1)
    with pytest.raises(PackContentError, match=r"knowledge: knowledge/passages\.npy: row"):
        write_pack(tmp_path / "a.pack", knowing_manifest(), entries.items())
    assert listing(tmp_path) == []


# Limits


def test_more_than_4_gib_is_refused_with_the_sums_before_a_byte_is_read(tmp_path):
    large, larger = tmp_path / "large", tmp_path / "larger"
    for path, size in ((large, 3 * GIB), (larger, 2 * GIB)):
        path.touch()
        os.truncate(path, size)  # a hole: takes no room on the disk
    entries = {"knowledge/sources/0001.txt": large, "knowledge/sources/0002.txt": larger, "README.txt": b"x"}
    with pytest.raises(PackLimitError) as caught:
        write_pack(tmp_path / "a.pack", manifest(), entries.items())
    assert caught.value.fields["sums"] == (
        "knowledge/sources/0001.txt 3.0 GiB + knowledge/sources/0002.txt 2.0 GiB + README.txt 1 bytes = 5.0 GiB, "
        "and a pack ends at 4.0 GiB"
    )
    assert listing(tmp_path) == ["large", "larger"]


def test_sizes_can_be_refused_before_anything_is_made():
    sizes = {names.VECTORS_HIGH: 2 * GIB, names.VECTORS_LOW: 2 * GIB, names.TEXT: GIB // 2, "instructions.md": 5}
    with pytest.raises(PackLimitError, match=r"= 4\.5 GiB, and a pack ends at 4\.0 GiB"):
        check_fits(Path("a.pack"), manifest(), sizes)
    check_fits(Path("a.pack"), manifest(), sizes | {names.TEXT: 1000, names.VECTORS_LOW: GIB})


def test_more_entries_than_a_zip_can_have_are_refused_with_their_number(tmp_path):
    entries = [(f"knowledge/sources/{number:04}.txt", b"") for number in range(1, 65_533)]
    with pytest.raises(PackLimitError, match=r"65,532 entries, and a pack holds at most 65,531"):
        write_pack(tmp_path / "a.pack", manifest(), entries)


def test_the_largest_number_of_entries_is_written_opened_and_read_by_others(tmp_path):
    entries = {f"actions/{number:05}.openapi.json": b"{}" for number in range(65_531)}
    path = write_pack(tmp_path / "a.pack", manifest(), entries.items()).path
    with open_pack(path, verify=True) as pack, zipfile.ZipFile(path) as archive:
        assert pack.names == tuple(entries)
        assert archive.namelist()[2:] == list(entries)


# Sources that misbehave


def test_a_source_that_is_missing_or_no_file_is_named(tmp_path):
    with pytest.raises(PackContentError, match=r"README\.txt: .*gone.txt cannot be read: no such file"):
        write_pack(tmp_path / "a.pack", manifest(), [("README.txt", tmp_path / "gone.txt")])
    with pytest.raises(PackContentError, match="no regular file"):
        write_pack(tmp_path / "a.pack", manifest(), [("README.txt", tmp_path)])
    assert listing(tmp_path) == []


@pytest.mark.parametrize(("new_size", "words"), [(10, "cut short"), (3_000_000, "grew"), (None, "no such file")])
def test_a_source_that_changes_while_it_is_packed_is_named_and_the_old_pack_stays(tmp_path, new_size, words):
    before = write_plain_pack(tmp_path / "a.pack").read_bytes()
    source = tmp_path / "source.txt"
    source.write_bytes(bytes(2_500_000))

    def change(_stage, done, _total):
        if done == 0 and new_size is None:
            source.unlink(missing_ok=True)
        elif done == 0:
            os.truncate(source, new_size)

    with pytest.raises(PackContentError, match=rf"source\.txt .*{words}"):
        write_pack(tmp_path / "a.pack", manifest(), [("knowledge/sources/0001.txt", source)], progress=change)
    assert (tmp_path / "a.pack").read_bytes() == before
    assert [name for name in listing(tmp_path) if name != "source.txt"] == ["a.pack"]


# Whole or not at all


def test_progress_goes_from_nothing_to_everything(tmp_path):
    seen = []
    entries = plain_entries() | {"evals/cases.jsonl": bytes(3_000_000)}
    write_pack(tmp_path / "a.pack", manifest(), entries.items(), progress=lambda *step: seen.append(step))
    total = sum(len(content) for content in entries.values())
    assert seen[0] == ("writing the pack", 0, total)
    assert seen[-1] == ("writing the pack", total, total)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


@pytest.mark.parametrize("kind", [CancelledError, KeyboardInterrupt])
def test_cancelling_leaves_the_old_pack_and_no_litter(tmp_path, kind):
    before = write_plain_pack(tmp_path / "a.pack").read_bytes()

    def cancel(_stage, done, _total):
        if done:
            raise kind

    with pytest.raises(kind):
        write_pack(tmp_path / "a.pack", manifest(), plain_entries().items(), progress=cancel)
    assert (tmp_path / "a.pack").read_bytes() == before
    assert listing(tmp_path) == ["a.pack"]


SLOW_BUILD = """
import sys
from pathlib import Path
from helpers.packs import manifest
from satchel.runtime.packfile.writer import write_pack
def step(stage, done, total):
    if done:
        print("writing", flush=True)
        sys.stdin.readline()
write_pack(Path(sys.argv[1]), manifest(), [("evals/cases.jsonl", bytes(9_000_000))], progress=step)
"""


def test_ctrl_c_leaves_the_old_pack_and_no_litter(tmp_path):
    before = write_plain_pack(tmp_path / "a.pack").read_bytes()
    with start_python(SLOW_BUILD, str(tmp_path / "a.pack")) as building:
        assert building.stdout.readline() == "writing\n"
        building.send_signal(signal.SIGINT)
        _, errors = building.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert (tmp_path / "a.pack").read_bytes() == before
    assert listing(tmp_path) == ["a.pack"]


def test_a_killed_build_leaves_the_old_pack_and_the_next_one_sweeps_up(tmp_path):
    before = write_plain_pack(tmp_path / "a.pack").read_bytes()
    with start_python(SLOW_BUILD, str(tmp_path / "a.pack")) as building:
        assert building.stdout.readline() == "writing\n"
        building.kill()
        building.communicate(timeout=60)
    assert (tmp_path / "a.pack").read_bytes() == before
    assert any(name.endswith(".partial") for name in listing(tmp_path))
    (tmp_path / ".other.pack.abcdefgh.partial").touch()
    write_plain_pack(tmp_path / "a.pack", attribution="new")
    assert listing(tmp_path) == [".other.pack.abcdefgh.partial", "a.pack"]


def test_the_second_of_two_builds_of_the_same_pack_is_told_to_wait(tmp_path):
    with start_python(SLOW_BUILD, str(tmp_path / "a.pack")) as building:
        assert building.stdout.readline() == "writing\n"
        with pytest.raises(BusyError, match=r"a\.pack"):
            write_plain_pack(tmp_path / "a.pack")
        write_plain_pack(tmp_path / "b.pack")
        building.communicate("\n" * 20, timeout=60)
        assert building.returncode == 0
    assert listing(tmp_path) == ["a.pack", "b.pack"]
    with open_pack(tmp_path / "a.pack", verify=True) as pack:
        assert pack.names == ("evals/cases.jsonl",)


def test_many_builds_of_the_same_pack_at_once_end_in_one_sound_pack(tmp_path):
    code = (
        "import sys; from pathlib import Path; from helpers.packs import write_knowing_pack\n"
        "from satchel.runtime.errors import BusyError\n"
        "try: write_knowing_pack(Path(sys.argv[1]))\n"
        "except BusyError: sys.exit(62)\n"
    )
    builders = [start_python(code, str(tmp_path / "a.pack")) for _ in range(4)]
    ends = []
    for builder in builders:
        with builder:
            ends.append((builder.wait(timeout=60), builder.stderr.read()))
    assert all(end in {(0, ""), (62, "")} for end in ends), ends
    assert (0, "") in ends
    open_pack(tmp_path / "a.pack", verify=True).close()
    assert listing(tmp_path) == ["a.pack"]


def test_a_lock_that_nobody_holds_any_more_is_no_hindrance(tmp_path):
    (tmp_path / ".a.pack.lock").touch()
    write_plain_pack(tmp_path / "a.pack")
    assert listing(tmp_path) == ["a.pack"]


# Full disks


def test_a_full_disk_leaves_the_old_pack(tmp_path):
    """RLIMIT_FSIZE stands in for the disk's end: the same error from the same call, without being root."""
    code = (
        "import resource, sys; from pathlib import Path; from helpers.packs import manifest\n"
        "from satchel.runtime.errors import SaveError\n"
        "from satchel.runtime.packfile.writer import write_pack\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "try: write_pack(Path(sys.argv[1]), manifest(), [('evals/cases.jsonl', bytes(3_000_000))])\n"
        "except SaveError as error: print(error); sys.exit(error.exit_code)\n"
    )
    before = write_plain_pack(tmp_path / "a.pack").read_bytes()
    done = run_python(code, str(tmp_path / "a.pack"))
    assert done.returncode == 61, done.stderr
    assert "could not be saved: file too large" in done.stdout
    assert (tmp_path / "a.pack").read_bytes() == before
    assert listing(tmp_path) == ["a.pack"]


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_really_full_disk_leaves_the_old_pack(tiny_disk):
    before = write_plain_pack(tiny_disk / "a.pack").read_bytes()
    with pytest.raises(SaveError, match="no space left on device"):
        write_pack(tiny_disk / "a.pack", manifest(), [("evals/cases.jsonl", random.Random(1).randbytes(3_000_000))])
    assert (tiny_disk / "a.pack").read_bytes() == before
    assert listing(tiny_disk) == ["a.pack"]


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match=r"could not be saved: (not a directory|file exists)"):
        write_plain_pack(tmp_path / "file" / "a.pack")


def test_a_long_name_outside_latin_is_written(tmp_path):
    write_plain_pack(tmp_path / f"{'潮' * 80}.pack")
    assert listing(tmp_path) == [f"{'潮' * 80}.pack"]


STREAMED_BUILD = """
import hashlib, resource, sys
from pathlib import Path
import msgspec
from helpers.packs import knowing_manifest, knowledge_entries, plain_entries
from satchel.runtime.packfile import names
from satchel.runtime.packfile.documents import decode_files, encode_files
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.writer import write_pack

source, destination = map(Path, sys.argv[1:])
entries = plain_entries() | knowledge_entries({"large.txt": "Known."})
(file,) = decode_files(entries[names.FILES])
with source.open("rb") as opened:
    hashed = hashlib.file_digest(opened, "sha256").hexdigest()
file = msgspec.structs.replace(file, size=source.stat().st_size, sha256=hashed)
entries |= {names.FILES: encode_files((file,)), file.source: source}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_pack(destination, knowing_manifest(), entries.items())
open_pack(destination, verify=True).close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_an_entry_of_200_mib_is_written_and_verified_in_bounded_memory(tmp_path):
    source = tmp_path / "large.txt"
    source.touch()
    os.truncate(source, 200 << 20)
    done = run_python(STREAMED_BUILD, str(source), str(tmp_path / "a.pack"))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 32 << 10  # KiB
    assert (tmp_path / "a.pack").stat().st_size > 200 << 20
