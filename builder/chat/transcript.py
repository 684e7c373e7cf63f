"""What a chat shows, without a widget: the messages of one branch, with their sources and how to reach the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from satchel.builder.chat.tool_uses import ToolUse, after_request, after_result, allowed, kept_uses, stopped
from satchel.builder.language import translate
from satchel.runtime.session.events import (
    ApprovalNeeded,
    Checked,
    Cited,
    Event,
    Finished,
    Progress,
    QuestionAsked,
    Retrieved,
    Source,
    Thinking,
    Token,
    ToolFinished,
    ToolRequested,
    Warned,
)
from satchel.runtime.session.history import Message

READER = "reader"


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it is shown."""

    id: str
    """Empty while it is not in the history."""
    role: Literal["user", "assistant"]
    text: str
    sources: tuple[Source, ...] = ()
    """Each once, in the order of their numbers."""
    model: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    words_per_second: float | None = None
    branches: tuple[str, ...] = ()
    """The messages that stand in the same place, this one among them; oldest first."""
    warnings: tuple[str, ...] = ()
    thinking: str = ""
    reason: str = ""
    """How the turn ended, when it was just now: `answered`, `cancelled`, `length`, …"""
    live: bool = False
    """It is still being written."""
    uses: tuple[ToolUse, ...] = ()
    """The tools that were called for it."""
    checks: tuple[Checked, ...] = ()
    """Its sentences as they were compared with the passages; the history does not keep them."""
    shown: tuple[Source, ...] = ()
    """The passages that they were compared with."""

    @property
    def branch(self) -> int:
        """Which of the branches this is, from 1."""
        return self.branches.index(self.id) + 1 if self.id in self.branches else 1

    @property
    def quoted(self) -> bool:
        """True for an answer that is a quotation: no language model spoke."""
        return self.model == READER and bool(self.sources)


def branch_of(messages: Sequence[Message], head: str | None) -> list[Entry]:
    """Return the branch of a chat that ends at `head`; `messages` are all of the chat's, oldest first."""
    by_id = {message.id: message for message in messages}
    children: dict[str | None, list[str]] = {}
    for message in messages:
        children.setdefault(message.parent_id, []).append(message.id)
    path: list[Entry] = []
    at = head
    while at is not None and at in by_id:
        message = by_id[at]
        path.append(entry_of(message, tuple(children[message.parent_id])))
        at = message.parent_id
    path.reverse()
    return path


def entry_of(message: Message, branches: tuple[str, ...] = ()) -> Entry:
    """Return how one kept message is shown."""
    found = [msgspec.convert(part.detail, Source) for part in message.parts if part.kind == "source"]
    return Entry(
        id=message.id,
        role="user" if message.role == "user" else "assistant",
        text=message.text,
        sources=_numbered(found),
        model=message.model,
        timings=message.timings,
        words_per_second=_speed(message.text, message.timings),
        branches=branches or (message.id,),
        thinking="".join(part.text for part in message.parts if part.kind == "thinking"),
        uses=kept_uses(message.parts),
    )


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """An answer while it comes: `after` takes the next event in."""

    text: str = ""
    thinking: str = ""
    sources: tuple[Source, ...] = ()
    shown: tuple[Source, ...] = ()
    """The passages that the model was given."""
    warnings: tuple[str, ...] = ()
    step: Progress | None = None
    """What is being done while no word has come yet."""
    finished: Finished | None = None
    uses: tuple[ToolUse, ...] = ()
    checks: tuple[Checked, ...] = ()
    waiting: tuple[ApprovalNeeded | QuestionAsked, ...] = ()
    """What the person is asked and has not answered."""

    def after(self, events: Iterable[Event]) -> LiveAnswer:
        """Return the answer after these events."""
        text: list[str] = []
        thinking: list[str] = []
        cited = list(self.sources)
        now = self
        for event in events:
            match event:
                case Token():
                    text.append(event.text)
                case Thinking():
                    thinking.append(event.text)
                case Progress():
                    now = replace(now, step=event)
                case Retrieved():
                    now = replace(now, shown=event.passages)
                case Cited():
                    cited.append(event.source)
                case Warned():
                    now = replace(now, warnings=(*now.warnings, event.text))
                case Finished():
                    now = replace(now, finished=event, uses=stopped(now.uses), waiting=())
                case _:
                    now = _acted(now, event)
        return replace(
            now,
            text=now.text + "".join(text),
            thinking=now.thinking + "".join(thinking),
            sources=_numbered(cited),
            step=None if text and now.finished is None else now.step,
        )

    def answered(self, question_id: str) -> LiveAnswer:
        """Return the answer when the person has said something to what they were asked."""
        left = tuple(one for one in self.waiting if asked_id(one) != question_id)
        return replace(self, waiting=left, uses=allowed(self.uses))

    def entry(self, model: str) -> Entry:
        """Return how it is shown now."""
        finished = self.finished
        sources = self.sources or (self.shown if finished is None else ())
        return Entry(
            id=(finished.message_id or "") if finished else "",
            role="assistant",
            text=finished.answer if finished else self.text,
            sources=sources,
            model=finished.model if finished else model,
            timings=finished.timings_ms if finished else {},
            words_per_second=_speed(finished.answer, finished.timings_ms) if finished else None,
            warnings=self.warnings,
            thinking=self.thinking,
            reason=finished.reason if finished else "",
            live=finished is None,
            uses=self.uses,
            checks=self.checks,
            shown=self.shown if self.checks else (),
        )


