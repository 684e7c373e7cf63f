"""The names and numbers of a sentence: what a wrong statement most often gets wrong."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import regex

_TOKEN = regex.compile(
    r"\p{N}[\p{N}.,]*(?<=\p{N})(?:st|nd|rd|th|s)?\b"
    r"|[\p{L}\p{M}]+(?:['’.-][\p{L}\p{M}]+)*"  # noqa: RUF001 - a real apostrophe
    r"|\p{N}+\p{L}+"
)
_TO_NINETEEN = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth"
_NUMBER_WORDS = (
    {word: str(number) for number, word in enumerate(_TO_NINETEEN.split())}
    | {word: str(10 * number) for number, word in enumerate(_TENS.split(), start=2)}
    | {word: str(number) for number, word in enumerate(_ORDINALS.split(), start=1)}
)
_VAGUE = frozenset({"one", "second", "first"})
"""Too often no number at all ("one of them", "a second later") to count as one."""
_NEGATIONS = frozenset({"not", "no", "never", "none", "neither", "nor", "without", "cannot"})
_SMALL_IN_NAMES = frozenset({"of", "the", "de", "la", "von", "van", "and", "du", "der"})


class FactKind(enum.Enum):
    """What can be compared exactly."""

    NAME = "name"
    NUMBER = "number"
    NEGATION = "negation"


@dataclass(frozen=True, slots=True)
class Word:
    """A word or number of a text; `key` is what it is compared by."""

    start: int
    end: int
    key: str
    kind: FactKind | None


def words_of(text: str, stems: Stems) -> list[Word]:
    """Return the words of a text in order, names and numbers marked.

    A capital letter makes a name, but at the start of a sentence only when another sign of a name is there: an inner
    capital, a name right after it, or the same word capitalised elsewhere in the text.
    """
    found = list(_TOKEN.finditer(text))
    inner = {m.group() for m in found if not _opens_sentence(text, m.start())}
    words = []
    for place, match in enumerate(found):
        token = match.group()
        if token[0].isnumeric() or (token.lower() in _NUMBER_WORDS and token.lower() not in _VAGUE):
            words.append(Word(match.start(), match.end(), _number(token), FactKind.NUMBER))
            continue
        lower = token.lower()
        if lower in _NEGATIONS or lower.endswith(("n't", "n’t")):  # noqa: RUF001 - a real apostrophe
            words.append(Word(match.start(), match.end(), "not", FactKind.NEGATION))
            continue
        name = token[0].isupper() and token not in {"I", "A"}
        if name and _opens_sentence(text, match.start()):
            after = found[place + 1] if place + 1 < len(found) else None
            adjoins = after is not None and text[match.end() : after.start()] == " " and after.group()[0].isupper()
            common = stems.is_common(lower)
            name = token in inner or not token[1:].islower() or (not common and (adjoins or lower not in inner))
            name = name and not common
        words.append(Word(match.start(), match.end(), stems.stem(lower), FactKind.NAME if name else None))
    return words


class Stems:
    """English stems and the words that are no content."""

    def __init__(self) -> None:
        import Stemmer

        from satchel.runtime.knowledge.stopwords import STOP_WORDS

        self._stemmer = Stemmer.Stemmer("english")
        self._common = STOP_WORDS["en"] | _PRONOUNS | _OPENERS

    def stem(self, word: str) -> str:
        """Return what a word in lower case is compared by; a possessive is its owner."""
        plain = word.removesuffix("'s").removesuffix("’s")  # noqa: RUF001 - a real apostrophe
        return str(self._stemmer.stemWord(plain))

    def is_common(self, word: str) -> bool:
        """Tell whether a word in lower case is a function word or often opens a sentence."""
        return word in self._common


_PRONOUN_LIST = "he she it they him her them his its their this that these those who which we us our i me my"
_PRONOUNS = frozenset(_PRONOUN_LIST.split())
_OPENER_LIST = """
however although though while when after before during since because despite unlike like many most some several
other another both each every such also then thus therefore moreover furthermore finally later today now here there
if as until upon within between under over among according instead meanwhile nevertheless indeed still yet more less
only even once where why how what by with without for from at on in to of and but or so not all any few much
"""
_OPENERS = frozenset(_OPENER_LIST.split())


def is_pronoun(key: str) -> bool:
    """Tell whether a word stands for a name said before."""
    return key in _PRONOUNS


def fact_runs(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Return the ranges of word numbers (end exclusive) that make one fact: a full name, a number, a negation."""
    runs: list[tuple[int, int]] = []
    for place, word in enumerate(words):
        if word.kind is None:
            continue
        joins = (
            word.kind is FactKind.NAME
            and runs
            and words[runs[-1][0]].kind is FactKind.NAME
            and all(w.key in _SMALL_IN_NAMES for w in words[runs[-1][1] : place])
            # A comma or full stop between them makes two names.
            and all(words[n + 1].start - words[n].end == 1 for n in range(runs[-1][1] - 1, place))
        )
        if joins:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def _number(token: str) -> str:
    lower = token.lower()
    if lower in _NUMBER_WORDS:
        return _NUMBER_WORDS[lower]
    digits = regex.sub(r"(?:st|nd|rd|th|s)$", "", lower)
    return regex.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", digits)


def _opens_sentence(text: str, place: int) -> bool:
    before = text[:place].rstrip(" \"'“‘([")  # noqa: RUF001 - real quotes
    return not before or before[-1] in ".!?:\n"
