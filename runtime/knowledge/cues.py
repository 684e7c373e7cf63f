"""What a question asks for, and whether a text has something of that kind; English only."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import regex


class Asked(enum.Enum):
    """The kind of thing that would answer."""

    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    """Of a person or a place."""
    REASON = "reason"
    DEFINITION = "definition"
    """What something is, or who somebody was; a few words without a verb ask for that too."""
    OTHER = "other"


EXACT = frozenset({Asked.NUMBER, Asked.DATE, Asked.NAME})
"""What a few words answer."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What would answer one question."""

    kind: Asked
    question: str
    """Case folded: a name that it says itself answers nothing."""
    cues: tuple[regex.Pattern[str], ...] = ()
    """What a text of that kind has in it, all of them; none for names and for `OTHER`."""

    def is_in(self, text: str) -> bool:
        """Tell whether a sentence, or a few words of one, has a thing of the kind asked for; never for `OTHER`."""
        if self.kind is Asked.NAME:
            return any(word.casefold() not in self.question for word in _CAPITALISED.findall(text))
        return bool(self.cues) and all(cue.search(text) for cue in self.cues)


_DATE_QUESTION = regex.compile(
    r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|decade|century|time|era|period)\b|\bhow long ago\b", regex.I
)
_NUMBER_QUESTION = regex.compile(
    r"\bhow (?:many|much|long|old|tall|far|large|big|high|deep|often|fast|hot|cold|warm|heavy|wide|thick)\b"
    r"|\b(?:what|which) (?:is|was|were|are)? ?(?:the )?(?:\w+ )?"
    r"(?:percentage|percent|number|amount|population|price|cost|rate|size|distance|temperature|mass|age|area|speed"
    r"|diameter|radius|length|height|weight)\b",
    regex.I,
)
_NAME_QUESTION = regex.compile(
    r"\bwho(?:m|se)?\b|\bwhere\b"
    r"|\b(?:what|which) (?:city|country|state|place|person|company|team|nation|river|region|university|school|king"
    r"|queen|emperor|president|author|scientist|actor|group|island|town|county|astronomer|philosopher)\b",
    regex.I,
)
_REASON_QUESTION = regex.compile(r"\bwhy\b|\bwhat (?:caused|causes|reason)\b|\bfor what reason\b", regex.I)
_SUBJECT = r"(?:an?\s+|the\s+)?(?P<subject>[\p{L}\p{N}][\p{L}\p{N}'’ -]*?)"  # noqa: RUF001 - a real apostrophe
_WORD = r"\p{L}[\p{L}\p{N}'’-]*"  # noqa: RUF001 - the same
_NO_QUESTION = r"(?!(?i:wh\w+|how|is|are|was|were|do|does|did|can|list|name|tell|explain)\s)"
_DEFINITION_QUESTIONS = (
    regex.compile(rf"\W*(?:wh?at|who) ?(?:is|are|was|were|['’]?s|['’]?re)\s+{_SUBJECT}\W*", regex.I),  # noqa: RUF001 - the same
    regex.compile(rf"\W*what (?:does|do|did)\s+{_SUBJECT}\s+(?:mean|stand for)\W*", regex.I),
    regex.compile(rf"\W*(?:what is meant by|define|tell me about|what do you know about)\s+{_SUBJECT}\W*", regex.I),
    regex.compile(rf"\W*(?:the\s+)?{_NO_QUESTION}(?P<subject>{_WORD}(?:\s{_WORD}){{0,2}})\W*"),  # a term alone
)
_OFFICE = regex.compile(r"\W*who\b.*\b(?:the|an?|of|in|at|for|your|our|my)\b", regex.I)
_NO_THING = regex.compile(r".*\b(?:of|for|from|in|to|with|by|like|about|on|at|called|named|made|used)", regex.I)
_LONGEST_SUBJECT = 4
"""Words; "what is the ratio of X to Y in Z" asks for no definition."""

