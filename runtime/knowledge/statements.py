"""Which sentences of a text may be quoted: those that state something."""

from __future__ import annotations

import regex

from satchel.runtime.knowledge.sentences import Sentence, SentenceKind, split_sentences

_QUESTION_ENDS = frozenset("?？؟")  # noqa: RUF001 - real punctuation
_SENTENCE_ENDS = frozenset('.!"”’)»。！।…')  # noqa: RUF001 - real punctuation
_MARKUP = frozenset("#=<")
_TASK = regex.compile(
    r"(?:describe|explain|discuss|summari[sz]e|outline|distinguish|define|contrast|understand|compare and contrast)\b"
    r"(?! (?:as|how it|the button))",
    regex.I,
)
"""What a textbook wants its readers to do; steps of instructions begin with other verbs."""
_REFERENCE = regex.compile(
    r"\p{Lu}[\p{L}’'-]+, (?:\p{Lu}\.[ -]?){1,3}(?:,|&|et al|\(|[\"“])"  # noqa: RUF001 - real quotes
    r"|[\"“][^\"”]{1,60}[\"”]\.?$"
)
"""An entry of a bibliography, or a title alone."""
_POINTER = regex.compile(
    r"(?:you can |please )?(?:watch|visit|browse|explore|check out|click|see|view)\b"
    r".*\b(?:videos?|animations?|podcasts?|links?|web ?(?:site|page)s?)\b",
    regex.I | regex.S,
)
"""Where else to look."""
_LONG = 12
"""Words: what is as long is no heading, though a footnote's mark or a missing full stop ends it."""
_LINK = "://"


def statements(text: str) -> list[Sentence]:
    """Return a passage's sentences, list items and rows of tables that state something, in order.

    Left out are headings, markup, tables' heads, questions, exercises, entries of bibliographies, pointers elsewhere,
    and short lines that do not end as a sentence, if anything in the passage does.
    """
    stated = [found for found in split_sentences(text) if _states(text[found.start : found.end], found.kind)]
    whole = [one for one in stated if one.kind is SentenceKind.ITEM or _is_whole(text[one.start : one.end])]
    return whole or stated


def _is_whole(said: str) -> bool:
    return said[-1] in _SENTENCE_ENDS or len(said.split()) >= _LONG


def _states(said: str, kind: SentenceKind) -> bool:
    if kind is SentenceKind.HEADING or said[0] in _MARKUP or said[-1] in _QUESTION_ENDS or _LINK in said:
        return False
    if said[0] == "|":  # a table's row has a number in it; its head and its rule have none
        return any(map(str.isdigit, said))
    return not any(pattern.match(said) for pattern in (_TASK, _REFERENCE, _POINTER))
