"""Answers by quoting: exact words with their place, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from helpers.bodies import body, document, of_texts
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.answers import Quotation
from satchel.runtime.knowledge.gate import Gate, load_gate
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.quote import PassageReader, Quoter, QuoteSettings
from satchel.runtime.knowledge.reader.bundled import load_reader
from satchel.runtime.knowledge.reader.reader import Reader, ReaderResult, ReadSpan
from satchel.runtime.knowledge.search import Searcher
from satchel.runtime.knowledge.sentence_scorer import SentenceScorer
from satchel.runtime.paths import Home

LIGHTHOUSE = (
    "# The lighthouse\n\nThe lighthouse at Marrow Point was built in 1871 by the engineer Thomas Halloran. "
    "It stands 42 metres above the sea. It was painted red because ships could not see it in the snow."
)
HARBOUR = (
    "The harbour floods when a spring tide meets a gale. Ferries leave at nine, and a crossing takes forty minutes."
)
BREAD = "Rye bread is baked from a sourdough that is fed twice a day. A loaf keeps for a week in a linen cloth."
BUILT = "The lighthouse at Marrow Point was built in 1871 by the engineer Thomas Halloran."
TEXTS = {"lighthouse.md": LIGHTHOUSE, "harbour.md": HARBOUR, "bread.md": BREAD}
GATE = load_gate("auto", None)
OFF = Gate([], "off", None)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("home")
    made = load_reader(Home(folder / "data", folder / "cache", folder / "settings"), threads=2)
    yield made
    made.close()


class Marking:
    """Marks given words wherever they stand, with a given chance; silent elsewhere."""

    def __init__(self, chances: dict[str, float], *, any_answers: float = 1.0) -> None:
        self._chances = chances
        self._any_answers = any_answers
        self.read_passages: list[str] = []

    def read(self, _question: str, passages: Sequence[str], _relevance: Sequence[float] | None = None) -> ReaderResult:
        self.read_passages += passages
        return ReaderResult(tuple(map(self._span, passages)), 0, 1 - self._any_answers)

    def _span(self, passage: str) -> ReadSpan:
        for words, chance in self._chances.items():
            if (at := passage.find(words)) >= 0:
                return ReadSpan(at, at + len(words), chance)
        return ReadSpan(0, 0, 0.0)


def quoted(
    question: str,
    reader: PassageReader | None,
    arrays: KnowledgeArrays | None = None,
    *,
    scorer: PassageReader | None = None,
    gate: Gate = OFF,
    settings: QuoteSettings | None = None,
) -> tuple[Quotation, ...]:
    searcher = Searcher(arrays if arrays is not None else of_texts(TEXTS), None, gate=gate)
    found = searcher.search(question, 6)
    languages = [searcher.language(hit.file_number) for hit in found.hits]
    return Quoter(scorer or SentenceScorer(searcher.analyser, None), reader, settings).quote(found, languages)


@pytest.mark.parametrize(
    ("question", "answer", "file"),
    [
        ("When was the lighthouse at Marrow Point built?", "1871", "lighthouse.md"),
        ("Who built the lighthouse at Marrow Point?", "Thomas Halloran", "lighthouse.md"),
        ("How long does a crossing take?", "forty minutes", "harbour.md"),
    ],
)
def test_a_date_a_name_or_a_number_is_answered_by_its_words_alone(reader, question, answer, file):
    first, *_ = quoted(question, reader)

    assert answer in first.answer
    assert len(first.answer) <= len(answer) + 12
    assert first.file == file
    assert first.answer in first.text
    assert TEXTS[file][first.start : first.end] == first.text
    assert TEXTS[file][first.answer_start : first.answer_end] == first.answer
    assert 0 < first.score <= 1


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Why was the lighthouse painted red?", "It was painted red because ships could not see it in the snow."),
        ("What is rye bread baked from?", "Rye bread is baked from a sourdough that is fed twice a day."),
    ],
)
@pytest.mark.parametrize("with_reader", [True, False])
def test_a_reason_or_an_explanation_is_answered_by_the_whole_sentence(reader, question, sentence, with_reader):
    first, *_ = quoted(question, reader if with_reader else None)

    assert first.answer == first.text == sentence


def test_without_a_reader_the_whole_sentence_answers():
    first, *_ = quoted("When was the lighthouse at Marrow Point built?", None)

    assert first.answer == BUILT


@pytest.mark.parametrize(
    "question", ["Who won the football match in Lisbon?", "How do I repair a bicycle?", "zebra", "?", ""]
)
def test_nothing_is_quoted_when_the_files_do_not_hold_the_answer(reader, question):
    assert quoted(question, reader, gate=GATE) == ()


def test_an_empty_body_quotes_nothing(reader):
    assert quoted("When?", reader, of_texts({"a.md": ""})) == ()


def test_below_the_least_chance_nothing_is_quoted():
    question, marks = "When was the lighthouse at Marrow Point built?", Marking({"1871": 0.2}, any_answers=0.1)

    assert quoted(question, marks, scorer=Marking({"The lighthouse at": 0.2}, any_answers=0.2)) == ()
    assert quoted(question, marks, scorer=Marking({}, any_answers=0.2), settings=QuoteSettings(least_chance=0.0))


def test_a_sentence_on_which_both_agree_goes_before_one_that_either_prefers():
    arrays = of_texts(
        {"a.md": "The flood came in 1901.", "b.md": "The flood came in 1902.", "c.md": "The flood came in 1903."}
    )
    scorer = Marking({"The flood came in 1901": 0.9, "The flood came in 1902": 0.6})
    marking = Marking({"1903": 0.8, "1902": 0.7})

    first, *_ = quoted("When did the flood come?", marking, arrays, scorer=scorer)

    assert first.answer == "1902"
    share = QuoteSettings().readers_share
    assert first.score == pytest.approx(share * 0.7 + (1 - share) * 0.6)


def test_a_sentence_without_what_is_asked_for_goes_behind_one_that_has_it():
    arrays = of_texts({"a.md": "The flood came by night.", "b.md": "The flood came in May."})

    found = quoted(
        "When did the flood come?", None, arrays, scorer=Marking({"The flood came by": 0.6, "The flood came in": 0.5})
    )

    assert found[0].text == "The flood came in May."


def test_the_fuller_of_two_dates_answers():
    arrays = of_texts({"a.md": "The gate was built in 1957.", "b.md": "The gate was built on October 4, 1957."})
    both = Marking({"October 4, 1957": 0.7, "1957": 0.8})

    first, second = quoted("When was the gate built?", both, arrays, scorer=both)

    assert (first.answer, second.answer) == ("October 4, 1957", "1957")


@pytest.mark.parametrize(
    ("marked", "chance", "answer"),
    [
        ("1871", 0.9, "1871"),
        ("1871", 0.1, BUILT),
        ("Thomas Halloran", 0.9, BUILT),
        (
            "built in 1871 by the engineer Thomas Halloran. It stands 42",
            0.9,
            f"{BUILT} It stands 42 metres above the sea.",
        ),
    ],
)
def test_unsure_many_or_other_words_are_answered_by_their_sentence(marked, chance, answer):
    arrays = of_texts({"lighthouse.md": LIGHTHOUSE.replace("\n\n", "\n")})
    both = Marking({marked: chance})

    first, *_ = quoted(
        "When was the lighthouse built?", both, arrays, scorer=both, settings=QuoteSettings(least_chance=0)
    )

    assert first.answer.split() == answer.split()


def test_a_bracket_that_the_words_open_is_closed():
    arrays = of_texts({"a.md": "The oven has 730 K (over 850 °F), they say."})
    both = Marking({"730 K (over 850 °F": 0.9})

    assert quoted("How hot is the oven?", both, arrays, scorer=both)[0].answer == "730 K (over 850 °F)"


@pytest.mark.parametrize(
    "stated",
    ["# The gate of 1871", "Explain the flood of 1871.", "“The Gate of 1871.”", "See http://gate.example/1871."],
)
def test_what_states_nothing_is_not_quoted_whoever_marks_it(stated):
    arrays = of_texts({"a.md": f"{stated}\nThe gate was mended twice."})
    both = Marking({"1871": 0.9})

    assert not any("1871" in one.text for one in quoted("When was the gate mended?", both, arrays, scorer=both))


def test_no_sentence_is_quoted_twice():
    arrays = of_texts(
        {
            "a.md": "The gate was built in 1871.",
            "b.md": "The gate was built in 1871.",
            "c.md": "The gate was built in 1875.",
        }
    )
    both = Marking({"1871": 0.8, "1875": 0.7})

    assert [one.file for one in quoted("When was the gate built?", both, arrays, scorer=both)] == ["a.md", "c.md"]


def test_further_quotations_are_few_and_not_far_behind():
    arrays = of_texts({f"{year}.md": f"The gate was built in {year}." for year in range(1871, 1877)})
    chances = {str(1871 + number): 0.9 - 0.1 * number for number in range(6)}
    both = Marking(chances)

    assert [one.answer for one in quoted("When was the gate built?", both, arrays, scorer=both)] == [
        "1871",
        "1872",
        "1873",
    ]
    narrow = QuoteSettings(further_share=0.85)
    found = quoted("When was the gate built?", both, arrays, scorer=both, settings=narrow)
    assert [one.answer for one in found] == ["1871", "1872"]


def test_the_page_is_the_sentences_own():
    text = "Boats wait outside. They\nare many. The gate was built in 1871."
    arrays = body(document("a.pdf", text, page_starts=(0, 25), page_labels=("i", "ii")))
    both = Marking({"1871": 0.9})

    first, *_ = quoted("When was the gate built?", both, arrays, scorer=both)

    assert (first.page, first.page_label, text[first.start : first.end]) == (2, "ii", "The gate was built in 1871.")


def test_the_reader_reads_english_only_and_other_languages_are_quoted_by_the_scorer():
    arrays = body(
        document("tor.md", "Das Tor wurde 1871 gebaut. Boote warten.", "de"), document("gate.md", "Das Tor 1872.", "en")
    )
    reading = Marking({"1872": 0.1}, any_answers=0.0)

    found = quoted("Wann wurde das Tor gebaut?", reading, arrays)

    assert reading.read_passages in ([], ["Das Tor 1872."])
    alone = quoted(
        "Wann wurde das Tor gebaut?", reading, body(document("tor.md", "Das Tor wurde 1871 gebaut.", "de")), gate=OFF
    )
    assert alone[0].answer == "Das Tor wurde 1871 gebaut."
    assert all(one.text in "Das Tor wurde 1871 gebaut. Boote warten. Das Tor 1872." for one in found)


def test_what_no_gate_has_judged_must_share_a_word_with_the_question():
    arrays = body(document("tor.md", "Das Tor wurde 1871 gebaut.", "de"))
    both = Marking({"1871": 0.9})

    assert quoted("Zebra?", both, arrays, scorer=both) == ()


questions = st.sampled_from(
    ["When was the gate built?", "Who came?", "What is a gate?", "Why?", "gate flood", "How old is it?"]
)
pieces = st.sampled_from(
    [
        "The gate was built in 1871. ",
        "Wilma came. ",
        "# Gate\n",
        "A gate is a door (wide). ",
        "?",
        "é😀 ",
        "\n\n",
        "- item\n",
    ]
)


@given(questions, st.lists(pieces, min_size=1, max_size=8), st.floats(0, 1), st.data())
def test_every_quotation_is_a_piece_of_its_file_word_for_word(question, parts, chance, data):
    text = "".join(parts)
    arrays = of_texts({"a.md": text})
    start = data.draw(st.integers(0, max(0, len(text) - 1)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    marks = Marking({text[start:end]: chance}) if end > start else Marking({})

    for one in quoted(question, marks, arrays, scorer=marks, settings=QuoteSettings(least_chance=0)):
        assert text[one.start : one.end] == one.text != ""
        assert one.start <= one.answer_start < one.answer_end <= one.end
        assert text[one.answer_start : one.answer_end] == one.answer
        assert 0 <= one.score <= 1
