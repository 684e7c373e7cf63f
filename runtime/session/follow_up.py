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


def search_text(message: str, past: Sequence[Exchange]) -> str:
    """Return the words to search for: a short question such as "and its mass?" takes the one before it along."""
    if past and len(message.split()) <= _SHORT_QUESTION_WORDS and _LEANS.search(message):
        return f"{past[-1].question}\n{message}"
    return message