def asked_id(event: ApprovalNeeded | QuestionAsked) -> str:
    """Return the id by which something is answered."""
    return event.request_id if isinstance(event, ApprovalNeeded) else event.question_id


def _acted(answer: LiveAnswer, event: Event) -> LiveAnswer:
    match event:
        case ToolRequested():
            return replace(answer, uses=after_request(answer.uses, event))
        case ApprovalNeeded() | QuestionAsked():
            return replace(answer, waiting=(*answer.waiting, event))
        case ToolFinished():
            # A question that nobody answered in time is over with its call.
            return replace(answer, uses=after_result(answer.uses, event), waiting=())
        case Checked():
            return replace(answer, checks=(*answer.checks, event))
        case _:
            return answer


def footer(entry: Entry) -> str:
    """Return the quiet line under an answer: who spoke, time to first word, words per second."""
    said = []
    if entry.reason == "cancelled":
        said.append(translate("Chat", "stopped"))
    elif entry.reason == "length":
        said.append(translate("Chat", "cut off at the token limit"))
    if entry.quoted:
        said.append(translate("Chat", "quoted word for word"))
    elif entry.model and entry.model != READER:
        said.append(model_words(entry.model))
    first = entry.timings.get("first_word")
    if first is not None:
        said.append(translate("Chat", "first word {n} s", n=_seconds(first)))
    if entry.words_per_second is not None:
        said.append(translate("Chat", "{n} words/s", n=round(entry.words_per_second)))
    return " · ".join(said)


def place_of(source: Source) -> str:
    """Return "tides.pdf · p. 12", and whether a scan's picture was read there."""
    parts = [source.file]
    if source.page is not None:
        label = source.page_label or str(source.page)
        parts.append(f"p. {label}" if label.isdigit() else label)
    if source.from_picture:
        parts.append(translate("Chat", "read from a picture"))
    return " · ".join(parts)


def span_in(source: Source, answer: str) -> tuple[int, int] | None:
    """Return where a quoted answer stands in its sentence."""
    at = source.text.find(answer)
    return (at, at + len(answer)) if answer and at >= 0 else None


def _numbered(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return each source once, by its number."""
    return tuple(sorted({source.n: source for source in sources}.values(), key=lambda source: source.n))


def _speed(text: str, timings: dict[str, float]) -> float | None:
    seconds = timings.get("decode", 0.0) / 1000
    return len(text.split()) / seconds if seconds > 0 else None


def _seconds(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    return f"{seconds:.2f}" if seconds < 0.095 else f"{seconds:.1f}"


def model_words(name: str) -> str:
    """Return how a model is called in the window."""
    if name == READER:
        return translate("Chat", "Quotes, no model")
    if name == "starter":
        return translate("Chat", "Starter 135M")
    return name
