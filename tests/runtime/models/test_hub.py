"""What is asked of a hub and how its answers are taken: names, sizes, hashes, licence, refusals."""

from __future__ import annotations

import json

import pytest
from helpers.local_hub import REPOSITORY, LocalHub

from satchel.runtime.models.errors import (
    GatedModelError,
    HubFailedError,
    HubUnreachableError,
    NotOnHubError,
    UnverifiableFileError,
    WrongReferenceError,
)
from satchel.runtime.models.hub import HubReference, RemoteModel, look_up, parse_reference
from satchel.runtime.models.transfer import Endpoint


def ask(hub: LocalHub, file: str = "a.gguf", repository: str = REPOSITORY) -> RemoteModel:
    return look_up(HubReference(repository, file), [Endpoint(hub.url)])


@pytest.mark.parametrize(
    ("text", "repository", "file"),
    [
        ("hub:Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf", "Qwen/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf"),
        ("hub:o/r.x/sub folder/a.GGUF", "o/r.x", "sub folder/a.GGUF"),
        ("hub:owner/repository", "owner/repository", ""),
        ("https://huggingface.co/o/r/blob/main/a.gguf", "o/r", "a.gguf"),
        ("https://hub.example/o/r/resolve/0f/Q4%20x/a.gguf?download=true", "o/r", "Q4 x/a.gguf"),
    ],
)
def test_a_file_is_named_by_its_repository_or_its_address(text, repository, file):
    assert parse_reference(text) == HubReference(repository, file)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hub:", "'' is no OWNER/REPOSITORY"),
        ("hub:alone", "'alone' is no OWNER/REPOSITORY"),
        ("hub:../../etc/x.gguf", "'../..' is no OWNER/REPOSITORY"),
        ("hub:o/..r/x.gguf", "is no OWNER/REPOSITORY"),
        ("hub:o/r/../../x.gguf", "'..' cannot be a name"),
        ("hub:o/r//x.gguf", "'' cannot be a name"),
        ("hub:o/r/a\\b.gguf", "cannot be a name"),
        ("hub:o/r/a\x1b[2Jb.gguf", "cannot be a name"),
        ("hub:o/r/C:x.gguf", "cannot be a name"),
        ("hub:o/r/ x.gguf", "cannot be a name"),
        ("hub:o/r/model.safetensors", "only .gguf files"),
        ("https://huggingface.co/o/r", "it is no address of one file"),
        ("https://huggingface.co/o/r/blob/main/..%2F..%2Fx.gguf", "'..' cannot be a name"),
    ],
)
def test_what_names_no_file_is_refused_with_its_reason(text, reason):
    with pytest.raises(WrongReferenceError) as caught:
        parse_reference(text)

    assert reason in caught.value.message
    assert caught.value.exit_code == 2


def test_the_hub_tells_size_hash_licence_and_commit(hub):
    sha256 = hub.add("a.gguf", b"x" * 100)
    found = ask(hub)

    assert (found.size, found.licence, found.commit) == (100, "apache-2.0", hub.commit())
    assert [(file.name, file.sha256) for file in found.files] == [("a.gguf", sha256)]
    assert found.page == f"{hub.url}/{REPOSITORY}"
    assert hub.paths("hub") == [f"/api/models/{REPOSITORY}/revision/main?blobs=true"]


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ({"license": "other", "license_name": "llama3.2"}, "llama3.2"),
        ({"license": "other"}, "other"),
        ({"license": ["mit", "apache-2.0"]}, "mit, apache-2.0"),
        ({}, "mit"),  # the repository's tag
        (None, "mit"),
        ("no card", "mit"),
        ({"license": 7}, "mit"),
    ],
)
def test_a_licence_is_read_from_the_card_or_the_tags(hub, card, licence):
    hub.add("a.gguf", b"x")
    hub.card = card

    assert ask(hub).licence == licence


def test_any_part_of_a_split_model_stands_for_all(hub):
    for number in (1, 2, 3):
        hub.add(f"big/m-Q8_0-{number:05}-of-00003.gguf", b"x" * number)

    found = ask(hub, "big/m-Q8_0-00002-of-00003.gguf")
    assert [file.size for file in found.files] == [1, 2, 3]
    assert found.size == 6


def test_a_part_that_the_hub_lacks_is_named(hub):
    hub.add("m-00001-of-00002.gguf", b"x")

    with pytest.raises(NotOnHubError, match=r"has no file m-00002-of-00002\.gguf in maker/Tiny-GGUF"):
        ask(hub, "m-00001-of-00002.gguf")


