from __future__ import annotations

import json

import msgspec
import pytest
from helpers.packs import knowing_manifest, manifest

from satchel.runtime.packfile import canonical
from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.documents import (
    NewerFormatError,
    decode_files,
    decode_manifest,
    decode_page_labels,
    decode_signature,
    encode_files,
    encode_page_labels,
)
from satchel.runtime.packfile.schema_v1 import (
    Adapter,
    Entry,
    KnowledgeFile,
    ModelPreference,
    PageLabels,
    Signature,
    ToolUse,
)

HASH = "ab" * 32


def entry(name, size=1):
    return Entry(name=name, size=size, crc32="0" * 8, sha256=HASH)


def file(**changes):
    plain = KnowledgeFile(
        name="a.md",
        media_type="text/markdown",
        sha256=HASH,
        size=3,
        source="",
        bytes=3,
        characters=3,
        pages=0,
        language="en",
        trusted=False,
        public=False,
        problem="",
    )
    return msgspec.structs.replace(plain, **changes)


def spelled(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def changed(*path, to):
    """The bytes of a full manifest with one value replaced, or a key added."""
    full = knowing_manifest(
        models=(
            ModelPreference(
                name="SmolLM2", family="llama", parameters="135M", sha256="", source="", minimum_context=2048
            ),
        ),
        adapter=Adapter(sha256=HASH, source="hub"),
        tools=(ToolUse(name="web", settings={"on": True, "hosts": ("a",), "n": 3, "text": "x"}, requests=("net.x",)),),
        entries=(entry("README.txt"), entry("instructions.md")),
    )
    document = json.loads(canonical.encode(full))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return spelled(document)


def test_a_full_manifest_comes_back_as_it_was():
    content = changed("examples", to=2)
    assert canonical.encode(decode_manifest(content)) == content


def test_settings_of_a_tool_keep_their_types():
    settings = decode_manifest(changed("examples", to=0)).tools[0].settings
    assert settings == {"on": True, "hosts": ("a",), "n": 3, "text": "x"}
    assert settings["on"] is True
    assert type(settings["n"]) is int


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("identity", "id"), "6F1C5B1E-3C1D-4A52-9D5B-0F8E2A7C4B10", "identity.id"),
        (("identity", "id"), "6f1c5b1e-3c1d-4a52-9d5b-0f8e2a7c4b10\n", "identity.id"),
        (("identity", "name"), "", "identity.name"),
        (("identity", "name"), "Tide\ntutor", "identity.name"),
        (("identity", "name"), "Tide\u202etutor", "identity.name"),
        (("identity", "extra"), 1, "identity"),
        (("persona", "description"), "bell\x07", "persona.description"),
        (("persona", "starters"), ["a"] * 65, "persona.starters"),
        (("attribution",), None, "attribution"),
        (("examples",), -1, "examples"),
        (("examples",), 1.5, "examples"),
        (("models", 0, "sha256"), "AB" * 32, "models[0].sha256"),
        (("models", 0, "minimum_context"), 2**70, "models[0].minimum_context"),
        (("adapter", "sha256"), "", "adapter.sha256"),
        (("sampling", "temperature"), 0.2, "sampling.temperature"),
        (("sampling", "temperature"), "0.20", "sampling.temperature"),
        (("sampling", "temperature"), "-1", "sampling.temperature"),
        (("sampling", "top_p"), "1.5", "sampling.top_p"),
        (("sampling", "repeat_penalty"), "0", "sampling.repeat_penalty"),
        (("sampling", "seed"), 2**32, "sampling.seed"),
        (("retrieval", "gate"), "maybe", "retrieval.gate"),
        (("retrieval", "k"), 0, "retrieval.k"),
        (("retrieval", "overlap_tokens"), 200, "retrieval.overlap_tokens"),
        (("embedder", "dimension"), 0, "embedder.dimension"),
        (("embedder", "pooling"), "max", "embedder.pooling"),
        (("embedder", "weights_sha256"), "ab", "embedder.weights_sha256"),
        (("embedder", "max_tokens"), 0, "embedder.max_tokens"),
        (("analyser", "languages"), ["English"], "analyser.languages[0]"),
        (("tools", 0, "settings", "text"), "bell\x07", "tools[0].settings.text"),
        (("tools", 0, "settings", "text"), None, "tools[0].settings[...]"),
        (("tools", 0, "settings", "n"), 2**60, "tools[0].settings[...]"),
        (("tools", 0, "settings", "hosts"), [1], "tools[0].settings[...][0]"),
        (("tools", 0, "requests"), ["a\nb"], "tools[0].requests[0]"),
        (("entries", 1, "sha256"), HASH[:-1], "entries[1].sha256"),
        (("entries", 1, "crc32"), "0", "entries[1].crc32"),
        (("entries", 1, "size"), -1, "entries[1].size"),
        (("entries", 1, "size"), 2**32, "entries[1].size"),
        (("entries", 1, "size"), 2 << 20, "entries[1].size"),
        (("entries", 1, "name"), "README.txt", "entries[1].name"),
        (("entries", 1, "name"), "AAA", "entries[1].name"),
        (("entries", 1, "name"), "../x", "entries[1].name"),
        (("format",), 0, "format"),
        (("format",), "1", "format"),
        (("format",), True, "format"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named_with_its_path(path, value, place):
    with pytest.raises(SchemaError) as caught:
        decode_manifest(changed(*path, to=value))
    assert caught.value.place == place


def test_a_key_that_is_missing_is_named():
    document = json.loads(changed("examples", to=0))
    del document["persona"]["greeting"]
    with pytest.raises(SchemaError) as caught:
        decode_manifest(spelled(document))
    assert str(caught.value) == "persona: the key 'greeting' is missing"


def test_a_table_that_is_absent_is_no_empty_table():
    document = json.loads(canonical.encode(manifest()))
    del document["entries"]
    with pytest.raises(SchemaError, match="canonical form"):
        decode_manifest(spelled(document))


def test_names_that_differ_only_in_case_are_refused():
    entries = (entry("actions/A.openapi.json"), entry("actions/a.openapi.json"))
    with pytest.raises(SchemaError, match="differs from another only in case"):
        decode_manifest(canonical.encode(manifest(entries=entries)))


def test_names_out_of_order_are_refused():
    entries = (entry("instructions.md"), entry("README.txt"))
    with pytest.raises(SchemaError, match="is not after the name before it"):
        decode_manifest(canonical.encode(manifest(entries=entries)))


@pytest.mark.parametrize("content", [b'{"format":2}', b'{"format":2,"shape":{"new":[1]},"x":1.5}', b'{"format":99}'])
def test_a_newer_format_is_told_apart_from_damage(content):
    with pytest.raises(NewerFormatError):
        decode_manifest(content)


@pytest.mark.parametrize("content", [b'{"format":1}', b'{"format":0}', b'{"format":"2"}', b"{}", b"[]", b"\xff", b""])
def test_everything_else_is_damage(content):
    with pytest.raises(SchemaError):
        decode_manifest(content)


def test_files_come_back_as_they_were():
    files = (file(), file(name="b/c.pdf", pages=3, source="knowledge/sources/0002.pdf", problem="page 3: no text"))
    assert decode_files(encode_files(files)) == files


def test_pages_read_from_pictures_come_back_and_leave_no_trace_where_there_are_none():
    assert b"picture" not in encode_files((file(),))

    files = (file(pages=9, picture_pages=((1, 3), (5, 5))),)
    content = encode_files(files)
    assert decode_files(content) == files
    with pytest.raises(SchemaError, match="canonical"):
        decode_files(encode_files((file(),)).replace(b'"problem"', b'"picture_pages":[],"problem"'))


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ((file(pages=3, picture_pages=((2, 4),)),), "[0].picture_pages[0]"),
        ((file(pages=3, picture_pages=((3, 2),)),), "[0].picture_pages[0]"),
        ((file(pages=3, picture_pages=((1, 1), (2, 3))),), "[0].picture_pages[1]"),
        ((file(pages=9, picture_pages=((4, 5), (2, 2))),), "[0].picture_pages[1]"),
        ((file(pages=9, picture_pages=((0, 2),)),), "[0].picture_pages[0][0]"),
        ((file(), file(name="A.md")), "[1].name"),
        ((file(name="../a.md"),), "[0].name"),
        ((file(bytes=2),), "[0].characters"),
        ((file(bytes=13),), "[0].characters"),
        ((file(source="instructions.md"),), "[0].source"),
        ((file(source="knowledge/sources/0001"), file(name="b", source="knowledge/sources/0001")), "[1].source"),
        ((file(sha256="x"),), "[0].sha256"),
        ((file(language="German"),), "[0].language"),
        ((file(media_type="text"),), "[0].media_type"),
    ],
)
def test_what_is_wrong_in_files_json_is_named_with_its_path(files, place):
    with pytest.raises(SchemaError) as caught:
        encode_files(files)
    assert caught.value.place == place


def test_page_labels_come_back_as_they_were():
    rows = (PageLabels(file=0, labels=("iv", "1")), PageLabels(file=3, labels=("Sheet1",)))
    assert decode_page_labels(encode_page_labels(rows)) == rows


def test_page_labels_of_the_same_file_twice_are_refused():
    with pytest.raises(SchemaError, match="do not rise"):
        encode_page_labels((PageLabels(file=0, labels=()), PageLabels(file=0, labels=())))


def test_a_signature_has_exactly_three_keys():
    signature = Signature(algorithm="ed25519", key="abc", signature="def=")
    assert decode_signature(canonical.encode(signature)) == signature
    for content in (b'{"algorithm":"ed25519","key":"abc"}', b'{"algorithm":"a","key":"b","more":1,"signature":"c"}'):
        with pytest.raises(SchemaError):
            decode_signature(content)
