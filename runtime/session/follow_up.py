"""What is searched for when a question leans on the one before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from satchel.runtime.session.prompt import Exchange

_LEANS = re.compile(
    r"\b(it|its|they|them|their|this|that|these|those|he|she|his|her|him|one|ones)\b"
    r"|^\W*(and|but|why|how so|what about)\b",
    re.IGNORECASE,
)
_SHORT_QUESTION_WORDS = 8


_AND_THIS = re.compile(r"\W*(?:and|what about|how about) the (\w+(?: \w+)?)\W*", re.IGNORECASE)
_ITS_THING = re.compile(r"\bthe \w+(?=\W*$)", re.IGNORECASE)


def search_text(message: str, past: Sequence[Exchange]) -> str:
    """Return the question to look for, made whole by the one before it where it leans on that.

    "And the chair?" after "Who is the treasurer?" asks who the chair is; any other short question that leans takes the
    one before it along.
    """
    if past and (other := _AND_THIS.fullmatch(message)) and _ITS_THING.search(past[-1].question):
        return _ITS_THING.sub(lambda _: f"the {other[1]}", past[-1].question)
    if past and len(message.split()) <= _SHORT_QUESTION_WORDS and _LEANS.search(message):
        return f"{past[-1].question}\n{message}"
    return message