_NUMBER = (
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundreds?|thousands?|millions?|billions?|trillions?|half|third|quarter|twice|dozens?|once|none|several)\b"
)
_TIME = r"seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur(?:y|ies)|age[ds]?|old"
_LENGTH = (
    r"(?:kilo|centi|milli|nano)?met(?:er|re)s?|km|cm|mm|nm|m|miles?|feet|foot|ft|inch(?:es)?|yards?|light[ -]years?|AU"
    r"|astronomical units?|parsecs?|times"
)
_WEIGHT = r"\b(?:k?g|(?:kilo)?grams?|tons?|tonnes?|pounds?|lbs?|ounces?|mass(?:es)?|times)\b"
_MONEY = r"[$€£¥%]|\b(?:dollars?|euros?|pounds?|francs?|cents?|yen|rupees?|USD|EUR|GBP)\b"
_FAR = r"\bhow (?:far|tall|deep|wide|thick)\b|\bdistance\b|\bdiameter\b|\bradius\b|\bheight\b"
# Where the question says in what the answer is measured, a sentence without that does not answer.
_MEASURES = (
    (r"\bhow old\b|\bage\b", rf"\b(?:{_TIME})\b"),
    (_FAR, rf"\b(?:{_LENGTH})\b"),
    (r"\bhow long\b|\blength\b", rf"\b(?:{_TIME}|{_LENGTH})\b"),
    (r"\bhow (?:hot|cold|warm)\b|\btemperature\b", r"°|\b(?:degrees?|K|kelvins?|Celsius|Fahrenheit)\b"),
    (r"\bhow fast\b|\bspeed\b", r"\b(?:per|times|mph|knots?)\b|/"),
    (r"\bhow (?:heavy\b|much .*\bweigh)|\bmass\b|\bweight\b", _WEIGHT),
    (r"\bhow much .*\b(?:cost|pay|charge)|\bprice\b|\bcosts?\b", _MONEY),
    (r"\bpercent(?:age)?\b", r"%|\b(?:per ?cent|percentage)\b"),
)
_ANY_NUMBER = regex.compile(_NUMBER, regex.I)
_DATE = regex.compile(
    r"\b1\d{3}s?\b|\b20\d{2}s?\b|\bcentur(?:y|ies)\b|\bdecades?\b|\b(?:B\.?C|A\.?D)\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b(?:yesterday|today|spring|summer|autumn|winter|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b"
)
_REASON = regex.compile(
    r"\b(?:because|due to|owing to|caused?|since|reasons?|therefore|thus|as a result|so that|in order to|led to"
    r"|resulted|result of|hence|produced by|explains? why|(?:occurs?|happens?|arises?) (?:when|from))\b",
    regex.I,
)
# The first word of a sentence is capitalised anyway, so it tells nothing.
_CAPITALISED = regex.compile(r"(?<=[\p{L}\p{N},;:)’'\"”-]\s[\"“‘'(]?)\p{Lu}[\p{L}\p{M}’'-]+")  # noqa: RUF001 - real quotes


def expected_answer(question: str) -> Expected:
    """Return what would answer a question; of several lines the last one asks, the others say what it leans on."""
    folded = question.casefold()
    question = question.strip().rsplit("\n", 1)[-1]
    if (subject := _defined(question)) is not None:
        return Expected(Asked.DEFINITION, folded, (_definition_of(subject),))
    if _DATE_QUESTION.search(question):
        return Expected(Asked.DATE, folded, (_DATE,))
    if _NUMBER_QUESTION.search(question):
        return Expected(Asked.NUMBER, folded, (_ANY_NUMBER, *_measure(question)))
    if _REASON_QUESTION.search(question):
        return Expected(Asked.REASON, folded, (_REASON,))
    return Expected(Asked.NAME if _NAME_QUESTION.search(question) else Asked.OTHER, folded)


def _measure(question: str) -> tuple[regex.Pattern[str], ...]:
    """Return what the answer's unit looks like; compiled here, because most questions ask for none."""
    units = (units for asked, units in _MEASURES if regex.search(asked, question, regex.I))
    return tuple(regex.compile(unit) for unit in units)[:1]


def _defined(question: str) -> str | None:
    """Return the thing whose definition is asked for."""
    # "Who was Tycho Brahe?", but "Who is the lock keeper?" asks for a name.
    if _NUMBER_QUESTION.search(question) or _OFFICE.match(question):
        return None
    found = next((found for one in _DEFINITION_QUESTIONS if (found := one.fullmatch(question))), None)
    subject = found["subject"].strip() if found else ""
    if not subject or len(subject.split()) > _LONGEST_SUBJECT or _NO_THING.fullmatch(subject):
        return None
    return subject


def _definition_of(subject: str) -> regex.Pattern[str]:
    """Return a pattern of sentences that say what the subject is: "X is a …", "X, a …", "… is called X"."""
    words = [regex.escape(word.replace("’", "'")) for word in subject.removesuffix("s").split()]  # noqa: RUF001 - a real apostrophe
    said = r"[ -]".join(words).replace("'", "['’]")  # noqa: RUF001 - real apostrophes
    name = rf"[\"“'‘]?{said}(?:e?s|e)?[\"”'’]?"  # noqa: RUF001 - real quotes
    # A thing of its own, not "the Crab pulsar".
    alone = rf"(?:^|[.,;:(]\s|\b(?:an?|the|of|as|this|such)\s){name}"
    bracket = r"(?: \([^)]*\))?"
    is_a = r"(?:(?:is|was) (?:an?|the|any|one|what|defined|how|when|born)|(?:are|were) (?:an?|any|what|those))\b"
    are = rf"^{name}{bracket} are (?!the|not|also|called|named|thought|known|classified|\w+ed\b)\w+"
    called = r"\b(?:called|known as|termed|named|dubbed|defined as|define|term)"
    return regex.compile(
        rf"{alone}{bracket},? {is_a}|{alone}{bracket}(?:,| ?[—–]|:) ?(?:an?|the)\b|{are}"  # noqa: RUF001 - a real dash
        rf"|{alone} (?:means?|refers? to|describes?)\b|{called} (?:an?|the|its|their|these|this)? ?{name}",
        regex.I,
    )
