from __future__ import annotations

import os
import shutil
import subprocess
import zipfile

import numpy as np
import pytest
from helpers.packs import (
    TEXTS,
    contents_of,
    forge_pack,
    knowing_manifest,
    knowledge_entries,
    manifest,
    plain_entries,
    sign,
    write_knowing_pack,
    write_plain_pack,
)
from helpers.python_processes import run_python
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from satchel.runtime.errors import SatchelError
from satchel.runtime.packfile import names
from satchel.runtime.packfile.errors import (
    DamagedPackError,
    NewerPackError,
    NotAPackError,
    PackChangedError,
    UnreadablePackError,
)
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import Signature
from satchel.runtime.packfile.writer import write_pack

SIGNATURE = Signature(algorithm="ed25519", key="a2V5", signature="c2lnbmF0dXJl")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A signed pack with every kind of entry."""
    path = write_pack(
        tmp_path_factory.mktemp("sound") / "sound.pack",
        knowing_manifest(),
        (plain_entries() | knowledge_entries() | {"actions/Größe.openapi.json": b"{}"}).items(),
    ).path
    return sign(path, SIGNATURE)


def test_all_that_was_written_is_read_back(tmp_path):
    entries = plain_entries() | knowledge_entries()
    path = write_pack(tmp_path / "a.pack", knowing_manifest(), entries.items()).path
    with open_pack(path, verify=True) as pack:
        assert pack.names == tuple(sorted(entries, key=str.encode))
        assert pack.path == path
        for name, given_content in entries.items():
            if isinstance(given_content, bytes):
                assert pack.read(name) == bytes(pack.view(name)) == given_content
            else:
                np.testing.assert_array_equal(pack.array(name), given_content, strict=True)


def test_the_pack_id_is_the_hash_of_the_manifest(tmp_path):
    path = write_plain_pack(tmp_path / "a.pack")
    with zipfile.ZipFile(path) as archive, open_pack(path, verify=False) as pack:
        import hashlib

        assert pack.pack_id == hashlib.sha256(archive.read("manifest.json")).hexdigest()


def test_an_entry_lies_where_its_location_says(sound):
    content = sound.read_bytes()
    with open_pack(sound, verify=False) as pack:
        for name in pack.names:
            offset, size = pack.location(name)
            assert content[offset : offset + size] == pack.read(name)
            assert pack.read_range(name, 1, size - 2) == pack.read(name)[1:-1]


def test_arrays_are_read_only_maps_on_64_byte_borders(sound):
    with open_pack(sound, verify=False) as pack:
        for name in (names.PASSAGES, *names.VECTOR_ENTRIES):
            array = pack.array(name)
            assert not array.flags.writeable
            assert array.ctypes.data % 64 == 0
            assert (pack.location(name)[0] + 128) % 64 == 0


def test_numpy_reads_an_array_out_of_the_unzipped_file(sound, tmp_path):
    with zipfile.ZipFile(sound) as archive:
        archive.extractall(tmp_path)
    with open_pack(sound, verify=False) as pack:
        for name in pack.names:
            if name.endswith(".npy"):
                np.testing.assert_array_equal(np.load(tmp_path / name), pack.array(name), strict=True)


def test_an_empty_array_is_read_back_with_its_shape(tmp_path):
    entries = plain_entries() | knowledge_entries({"empty.md": ""})
    path = write_pack(tmp_path / "a.pack", knowing_manifest(), entries.items()).path
    with open_pack(path, verify=True) as pack:
        assert pack.array(names.PASSAGES).shape == (0, 5)
        assert pack.array(names.VECTORS_HIGH).shape == (0, 8)
        assert not pack.array(names.VECTORS_HIGH).flags.writeable
        assert pack.array(names.TEXT).shape == (0,)


def test_maps_outlive_the_pack_that_made_them(sound):
    with open_pack(sound, verify=False) as pack:
        array, view = pack.array(names.PASSAGES), pack.view(names.TEXT)
    assert array[0, 0] == 0
    assert bytes(view) == "".join(TEXTS.values()).encode()


def test_a_range_outside_its_entry_is_refused(sound):
    with open_pack(sound, verify=False) as pack:
        size = pack.location("README.txt")[1]
        for start, length in ((0, size + 1), (-1, 1), (size, 1), (0, -1)):
            with pytest.raises(ValueError, match="not within"):
                pack.read_range("README.txt", start, length)


def test_an_entry_that_is_not_there_is_an_error_that_names_it(sound):
    with open_pack(sound, verify=False) as pack:
        assert "avatar.png" not in pack
        for read in (pack.read, pack.array, pack.view, pack.location):
            with pytest.raises(DamagedPackError, match=r"has no avatar\.png"):
                read("avatar.png")


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("signed", [True, False])
def test_the_signature_state_is_told(tmp_path, verify, signed):
    path = write_plain_pack(tmp_path / "a.pack")
    before = open_pack(path, verify=True)
    before.close()
    if signed:
        sign(path, SIGNATURE)
    with open_pack(path, verify=verify) as pack:
        assert pack.signature_state == ("unchecked" if signed else "unsigned")
        assert pack.signature == (SIGNATURE if signed else None)
        assert pack.pack_id == before.pack_id


@pytest.mark.parametrize(
    "content",
    [
        b'{"algorithm":"ed25519","key":"a","signature":"b","x":1}',
        b'{"algorithm":"ed25519", "key":"a","signature":"b"}',
        b'{"algorithm":"ed25519","key":"a"}',
        b"",
        b"{" * 1000,
        b'{"algorithm":"ed25519","key":"a","signature":"' + b"b" * 1000 + b'"}',
    ],
)
def test_a_signature_of_another_form_is_refused(tmp_path, content):
    path = sign(write_plain_pack(tmp_path / "a.pack"), content)
    with pytest.raises(DamagedPackError):
        open_pack(path, verify=False)


# Flipping, deleting and inserting: every byte is either rebuilt from the manifest or covered by a checksum.

TAMPERING = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refuse(path, content):
    path.write_bytes(content)
    with pytest.raises(SatchelError) as caught:
        open_pack(path, verify=True)
    assert isinstance(caught.value, NotAPackError | DamagedPackError | NewerPackError)


@TAMPERING
@given(place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_flipping_any_byte_is_refused(sound, tmp_path, place, mask):
    content = bytearray(sound.read_bytes())
    content[int(place * len(content))] ^= mask
    refuse(tmp_path / "flipped.pack", content)


@TAMPERING
@given(place=st.floats(0, 1, exclude_max=True), length=st.integers(1, 5000))
def test_deleting_any_bytes_is_refused(sound, tmp_path, place, length):
    content = bytearray(sound.read_bytes())
    start = int(place * len(content))
    del content[start : start + length]
    refuse(tmp_path / "deleted.pack", content)


@TAMPERING
@given(place=st.floats(0, 1), inserted=st.binary(min_size=1, max_size=200))
def test_inserting_any_bytes_is_refused(sound, tmp_path, place, inserted):
    content = bytearray(sound.read_bytes())
    start = int(place * len(content))
    content[start:start] = inserted
    refuse(tmp_path / "inserted.pack", content)


@TAMPERING
@given(one=st.floats(0, 1, exclude_max=True), other=st.floats(0, 1, exclude_max=True), length=st.integers(1, 300))
def test_moving_bytes_is_refused(sound, tmp_path, one, other, length):
    before = sound.read_bytes()
    content = bytearray(before)
    start, target = int(one * len(content)), int(other * len(content))
    taken = content[start : start + length]
    del content[start : start + length]
    content[target:target] = taken
    if content != before:
        refuse(tmp_path / "moved.pack", content)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_other_file_is_refused(tmp_path, content):
    refuse(tmp_path / "other.pack", content)


def is_accepted(path):
    try:
        open_pack(path, verify=True).close()
    except SatchelError:
        return False
    return True


def test_every_single_byte_of_a_small_pack_counts(tmp_path):
    path = sign(write_plain_pack(tmp_path / "small.pack"), SIGNATURE)
    sound = path.read_bytes()
    accepted = []
    with path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(sound):
            os.pwrite(file.fileno(), bytes([byte ^ 1]), place)
            accepted += [place] if is_accepted(path) else []
            os.pwrite(file.fileno(), bytes([byte]), place)
    assert accepted == []
    assert is_accepted(path)


def test_every_length_of_a_small_pack_but_its_own_is_refused(tmp_path):
    path = sign(write_plain_pack(tmp_path / "small.pack"), SIGNATURE)
    accepted = []
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        accepted += [length] if is_accepted(path) else []
    assert accepted == []


def test_without_verifying_content_is_not_read_but_reading_it_checks_it(sound, tmp_path):
    with open_pack(sound, verify=False) as pack:
        offset, _ = pack.location("instructions.md")
    content = bytearray(sound.read_bytes())
    content[offset] ^= 1
    path = tmp_path / "a.pack"
    path.write_bytes(content)
    with open_pack(path, verify=False) as pack:
        with pytest.raises(DamagedPackError, match=r"instructions\.md does not match its checksum"):
            pack.read("instructions.md")
        assert pack.read("README.txt") == b"A Satchel pack.\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"hello", "it does not begin like one"),
        (b"PK\3\4" + bytes(100), "it is a ZIP file of another kind"),
        (b"PK\3\4", "it ends within its first entry"),
    ],
)
def test_what_is_no_pack_is_told_in_words(tmp_path, content, reason):
    path = tmp_path / "a.pack"
    path.write_bytes(content)
    with pytest.raises(NotAPackError, match=reason):
        open_pack(path, verify=False)


def test_a_zip_of_another_program_is_no_pack(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pack", "w") as archive:
        archive.writestr("manifest.json", "{}")
    with pytest.raises(NotAPackError, match="ZIP file of another kind"):
        open_pack(tmp_path / "a.pack", verify=False)


def test_a_pack_zipped_again_is_refused(sound, tmp_path):
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(tmp_path / "a.pack", "w") as target:
        for info in source.infolist():
            target.writestr(info, source.read(info))
    with pytest.raises(SatchelError):
        open_pack(tmp_path / "a.pack", verify=False)


@pytest.mark.parametrize("number", [2, 10, 2**40])
def test_a_pack_made_by_a_newer_version_says_so_and_how_to_go_on(tmp_path, number):
    path = forge_pack(
        tmp_path / "a.pack",
        manifest(),
        {},
        rewrite=lambda content: content.replace(b'"format":1', b'"format":%d,"new":true' % number),
    )
    with pytest.raises(NewerPackError) as caught:
        open_pack(path, verify=False)
    assert f"its pack format is {number}, this Satchel reads up to 1" in caught.value.message
    assert "Update Satchel" in caught.value.advice


def test_a_missing_file_a_folder_and_a_pipe_are_told_apart(tmp_path):
    with pytest.raises(UnreadablePackError, match="no such file"):
        open_pack(tmp_path / "nothing.pack", verify=False)
    with pytest.raises(UnreadablePackError, match="null"):
        open_pack(tmp_path / "a\0.pack", verify=False)
    with pytest.raises(NotAPackError, match="it is a folder"):
        open_pack(tmp_path, verify=False)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAPackError, match="no regular file"):
        open_pack(tmp_path / "pipe", verify=False)


def test_a_file_cut_short_after_opening_gives_an_error_when_it_is_read(tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    with open_pack(path, verify=False) as pack:
        os.truncate(path, 4000)
        with pytest.raises(PackChangedError, match="cut short"):
            pack.read(names.TEXT)
        with pytest.raises(PackChangedError, match="cut short"):
            pack.array(names.VECTORS_HIGH)


def test_an_array_of_another_type_is_refused_when_it_is_mapped(tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    contents = contents_of(path)
    contents[names.PASSAGES] = contents[names.BM25_LENGTHS]
    forged = forge_pack(tmp_path / "b.pack", knowing_manifest(), contents)
    with open_pack(forged, verify=True) as pack, pytest.raises(DamagedPackError, match=r"u4 \[n, 5\] is expected"):
        pack.array(names.PASSAGES)


def test_opening_without_verifying_imports_no_numpy(sound):
    done = run_python(
        "import sys; from pathlib import Path; from satchel.runtime.packfile.opener import open_pack\n"
        "with open_pack(Path(sys.argv[1]), verify=False) as pack: pack.read('README.txt'), pack.view('README.txt')\n"
        "heavy = {'numpy', 'torch', 'hypothesis', 'jinja2'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)",
        str(sound),
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("programs", "arguments"),
    [(["unzip"], ["-tq"]), (["7zz", "7z"], ["t"]), (["bsdtar"], ["-tvf"]), (["zipinfo"], ["-v"]), (["file"], [])],
)
def test_other_programs_read_a_pack(sound, programs, arguments):
    program = next(filter(None, map(shutil.which, programs)), None)
    if program is None:
        pytest.skip(f"{programs[0]} is not installed")
    done = subprocess.run([program, *arguments, sound], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_unzip_brings_out_the_very_contents(sound, tmp_path):
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    subprocess.run(["unzip", "-q", sound, "-d", tmp_path], check=True)
    with open_pack(sound, verify=True) as pack:
        for name in pack.names:
            assert (tmp_path / name).read_bytes() == pack.read(name)
    assert (tmp_path / "mimetype").read_bytes() == b"application/vnd.satchel.pack+zip"
