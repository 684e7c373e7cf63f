"""What a turn tells its front end, in the order in which it happens (DESIGN 3.1).

Every event is a frozen struct whose JSON form carries its kind in `event`; `satchel run --events` prints a line each.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

FinishReason = Literal["answered", "not_found", "stopped", "length", "cancelled"]


class Source(msgspec.Struct, frozen=True):
    """A passage, or the part of one, that an answer rests on; offsets are characters of the file's extracted text."""

    n: int
    """The number that `[n]` in the answer refers to."""
    file: str
    page: int | None
    """Counted from 1; None where the format has no pages."""
    start: int
    end: int
    text: str
    score: float
    page_label: str = ""
    """What is printed on the page ("iv"), where that differs from its number."""
    from_picture: bool = False
    """Its page was read from a picture, and may have been read wrongly."""


class Alternative(msgspec.Struct, frozen=True):
    """A token that could have stood there instead."""

    text: str
    logprob: float


class _Event(msgspec.Struct, frozen=True, tag_field="event", tag=lambda name: name.lower()):
    """The root of all events."""


class Progress(_Event, frozen=True):
    """Work that takes a while: loading the model, reading the prompt, searching."""

    stage: str
    done: int
    total: int | None
    seconds_left: float | None = None


class Retrieved(_Event, frozen=True):
    """The passages that are shown to the model, best first, and how many were kept back by the gate."""

    passages: tuple[Source, ...]
    below_gate: int = 0


class Thinking(_Event, frozen=True):
    """A piece of the model's thinking; no part of the answer."""

    text: str


class Token(_Event, frozen=True):
    """A piece of the answer. `logprob` is the model's own (None for quotes)."""

    text: str
    logprob: float | None = None
    alternatives: tuple[Alternative, ...] = ()


class ToolRequested(_Event, frozen=True):
    """The model asks for a tool, and what the broker decided."""

    call: dict[str, Any]
    decision: str


class ApprovalNeeded(_Event, frozen=True):
    """A person has to decide; answer with `Session.decide(request_id, choice)`."""

    request_id: str
    request: dict[str, Any]


class QuestionAsked(_Event, frozen=True):
    """A tool asks the person something; answer with `Session.decide(question_id, text)`."""

    question_id: str
    question: str
    choices: tuple[str, ...]
    """What is offered; empty: any text."""


class ToolFinished(_Event, frozen=True):
    """A tool's result as the model sees it, and where the files lie that it made; `call` tells the decision too."""

    call: dict[str, Any]
    result: str
    artefacts: tuple[str, ...] = ()


class Cited(_Event, frozen=True):
    """The answer's characters `start` to `end` rest on a source."""

    start: int
    end: int
    source: Source


class Checked(_Event, frozen=True):
    """A sentence of the answer was compared with the passages."""

    start: int
    end: int
    verdict: Literal["supported", "not_found", "contradicted", "not_checked"]
    sources: tuple[int, ...] = ()
    differing: tuple[str, ...] = ()
    """The names and numbers in which a contradicted sentence differs from its source."""


class Warned(_Event, frozen=True):
    """Something the person should know; `kind` is stable, `text` is in plain words."""

    kind: str
    text: str


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one answer; zero where no language model spoke."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt, those whose state was reused."""
    completion_tokens: int = 0
    context_tokens: int = 0
    """The size of the window."""


class Finished(_Event, frozen=True):
    """The end of a turn, always the last event."""

    reason: FinishReason
    answer: str
    """The text of all `Token` events, white space at its ends left out."""
    found: bool
    mode: Literal["quote", "model", "talk"]
    model: str
    usage: Usage
    timings_ms: dict[str, float]
    message_id: str | None = None
    """The answer's id in the history, when it is kept."""


Event = (
    Progress
    | Retrieved
    | Thinking
    | Token
    | ToolRequested
    | ApprovalNeeded
    | QuestionAsked
    | ToolFinished
    | Cited
    | Checked
    | Warned
    | Finished
)
