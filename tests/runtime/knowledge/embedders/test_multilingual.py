"""Languages that the default embedder was not made for: what is told, what still works, and the embedder for them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.languages import SENTENCES
from helpers.project_folders import write_project

from satchel.runtime.cli.main import main
from satchel.runtime.commands.index import index_project
from satchel.runtime.knowledge.checking import Evidence, check_answer
from satchel.runtime.knowledge.embedders.bundled import bundled_embedder
from satchel.runtime.knowledge.embedders.errors import EmbedderMissingError
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.multilingual import MULTILINGUAL, speaks
from satchel.runtime.knowledge.embedders.resolve import resolve_embedder, runnable_gguf
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint

GERMAN = """\
# Der Hafen

Das Fluttor schließt bei einem Wasserstand von 3,2 Metern. Die Schleusenwärterin heißt Wilma Janssen.

Diesel wird am östlichen Pier zwischen neun und fünf Uhr verkauft. Rauchen ist dort verboten.
"""
OWN = EmbedderFingerprint("somebody/model", "1" * 64, 8, "mean", 64)


@pytest.fixture
def german(tmp_path, stranger, monkeypatch):
    """A project whose one file is German, indexed with the default embedder."""
    monkeypatch.setenv("SATCHEL_HOME", str(tmp_path / "satchel"))
    (tmp_path / "satchel").mkdir()
    (tmp_path / "satchel" / "cache").symlink_to(stranger.cache)
    return write_project(tmp_path / "hafen", files={"knowledge/hafen.md": GERMAN})


def test_indexing_tells_that_the_embedder_was_not_made_for_the_language(german, stranger):
    (note,) = index_project(german, stranger).notes
    assert "all-MiniLM-L6-v2 was not made for German" in note
    assert "not checked" in note
    assert 'embedder = "multilingual"' in note


def test_a_german_question_is_answered_by_its_words_and_the_answer_says_that_it_was_not_checked(german, capsys):
    question = "Bei welchem Wasserstand schließt das Fluttor?"
    assert main(["run", str(german), question, "--json", "--model", "reader"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["found"]
    assert "3,2 Metern" in answer["sources"][0]["text"]
    assert answer["grounded"] is None
    warnings = {warning["kind"]: warning["text"] for warning in answer["warnings"]}
    assert "not checked: hafen.md (German)" in warnings["not-checked"]


def test_a_german_answer_gets_no_verdict_and_is_told_to_be_german():
    said = "Das Fluttor schließt bei einem Wasserstand von 3,2 Metern. Die Schleusenwärterin heißt Wilma Janssen."
    for passages in ([Evidence(GERMAN, "de")], [Evidence("The gate closes.", "en")], []):
        check = check_answer(said, passages)
        assert (check.sentences, check.not_checked) == ((), "German")


def test_an_english_answer_from_german_passages_gets_no_verdict():
    check = check_answer("The flood gate closes at a water level of 3.2 metres.", [Evidence(GERMAN, "de")])
    assert (check.sentences, check.not_checked) == ((), "German")


def test_who_speaks_what():
    default = bundled_embedder().fingerprint
    multilingual = EmbedderFingerprint("any name", MULTILINGUAL.weights_sha256, 384, "mean", 512)
    assert [speaks(default, language) for language in ("en", "de", "zh", "")] == [True, False, False, True]
    assert [speaks(multilingual, language) for language in ("en", "de", "zh", "xx")] == [True, True, True, False]
    assert speaks(OWN, "de")
    assert MULTILINGUAL.languages > set(SENTENCES) - {"no"}


def test_a_project_that_asks_for_the_multilingual_one_is_told_how_to_get_it(tmp_path, stranger, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    settings = '[knowledge]\nembedder = "multilingual"\n'
    folder = write_project(tmp_path / "hafen", settings=settings, files={"knowledge/hafen.md": GERMAN})
    with pytest.raises(EmbedderMissingError) as caught:
        index_project(folder, stranger)
    assert MULTILINGUAL.name in caught.value.message
    assert f"hf download {MULTILINGUAL.name} --revision {MULTILINGUAL.revision}" in caught.value.advice


@pytest.fixture(scope="module")
def multilingual(embedders_home):
    """The real one, where a person has downloaded it."""
    try:
        resolved = resolve_embedder("multilingual", embedders_home)
    except EmbedderMissingError as error:
        pytest.skip(f"its weights (471 MB) are not on this machine: {error.advice}")
    embedder = LlamaEmbedder(runnable_gguf(resolved, embedders_home))
    yield embedder
    embedder.close()


def test_german_and_english_questions_find_the_same_passages(multilingual):
    assert multilingual.fingerprint.weights_sha256 == MULTILINGUAL.weights_sha256
    passages = [
        "Das Fluttor schließt bei einem Wasserstand von 3,2 Metern.",
        "Diesel wird am östlichen Pier zwischen neun und fünf Uhr verkauft.",
        "The library lends books for four weeks.",
        "Spring tides come at full moon and at new moon.",
    ]
    questions = [
        ("At what water level does the flood gate close?", 0),
        ("Bei welchem Wasserstand schließt das Fluttor?", 0),
        ("Where is diesel sold?", 1),
        ("Wo gibt es Diesel?", 1),
        ("Wie lange darf man Bücher ausleihen?", 2),
        ("When are spring tides?", 3),
        ("Wann sind Springfluten?", 3),
    ]
    vectors = multilingual.embed_passages(passages)
    for question, expected in questions:
        assert int(np.argmax(vectors @ multilingual.embed_query(question))) == expected, question
