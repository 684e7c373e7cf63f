from __future__ import annotations

import msgspec
import numpy as np
import pytest
from helpers.packs import (
    contents_of,
    forge_pack,
    knowing_manifest,
    knowledge_entries,
    manifest,
    plain_entries,
    vector_entries,
    write_knowing_pack,
    write_plain_pack,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from satchel.runtime.packfile import names
from satchel.runtime.packfile.arrays import ARRAY_TYPES, HEADER_BYTES, build_header
from satchel.runtime.packfile.documents import decode_files, encode_files, encode_page_labels
from satchel.runtime.packfile.errors import DamagedPackError, PackContentError
from satchel.runtime.packfile.knowledge_check import KnowledgeCounts, check_knowledge, read_page_labels
from satchel.runtime.packfile.limits import PASSAGE_CHARACTERS
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import PageLabels
from satchel.runtime.packfile.writer import write_pack


@pytest.fixture
def contents(tmp_path):
    """The entries of a sound pack, for a test to spoil one of them."""
    return contents_of(write_knowing_pack(tmp_path / "sound.pack"))


def array_of(contents, name):
    array = np.frombuffer(contents[name][HEADER_BYTES:], ARRAY_TYPES[name].descr)
    columns = ARRAY_TYPES[name].columns
    return array.reshape(-1, columns or 8).copy() if columns is not None else array.copy()


def content_of(name, array):
    array = np.ascontiguousarray(array, ARRAY_TYPES[name].descr)
    return build_header(ARRAY_TYPES[name].descr, array.shape) + array.tobytes()


def refusal(tmp_path, contents, **changes):
    path = forge_pack(tmp_path / "spoiled.pack", knowing_manifest(**changes), dict(sorted(contents.items())))
    with open_pack(path, verify=True) as pack, pytest.raises(DamagedPackError) as caught:
        check_knowledge(pack)
    return caught.value.fields["reason"]


def test_a_sound_pack_is_counted(tmp_path):
    with open_pack(write_knowing_pack(tmp_path / "a.pack"), verify=True) as pack:
        counts = check_knowledge(pack)
    assert counts == KnowledgeCounts(
        files=2, pages=0, characters=177, passages=4, dimension=8, terms=counts.terms, postings=counts.postings
    )
    assert counts.postings >= counts.terms > 20


def test_a_pack_that_knows_nothing_is_sound(tmp_path):
    with open_pack(write_plain_pack(tmp_path / "a.pack"), verify=True) as pack:
        assert check_knowledge(pack) == KnowledgeCounts()


def test_vectors_may_be_absent_and_keywords_may_not(tmp_path):
    entries = plain_entries() | knowledge_entries()
    without = {name: content for name, content in entries.items() if name not in names.VECTOR_ENTRIES}
    write_pack(tmp_path / "a.pack", knowing_manifest(embedder=None), without.items())
    without = {name: content for name, content in entries.items() if name not in names.BM25_ENTRIES}
    with pytest.raises(PackContentError, match=r"bm25/terms\.utf8: it is missing, though there is other knowledge"):
        write_pack(tmp_path / "b.pack", knowing_manifest(analyser=None), without.items())


@pytest.mark.parametrize("name", [names.FILES, names.TEXT, names.PASSAGES, *names.VECTOR_ENTRIES, *names.BM25_ENTRIES])
def test_a_part_that_is_missing_is_named(tmp_path, contents, name):
    del contents[name]
    assert refusal(tmp_path, contents) == f"{name}: it is missing, though there is other knowledge"


def test_the_longest_passage_there_may_be_is_accepted_and_one_character_more_is_not(tmp_path):
    for character in ("a", "😀"):
        longest = {"a.txt": character * PASSAGE_CHARACTERS}
        with open_pack(write_knowing_pack(tmp_path / "a.pack", longest), verify=True) as pack:
            assert check_knowledge(pack).passages == 1
        with pytest.raises(PackContentError, match=r"passages\.npy: row 0 is empty, longer than 16,384 characters"):
            write_knowing_pack(tmp_path / "b.pack", {"a.txt": character * (PASSAGE_CHARACTERS + 1)})


def test_vectors_need_an_embedder_and_terms_an_analyser(tmp_path, contents):
    assert "names no embedder" in refusal(tmp_path, contents, embedder=None)
    assert "names no analyser" in refusal(tmp_path, contents, analyser=None)


def test_a_manifest_that_names_an_embedder_needs_vectors(tmp_path, contents):
    left = {name: content for name, content in contents.items() if name not in names.VECTOR_ENTRIES}
    assert refusal(tmp_path, left) == f"{names.VECTORS_HIGH}: it is missing, though the manifest names an embedder"


def test_a_persona_alone_names_neither_embedder_nor_analyser(tmp_path, contents):
    left = {name: content for name, content in contents.items() if not name.startswith("knowledge/")}
    assert "though the manifest names an embedder" in refusal(tmp_path, left, analyser=None)
    assert "though the manifest names an analyser" in refusal(tmp_path, left, embedder=None)


def test_vectors_of_another_dimension_are_refused(tmp_path, contents):
    embedder = msgspec.structs.replace(knowing_manifest().embedder, dimension=384)
    assert refusal(tmp_path, contents, embedder=embedder) == (
        "knowledge/vectors/high.npy: its shape is [4, 8], and [4, 384] is expected"
    )


# One value spoiled at a time: (entry, row, column or None, new value, what is said).
SPOILED = [
    (names.PASSAGES, (0, 0), 7, "passages.npy: row 0 is of no file: there are 2"),
    (names.PASSAGES, (0, 0), 2**32 - 1, "passages.npy: row 0 is of no file: there are 2"),
    (names.PASSAGES, (1, 0), 1, "passages.npy: row 1 begins outside its file"),
    (names.PASSAGES, (1, 1), 2**32 - 1, "passages.npy: row 1 begins outside its file"),
    (names.PASSAGES, (0, 1), 26, "passages.npy: row 1 begins before the one before"),
    (names.PASSAGES, (0, 2), 0, "passages.npy: row 0 is empty"),
    (
        names.PASSAGES,
        (0, 2),
        93,
        "passages.npy: row 0 is empty, longer than 16,384 characters, or ends outside its file",
    ),
    (names.PASSAGES, (0, 2), 2**32 - 1, "passages.npy: row 0 is empty"),
    (names.PASSAGES, (0, 3), 1, "passages.npy: row 0 has other characters than bytes"),
    (names.PASSAGES, (0, 4), 22, "passages.npy: row 0 has other characters than bytes"),
    (names.PASSAGES, (3, 1), 129, "passages.npy: row 3 is not at the border of a character"),
    (names.PASSAGES, (3, 3), 88, "passages.npy: row 3 is empty"),
    (names.VECTORS_HIGH, (2, 3), -128, "high.npy: row 2 holds -128"),
    (names.VECTORS_LOW, (3, 0), -128, "low.npy: row 3 holds -128"),
    (names.VECTORS_HIGH, (0, slice(None)), 0, "scale.npy: row 0 does not give a unit vector"),
    (names.VECTORS_SCALE, (1,), np.nan, "scale.npy: row 1 is not finite, or negative"),
    (names.VECTORS_SCALE, (1,), np.inf, "scale.npy: row 1 is not finite, or negative"),
    (names.VECTORS_SCALE, (3,), -1, "scale.npy: row 3 is not finite, or negative"),
    (names.VECTORS_SCALE, (3,), 0, "scale.npy: row 3 does not give a unit vector"),
    (names.VECTORS_SCALE, (3,), 1e30, "scale.npy: row 3 does not give a unit vector"),
    (names.BM25_TERM_STARTS, (0,), 1, "term_starts.npy: row 0 is not 0"),
    (names.BM25_TERM_STARTS, (2,), 2**32 - 1, "term_starts.npy: row 3 is not above the one before"),
    (names.BM25_TERM_STARTS, (2,), 0, "term_starts.npy: row 2 is not above the one before"),
    (names.BM25_TERM_STARTS, (-1,), 10**6, "what it counts ends at"),
    (names.BM25_POSTINGS, (0,), 1, "postings.npy: row 0 is not 0"),
    (names.BM25_POSTINGS, (1,), 0, "postings.npy: row 1 is not above the one before"),
    (names.BM25_POSTINGS, (1,), 2**64 - 1, "postings.npy: row 2 is not above the one before"),
    (names.BM25_POSTINGS, (-1,), 2**64 - 1, "what it counts ends at"),
    (names.BM25_PASSAGES, (0,), 4, "passages.npy: row 0 is past the 4 passages"),
    (names.BM25_PASSAGES, (-1,), 2**32 - 1, "is past the 4 passages"),
    (names.BM25_COUNTS, (5,), 0, "counts.npy: row 5 is 0"),
]


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_value_out_of_bounds_is_named_with_its_row(tmp_path, contents, spoiled):
    name, place, value, reason = spoiled
    array = array_of(contents, name)
    array[place] = value
    contents[name] = content_of(name, array)
    assert reason in refusal(tmp_path, contents)


@pytest.mark.parametrize("name", [*names.VECTOR_ENTRIES, *names.BM25_ENTRIES[1:]])
def test_an_array_that_is_too_short_is_refused(tmp_path, contents, name):
    contents[name] = content_of(name, array_of(contents, name)[:-1])
    assert "is expected" in refusal(tmp_path, contents) or "ends at" in refusal(tmp_path, contents)


def test_postings_that_fall_within_a_term_are_refused(tmp_path, contents):
    starts, passages = array_of(contents, names.BM25_POSTINGS), array_of(contents, names.BM25_PASSAGES)
    long = int(np.flatnonzero(np.diff(starts.astype(np.int64)) > 1)[0])
    first = int(starts[long])
    passages[[first, first + 1]] = passages[[first + 1, first]]
    contents[names.BM25_PASSAGES] = content_of(names.BM25_PASSAGES, passages)
    assert f"row {first + 1} is not above the one before in its term" in refusal(tmp_path, contents)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"a", b"z", "is not after the one before"),
        (b"moon", b"mo\xffn", "is no valid UTF-8"),
        ("fällt".encode(), b"adieux", "is not after the one before"),
    ],
)
def test_terms_that_are_unsorted_or_no_utf8_are_refused(tmp_path, contents, old, new, reason):
    assert old in contents[names.BM25_TERMS]
    contents[names.BM25_TERMS] = contents[names.BM25_TERMS].replace(old, new, 1)
    assert reason in refusal(tmp_path, contents)


