"""The optional rerank: the Reader reads twice as many passages as are wanted, and its word decides the order."""

from __future__ import annotations

from pathlib import Path

import pytest

from satchel.runtime.knowledge.answers import FoundPassage
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.paths import Home

PACK = Path(__file__).parents[3] / "packs" / "astronomy-tutor.pack"
QUESTION = "When was the neutrino first detected?"
K = 4


def found(home: Home, *, rerank: bool, k: int = K) -> tuple[FoundPassage, ...]:
    client = KnowledgeClient(KnowledgeRequest(PackStore(home).verify_once(PACK), home, "auto", rerank=rerank))
    try:
        return client.ask(QUESTION, k=k, quote=False).passages
    finally:
        client.close()


def test_the_passage_with_the_answer_comes_first_and_all_come_from_twice_as_many(home: Home) -> None:
    reranked = found(home, rerank=True)
    candidates = found(home, rerank=False, k=2 * K)
    assert "not detected until 1956" in reranked[0].text
    assert len(reranked) == K
    places = {(passage.file, passage.start) for passage in candidates}
    assert {(passage.file, passage.start) for passage in reranked} <= places


def test_a_question_that_the_files_do_not_answer_stays_without_passages(home: Home) -> None:
    client = KnowledgeClient(KnowledgeRequest(PackStore(home).verify_once(PACK), home, "auto", rerank=True))
    try:
        assert client.ask("Which flour is best for a sourdough bread?", k=K, quote=True).quotations == ()
    finally:
        client.close()


@pytest.mark.parametrize("rerank", [False, True])
def test_quotes_are_the_same_words_either_way(home: Home, rerank: bool) -> None:
    client = KnowledgeClient(KnowledgeRequest(PackStore(home).verify_once(PACK), home, "auto", rerank=rerank))
    try:
        assert client.ask(QUESTION, k=K, quote=True).quotations[0].answer == "1956"
    finally:
        client.close()
