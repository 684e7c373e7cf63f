"""What a question asks for, and whether a sentence has something of that kind; English only."""

from __future__ import annotations

import enum

import regex


class Asked(enum.Enum):
    """The kind of thing that would answer."""

    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    """Of a person or a place."""
    REASON = "reason"
    OTHER = "other"


_DATE_QUESTION = regex.compile(
    r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|decade|century|time|era|period)\b|\bhow long ago\b", regex.I
)
_NUMBER_QUESTION = regex.compile(
    r"\bhow (?:many|much|long|old|tall|far|large|big|high|deep|often|fast|hot|heavy|wide)\b"
    r"|\b(?:what|which) (?:is|was|were|are)? ?(?:the )?(?:\w+ )?"
    r"(?:percentage|percent|number|amount|population|price|cost|rate|size|distance|temperature|mass|age|area)\b",
    regex.I,
)
_NAME_QUESTION = regex.compile(
    r"\bwho(?:m|se)?\b|\bwhere\b"
    r"|\b(?:what|which) (?:city|country|state|place|person|company|team|nation|river|region|university|school|king"
    r"|queen|emperor|president|author|scientist|actor|group|island|town|county|astronomer|philosopher)\b",
    regex.I,
)
_REASON_QUESTION = regex.compile(r"\bwhy\b|\bwhat (?:caused|causes|reason)\b|\bfor what reason\b", regex.I)

_NUMBER = regex.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundreds?|thousands?|millions?|billions?|trillions?|half|third|quarter|twice|dozens?|once|none|several)\b",
    regex.I,
)
_DATE = regex.compile(
    r"\b1\d{3}s?\b|\b20\d{2}s?\b|\bcentur(?:y|ies)\b|\bdecades?\b|\b(?:B\.?C|A\.?D)\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b(?:yesterday|today|spring|summer|autumn|winter|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b"
)
_REASON = regex.compile(
    r"\b(?:because|due to|owing to|caused?|since|reasons?|therefore|thus|as a result|so that|in order to|led to"
    r"|resulted|result of|hence)\b",
    regex.I,
)
# The first word of a sentence is capitalised anyway, so it tells nothing.
_CAPITALISED = regex.compile(r"(?<=[\p{L}\p{N},;:)’'\"”-]\s[\"“‘'(]?)\p{Lu}[\p{L}\p{M}’'-]+")  # noqa: RUF001 - real quotes


def what_is_asked(question: str) -> Asked:
    """Return what kind of thing a question asks for."""
    for asked, pattern in (
        (Asked.DATE, _DATE_QUESTION),
        (Asked.NUMBER, _NUMBER_QUESTION),
        (Asked.REASON, _REASON_QUESTION),
        (Asked.NAME, _NAME_QUESTION),
    ):
        if pattern.search(question):
            return asked
    return Asked.OTHER


def has_cue(sentence: str, asked: Asked, question: str) -> bool:
    """Return whether a sentence has a thing of the kind asked for; a name counts that the question does not say."""
    match asked:
        case Asked.DATE:
            return _DATE.search(sentence) is not None
        case Asked.NUMBER:
            return _NUMBER.search(sentence) is not None
        case Asked.REASON:
            return _REASON.search(sentence) is not None
        case Asked.NAME:
            known = question.casefold()
            return any(word.casefold() not in known for word in _CAPITALISED.findall(sentence))
        case Asked.OTHER:
            return False