def test_a_term_that_ends_within_a_character_is_refused(tmp_path, contents):
    starts = array_of(contents, names.BM25_TERM_STARTS)
    place = contents[names.BM25_TERMS].index("ällt".encode())
    starts[np.searchsorted(starts, place, side="right")] = place + 1
    contents[names.BM25_TERM_STARTS] = content_of(names.BM25_TERM_STARTS, starts)
    assert "is no valid UTF-8" in refusal(tmp_path, contents)


@pytest.mark.parametrize(
    ("place", "byte", "reason"),
    [
        (10, b"\xff", "no valid UTF-8 near byte"),
        (10, b"\0", "byte 10 is NUL"),
        (185, b"\xc3", "no valid UTF-8 near byte"),
        (91, b"\xe2", "no valid UTF-8 near byte"),
    ],
)
def test_text_that_is_no_utf8_is_refused(tmp_path, contents, place, byte, reason):
    text = contents[names.TEXT]
    contents[names.TEXT] = text[:place] + byte + text[place + 1 :]
    assert reason in refusal(tmp_path, contents)


def with_files(contents, **changes):
    files = decode_files(contents[names.FILES])
    contents[names.FILES] = encode_files((msgspec.structs.replace(files[0], **changes), *files[1:]))
    return contents


def test_a_file_that_claims_other_sizes_is_refused(tmp_path, contents):
    assert "it has 186 bytes, and the files have 187" in refusal(tmp_path, with_files(contents, bytes=93))


