"""Which sentences of an answer the passages hold."""

from __future__ import annotations

from satchel.runtime.knowledge.checking import Evidence, check_answer

GATE = Evidence("The flood gate closes at a water level of 3.2 metres. The lock keeper is Wilma Janssen.", "en")
FUEL = Evidence("Diesel is sold at the eastern pier between nine and five. Smoking there is forbidden.", "en")
TIDE = Evidence("Das Sperrwerk schließt bei einem Wasserstand von 3,2 Metern über Normalnull.", "de")


def verdicts(answer: str, *passages: Evidence) -> list[tuple[str, str, int | None]]:
    """Return each checked sentence, its verdict and the passage."""
    return [(answer[one.start : one.end], one.verdict, one.passage) for one in check_answer(answer, passages).sentences]


def test_each_sentence_is_laid_beside_the_passages():
    answer = (
        "The flood gate closes at 3.2 metres [1]. Diesel is sold at the western pier [2]. Sailing lessons begin in May."
    )

    assert verdicts(answer, GATE, FUEL) == [
        ("The flood gate closes at 3.2 metres [1].", "supported", 0),
        ("Diesel is sold at the western pier [2].", "supported", 1),
        ("Sailing lessons begin in May.", "not_found", None),
    ]


def test_another_number_or_name_is_a_contradiction_that_names_it():
    (number,) = check_answer("The flood gate closes at a water level of 5.2 metres.", [FUEL, GATE]).sentences
    (name,) = check_answer("The lock keeper is Peter Smit.", [FUEL, GATE]).sentences

    assert (number.verdict, number.passage, number.differing) == ("contradicted", 1, ("5.2",))
    assert (name.verdict, name.passage, name.differing) == ("contradicted", 1, ("Peter Smit",))


def test_what_states_nothing_is_left_out():
    answer = """\
# The gate

Sure! Here is what I found:

- The flood gate closes at 3.2 metres. [1]

```python
gate.close(level=9.9)
```

Does that help? I hope that the harbour pleases you."""

    assert verdicts(answer, GATE) == [("The flood gate closes at 3.2 metres.", "supported", 0)]


def test_an_answer_in_a_language_that_the_check_was_not_measured_on_gets_no_verdict():
    check = check_answer("Das Tor schließt bei einem Wasserstand von neun Metern, und zwar jeden Tag.", [GATE])

    assert (check.sentences, check.not_checked) == ((), "German")


def test_passages_in_another_language_alone_give_no_verdict():
    check = check_answer("The flood gate closes at 3.2 metres.", [TIDE])

    assert (check.sentences, check.not_checked) == ((), "German")


def test_nothing_is_not_found_while_a_passage_that_cannot_be_checked_may_hold_it():
    check = check_answer("The flood gate closes at 3.2 metres. Sailing lessons begin in May.", [TIDE, GATE])

    assert [(one.verdict, one.passage) for one in check.sentences] == [("supported", 1), ("not_checked", None)]
    assert check.not_checked == "German"


def test_an_empty_answer_has_nothing_to_check():
    assert check_answer("", [GATE]).sentences == ()
    assert check_answer("[1]", [GATE]).sentences == ()
