"""Greetings, thanks and "what can you do", answered from the author's own words when no language model is at hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

SmallTalk = Literal["greeting", "thanks", "farewell", "capabilities"]

# Whole messages only: "hi" is small talk, "hi, when does the harbour flood?" is a question.
_PHRASES: dict[SmallTalk, tuple[str, ...]] = {
    "greeting": (
        *("hi", "hello", "hey", "hiya", "howdy", "good morning", "good afternoon", "good evening", "good day"),
        *("how are you", "how are u", "how are you doing", "how do you do", "how is it going", "how s it going"),
        *("hallo", "guten tag", "bonjour", "hola"),
    ),
    "thanks": ("thanks", "thank you", "many thanks", "thx", "cheers", "danke", "merci", "gracias"),
    "farewell": (
        *("bye", "goodbye", "good bye", "see you", "see you later", "good night", "goodnight"),
        *("tschüss", "au revoir"),
    ),
    "capabilities": (
        *("help", "help me", "what can you do", "what can you do for me", "what do you do", "who are you"),
        *("what are you", "what do you know", "what do you know about", "how can you help", "how can you help me"),
        *("how do you work", "what can i ask", "what can i ask you"),
    ),
}
_KINDS: dict[str, SmallTalk] = {phrase: kind for kind, phrases in _PHRASES.items() for phrase in phrases}
_TRAILING = re.compile(r" (there|everyone|again|all|so much|a lot|very much|for that|please)$")


def recognise_small_talk(message: str) -> SmallTalk | None:
    """Return what kind of small talk a whole message is, or None for anything else."""
    words = " ".join(re.findall(r"\w+", message.casefold()))
    while words:
        if words in _KINDS:
            return _KINDS[words]
        shorter = _TRAILING.sub("", words)
        if shorter == words:
            break
        words = shorter
    return None


def answer_small_talk(
    kind: SmallTalk, *, name: str, description: str, greeting: str, starters: Sequence[str], file_count: int
) -> str:
    """Answer from what the assistant's author wrote; nothing is made up."""
    if kind == "thanks":
        return "You are welcome."
    if kind == "farewell":
        return "Goodbye."
    if kind == "greeting":
        return greeting or f"Hello. I am {name}."
    parts = [f"I am {name}.", description]
    if file_count:
        parts.append(f"I answer from {file_count} file{'s' * (file_count != 1)}, by quoting them with their place.")
    if starters:
        parts.append("You could ask: " + " / ".join(starters))
    return " ".join(part for part in parts if part)