def test_characters_that_are_counted_wrong_are_refused(tmp_path, contents):
    assert "files.json: row 0 has another number of characters" in refusal(
        tmp_path, with_files(contents, characters=89)
    )


def test_files_whose_border_splits_a_character_are_refused(tmp_path, contents):
    first, second = decode_files(contents[names.FILES])
    text = contents[names.TEXT]
    split = text.index("ä".encode()) + 1 if "ä".encode() in text else text.index("ö".encode()) + 1
    files = (
        msgspec.structs.replace(first, bytes=split, characters=split - 2),
        msgspec.structs.replace(second, bytes=len(text) - split, characters=len(text.decode()) - split + 2),
    )
    contents[names.FILES] = encode_files(files)
    del contents[names.PASSAGES]
    contents[names.PASSAGES] = content_of(names.PASSAGES, np.zeros((0, 5)))
    for name, content in (vector_entries(0) | {names.BM25_LENGTHS: np.zeros(0)}).items():
        contents[name] = content_of(name, content)
    assert "files.json: row 1 is not at the border of a character" in refusal(tmp_path, contents)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": "knowledge/sources/0009.md"}, "[0].source: there is no entry knowledge/sources/0009.md"),
        ({"source": ""}, "knowledge/sources/0001.md: no file has it as its source"),
        ({"sha256": "00" * 32}, "[0].sha256: knowledge/sources/0001.md has another content"),
        ({"size": 1}, "[0].sha256: knowledge/sources/0001.md has another content"),
        ({"pages": 2}, "knowledge/pages.npy: it has 0 pages, and the files have 2"),
    ],
)
def test_files_and_entries_must_agree(tmp_path, contents, changes, reason):
    assert reason in refusal(tmp_path, with_files(contents, **changes))


# Pages

PAGED = {
    "a.pdf": "Page one.\nPage two is longer — by a bit.\nThree.",
    "plain.md": "No pages here.",
    "b.pdf": "Größe.\nEnde.",
}


TEXT = "".join(PAGED.values()).encode()
SECOND_FILE = len(PAGED["a.pdf"].encode())
SPLIT = TEXT.index("ö".encode()) + 1