def test_a_misspelt_file_is_told_with_the_nearest_ones(hub):
    for name in ("Tiny-Q4_K_M.gguf", "Tiny-Q8_0.gguf", "other.gguf"):
        hub.add(name, b"x")

    with pytest.raises(NotOnHubError, match=r"has no file Tiny-Q4_K_S\.gguf") as caught:
        ask(hub, "Tiny-Q4_K_S.gguf")
    assert caught.value.advice == "Its models nearest to that name: Tiny-Q4_K_M.gguf, Tiny-Q8_0.gguf."
    assert caught.value.exit_code == 42


def test_a_repository_alone_is_told_with_what_it_holds(hub):
    for name in ("b.gguf", "a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "mmproj-F16.gguf"):
        hub.add(name, b"x")

    with pytest.raises(WrongReferenceError, match=r"which holds a-00001-of-00002\.gguf, b\.gguf"):
        ask(hub, "")


def test_a_repository_without_models_says_so(hub):
    hub.files[REPOSITORY] = {}

    with pytest.raises(NotOnHubError) as caught:
        ask(hub)
    assert caught.value.advice == "It holds no .gguf file at all."
    with pytest.raises(WrongReferenceError, match=r"which holds no \.gguf file"):
        ask(hub, "")


def test_a_repository_that_is_not_there_is_no_question_of_logging_in(hub):
    """The hub answers 401 for what does not exist."""
    with pytest.raises(NotOnHubError, match="has no public repository no/body"):
        ask(hub, repository="no/body")


def test_a_renamed_repository_is_followed(hub):
    hub.add("a.gguf", b"x", "new/name")
    hub.rules.renamed_to = "new/name"
    token = Endpoint(hub.url, "hf_x")

    assert look_up(HubReference("old/name", "a.gguf"), [token]).size == 1
    assert [asked.headers.get("Authorization") for asked in hub.asked] == ["Bearer hf_x", "Bearer hf_x"]


@pytest.mark.parametrize(("status", "code"), [(403, "GatedRepo"), (401, "GatedRepo"), (403, "")])
def test_a_gated_repository_names_the_page_and_the_token(hub, status, code):
    hub.rules.error = (status, code)

    with pytest.raises(GatedModelError) as caught:
        ask(hub)
    assert f"{hub.url}/{REPOSITORY}" in caught.value.advice


def test_a_file_without_a_hash_is_not_taken(hub):
    hub.add("a.gguf", b"x")
    hub.rules.tells_no_hash = True

    with pytest.raises(UnverifiableFileError, match=r"tells no SHA-256 of a\.gguf"):
        ask(hub)


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>Log in to the hotel's network</html>",
        b"{}",
        b"[" * 100_000,
        json.dumps({"id": "x", "sha": "../..", "siblings": []}).encode(),
        json.dumps(
            {"id": "x", "sha": "0" * 40, "siblings": [{"rfilename": "a.gguf", "lfs": {"sha256": "x", "size": 1}}]}
        ).encode(),
        json.dumps(
            {"id": "x", "sha": "0" * 40, "siblings": [{"rfilename": "a.gguf", "lfs": {"sha256": "0" * 64, "size": -1}}]}
        ).encode(),
    ],
)
def test_an_answer_that_is_not_a_hubs_is_told(hub, answer):
    hub.add("a.gguf", b"x")
    hub.rules.answer = answer

    with pytest.raises(HubFailedError, match="its answer is not a hub's"):
        ask(hub)


def test_the_first_endpoint_that_answers_counts(hub, mirror):
    mirror.add("a.gguf", b"x" * 7)
    dead, live = Endpoint("http://127.0.0.1:9"), Endpoint(mirror.url + "/")

    found = look_up(HubReference(REPOSITORY, "a.gguf"), [dead, Endpoint(hub.url), live])
    assert (found.size, found.endpoint) == (7, live)
    assert found.page == f"{mirror.url}/{REPOSITORY}"


def test_of_several_failures_the_one_that_says_most_is_told(hub):
    dead = Endpoint("http://127.0.0.1:9")

    with pytest.raises(NotOnHubError):
        look_up(HubReference(REPOSITORY, "a.gguf"), [dead, Endpoint(hub.url)])
    with pytest.raises(HubUnreachableError, match="it refuses the connection"):
        look_up(HubReference(REPOSITORY, "a.gguf"), [dead, dead])


def test_a_name_that_nobody_has_is_told_as_a_missing_network():
    with pytest.raises(HubUnreachableError, match="its name cannot be resolved") as caught:
        look_up(HubReference(REPOSITORY, "a.gguf"), [Endpoint("http://hub.invalid")])

    assert "hub_endpoints" in caught.value.advice
    assert caught.value.exit_code == 66