def paged_entries(rows=((0, 0), (0, 10), (0, 43), (2, 64), (2, 73)), labels=None):
    entries = plain_entries() | knowledge_entries(PAGED)
    files = decode_files(entries[names.FILES])
    counts = [sum(1 for file, _ in rows if file == number) for number in range(3)]
    entries[names.FILES] = encode_files(
        tuple(msgspec.structs.replace(file, pages=count) for file, count in zip(files, counts, strict=True))
    )
    entries[names.PAGES] = np.array(rows, np.uint32).reshape(-1, 2)
    if labels is not None:
        entries[names.PAGE_LABELS] = encode_page_labels(labels)
    return entries


def paged_refusal(tmp_path, entries):
    contents = {
        name: content_of(name, content) if isinstance(content, np.ndarray) else content
        for name, content in entries.items()
    }
    return refusal(tmp_path, contents)


def test_pages_and_their_labels_are_accepted(tmp_path):
    labels = (PageLabels(file=0, labels=("iv", "v", "1")), PageLabels(file=2, labels=("A", "B")))
    path = write_pack(tmp_path / "a.pack", knowing_manifest(), paged_entries(labels=labels).items()).path
    with open_pack(path, verify=True) as pack:
        assert check_knowledge(pack).pages == 5
        assert read_page_labels(pack) == labels


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (((0, 0), (0, 10), (0, 9)), "pages.npy: row 2 begins before the one before"),
        (((0, 0), (2, 64), (0, 43)), "pages.npy: row 2 begins before the one before"),
        (((0, 0), (0, 60)), "pages.npy: row 1 begins outside its file"),
        (((0, 0), (2, SPLIT)), "pages.npy: row 1 is not at the border of a character"),
        (((2, 2**32 - 1),), "pages.npy: row 0 begins outside its file"),
    ],
)
def test_pages_out_of_place_are_refused(tmp_path, rows, reason):
    assert reason in paged_refusal(tmp_path, paged_entries(rows))


def test_pages_of_another_file_than_said_are_refused(tmp_path):
    entries = paged_entries()
    entries[names.PAGES][3] = (1, SECOND_FILE)
    assert "pages.npy: row 1 (file): it has 1 pages, and 0 are said" in paged_refusal(tmp_path, entries)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ((PageLabels(file=0, labels=("iv",)),), "[0].labels: they are not one a page"),
        ((PageLabels(file=3, labels=()),), "[0].file: there is no file 3"),
    ],
)
def test_labels_that_fit_no_file_are_refused(tmp_path, labels, reason):
    assert reason in paged_refusal(tmp_path, paged_entries(labels=labels))


# Longer than one window and one piece


@pytest.fixture(scope="module")
def long_contents(tmp_path_factory):
    """Three files of 5 MiB in all, of characters of one to four bytes, with 60,000 passages and as many postings."""
    paragraph = "Ebbe und Flut — größer als 😀 gedacht, sagt der Hafenmeister von Emden"
    texts = {f"{number}.md": "\n\n".join(f"{paragraph} {number}.{row}" for row in range(20_000)) for number in range(3)}
    return contents_of(write_knowing_pack(tmp_path_factory.mktemp("long") / "long.pack", texts))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_wrong_value_among_60000_is_found_in_whichever_window_it_lies(tmp_path, long_contents, data):
    contents = dict(long_contents)
    name, columns = data.draw(
        st.sampled_from([(names.PASSAGES, (1, 2, 3, 4)), (names.BM25_PASSAGES, None), (names.VECTORS_SCALE, None)])
    )
    array = array_of(contents, name)
    row = data.draw(st.integers(0, len(array) - 1))
    if name == names.BM25_PASSAGES:
        array[row] = 60_000
    elif name == names.VECTORS_SCALE:
        array[row] *= 1.5
    else:
        array[row, data.draw(st.sampled_from(columns))] += 1
    contents[name] = content_of(name, array)
    assert f"row {row} " in refusal(tmp_path, contents) or name == names.PASSAGES


def test_checking_text_of_many_windows_takes_bounded_memory(tmp_path, long_contents):
    import tracemalloc

    path = forge_pack(tmp_path / "a.pack", knowing_manifest(), long_contents)
    with open_pack(path, verify=False) as pack:
        tracemalloc.start()
        counts = check_knowledge(pack)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert counts.passages == 60_000
    assert peak < 64 << 20


def test_a_manifest_without_knowledge_keys_may_not_carry_knowledge(tmp_path, contents):
    path = forge_pack(tmp_path / "a.pack", manifest(), contents)
    with open_pack(path, verify=True) as pack, pytest.raises(DamagedPackError):
        check_knowledge(pack)
