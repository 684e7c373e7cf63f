"""A conversation with one assistant: each turn is one user message to its final answer, as a stream of events."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from satchel.runtime.errors import CancelledError, SatchelError
from satchel.runtime.knowledge.answers import FoundPassage
from satchel.runtime.knowledge.client import KnowledgeClient
from satchel.runtime.permissions.labels import stored, typed_label
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.chat_labels import LABEL, ChatLabels, add_passages, labels_of_turn
from satchel.runtime.session.errors import UnknownMessageError
from satchel.runtime.session.events import (
    Checked,
    Cited,
    Event,
    Finished,
    Progress,
    Retrieved,
    Token,
    ToolFinished,
    Warned,
)
from satchel.runtime.session.follow_up import search_text
from satchel.runtime.session.history import Chat, History, Message, Part
from satchel.runtime.session.language_model import LanguageModel
from satchel.runtime.session.prompt import Exchange
from satchel.runtime.session.quoting import READER, Spoken, passages_as_sources, quote, talk, without_files
from satchel.runtime.session.small_talk import recognise_small_talk
from satchel.runtime.session.timings import Timings

if TYPE_CHECKING:
    from satchel.runtime.session.acting import Acting

_TITLE_CHARACTERS = 60


class Session:
    """One chat. Turns run on one thread at a time; `cancel` may be called from any."""

    def __init__(
        self,
        assistant: LoadedAssistant,
        *,
        knowledge: KnowledgeClient | None,
        history: History,
        model: LanguageModel | None = None,
        acting: Acting | None = None,
        chat: Chat | None = None,
    ) -> None:
        """Without `model` answers are quotes, without `acting` no tool is called; without `chat` a new one begins.

        The session owns `knowledge`, `model` and `acting` and closes them; the history stays the caller's.
        """
        self.assistant = assistant
        self.history = history
        self._knowledge = knowledge
        self._model = model
        self._acting = acting
        self._labels: ChatLabels | None = None
        self._chat_id = chat.id if chat is not None else None
        self._cancelled = threading.Event()

    @property
    def chat(self) -> Chat | None:
        """The chat as it is now; None before the first message."""
        return self.history.chat(self._chat_id) if self._chat_id is not None else None

    @property
    def speaker(self) -> str:
        """The name of the model that answers; `reader` where answers are quotes."""
        return self._model.name if self._model is not None else READER

    def new_chat(self) -> None:
        """Let the next message begin a chat of its own."""
        self._chat_id = None

    def turn(self, message: str, *, parent: str | None = None) -> Iterator[Event]:
        """Answer one message; the last event is always `Finished`.

        `parent` is the message to follow; without it the chat goes on where it stands.

        Raises:
            UnknownMessageError: `parent` is not in this chat.
            SatchelError: the turn could not be done; the message stays in the history.
        """
        chat = self.chat or self._begin_chat(message)
        yield from self._reply(self._keep_question(chat, parent or chat.head, message))

    def edit(self, message_id: str, message: str) -> Iterator[Event]:
        """Ask a changed question in the place of an earlier one: a new branch beside it.

        Raises:
            UnknownMessageError: there is no such question in this chat.
        """
        earlier = self._own_message(message_id, role="user")
        chat = self.history.chat(earlier.chat_id)
        yield from self._reply(self._keep_question(chat, earlier.parent_id, message))

    def regenerate(self, message_id: str) -> Iterator[Event]:
        """Answer once more what `message_id` answered: a new branch beside that answer.

        Raises:
            UnknownMessageError: there is no such answer in this chat.
        """
        answer = self._own_message(message_id, role="assistant")
        assert answer.parent_id is not None  # an answer follows its question
        yield from self._reply(self.history.message(answer.parent_id))

    def answer(self, question_id: str) -> Iterator[Event]:
        """Answer a question that has no answer yet, because its turn failed: nothing is asked twice.

        Raises:
            UnknownMessageError: there is no such question in this chat.
        """
        yield from self._reply(self._own_message(question_id, role="user"))

    def cancel(self) -> None:
        """Stop the running turn; it ends with `Finished(reason="cancelled")` and keeps what was said."""
        self._cancelled.set()
        if self._knowledge is not None:
            self._knowledge.cancel()
        if self._model is not None:
            self._model.cancel()
        if self._acting is not None:
            self._acting.cancel()

    @property
    def unasked(self) -> int:
        """Calls of the last turn that were denied because nobody was there to ask."""
        return self._acting.unasked if self._acting is not None else 0

    def decide(self, request_id: str, choice: str) -> bool:
        """Answer an `ApprovalNeeded` by one of its choices or "deny", a `QuestionAsked` by any text; from any thread.

        False: it is answered already, or the turn is over.
        """
        return self._acting is not None and self._acting.answer(request_id, choice)

    def close(self) -> None:
        """End the worker processes."""
        if self._knowledge is not None:
            self._knowledge.close()
        if self._model is not None:
            self._model.close()
        if self._acting is not None:
            self._acting.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reply(self, question: Message) -> Generator[Event, None, None]:
        """Answer a question that is in the history, and keep the answer as its child."""
        self._cancelled.clear()
        timings = Timings()
        said: list[str] = []
        cited: list[Cited] = []
        calls: list[ToolFinished] = []
        spoken: Spoken | None = None
        answering = self._answer(question, timings)
        try:
            while True:
                event = next(answering)
                if isinstance(event, ToolFinished):
                    calls.append(event)  # what was done is told, also where the turn is cancelled
                if self._cancelled.is_set():
                    break
                if isinstance(event, Token):
                    timings.first_word()
                    said.append(event.text)
                elif isinstance(event, Cited):
                    cited.append(event)
                yield event
        except StopIteration as end:
            spoken = end.value
        except CancelledError:
            pass
        finally:
            answering.close()
        if spoken is None:
            answer = "".join(said).strip()
            spoken = Spoken(
                answer, found=bool(answer), reason="cancelled", mode="quote" if self._model is None else "model"
            )
        yield self._finish(question, spoken, [*_call_parts(calls), *_source_parts(cited)], timings)

    def _answer(self, question: Message, timings: Timings) -> Generator[Event, None, Spoken]:
        text = question.text
        before = self.history.path(question.parent_id)
        past = _exchanges(before)
        if self._acting is not None:
            self._acting.authority.enter(question.chat_id)
        typed = self._acting.typed if self._acting is not None else typed_label(())
        labels = self._labels = labels_of_turn(self.assistant, typed, text, before)
        if self._model is None:
            if (kind := recognise_small_talk(text)) is not None:
                files = self._knowledge.open().files if self._knowledge is not None else 0
                return (yield from talk(kind, self.assistant, files))
            if self._knowledge is None:
                return (yield from without_files())
        passages: tuple[FoundPassage, ...] = ()
        if self._knowledge is not None:
            yield Progress("searching your files", 0, None)
            with timings.stage("search"):
                known = self._knowledge.ask(
                    search_text(text, past), k=self.assistant.retrieval.k, quote=self._model is None
                )
            for name, milliseconds in known.timings_ms.items():
                timings.add(f"search.{name}", milliseconds)
            for warning in known.warnings:
                yield Warned(warning.kind, warning.text)
            add_passages(labels, self.assistant, self._knowledge.open(), known.passages)
            if self._model is None:
                return (yield from quote(known))
            passages = known.passages
            yield Retrieved(passages_as_sources(passages), known.below_gate)
        assert self._model is not None
        spoken = yield from self._model.answer(
            text, self.assistant, past, passages, timings, acting=self._acting, labels=labels
        )
        if passages and spoken.found and spoken.reason != "cancelled":
            with timings.stage("check"):
                yield from self._check(spoken.answer, passages)
        return spoken

    def _check(self, answer: str, passages: Sequence[FoundPassage]) -> Generator[Event, None, None]:
        assert self._knowledge is not None  # the passages came from it
        try:
            check = self._knowledge.check(answer, passages)
        except CancelledError:
            raise
        except SatchelError as error:  # the answer is there, and stays
            yield Warned("not-checked", f"Not checked against the files: {error.message}")
            return
        has_results = self._acting is not None and self._acting.has_results
        for one in check.sentences:
            # What is not in the passages may stand in a tool's result.
            verdict = "not_checked" if one.verdict == "not_found" and has_results else one.verdict
            sources = () if one.passage is None else (one.passage + 1,)
            yield Checked(one.start, one.end, verdict, sources, one.differing)
        if check.not_checked:
            yield Warned("not-checked", f"Not checked against the files: {check.not_checked}.")

    def _finish(self, question: Message, spoken: Spoken, further: list[Part], timings: Timings) -> Finished:
        model = self.speaker
        milliseconds = timings.finish()
        parts = (Part("text", spoken.answer), *further)
        kept = self.history.add_message(
            question.chat_id,
            question.id,
            "assistant",
            parts,
            pack_id=self.assistant.pack_id,
            model=model,
            timings=milliseconds,
            labels={LABEL: stored(self._labels.context)} if self._labels is not None else {},
        )
        return Finished(
            reason=spoken.reason,
            answer=spoken.answer,
            found=spoken.found,
            mode=spoken.mode,
            model=model,
            usage=spoken.usage,
            timings_ms=milliseconds,
            message_id=kept.id,
        )

    def _begin_chat(self, message: str) -> Chat:
        words = " ".join(message.split())
        title = words if len(words) <= _TITLE_CHARACTERS else words[: _TITLE_CHARACTERS - 1].rstrip() + "…"
        chat = self.history.create_chat(self.assistant.id, title)
        self._chat_id = chat.id
        return chat

    def _keep_question(self, chat: Chat, parent: str | None, message: str) -> Message:
        return self.history.add_message(
            chat.id, parent, "user", (Part("text", message),), pack_id=self.assistant.pack_id
        )

    def _own_message(self, message_id: str, *, role: str) -> Message:
        message = self.history.message(message_id)
        if message.chat_id != self._chat_id or message.role != role:
            raise UnknownMessageError(message=message_id)
        return message


def _exchanges(messages: Sequence[Message]) -> list[Exchange]:
    """Pair questions with their answers; a question without an answer is left out."""
    exchanges = []
    asked: Message | None = None
    for message in messages:
        if message.role == "user":
            asked = message
        elif message.role == "assistant" and asked is not None:
            exchanges.append(Exchange(asked.text, message.text))
            asked = None
    return exchanges


def _call_parts(calls: Sequence[ToolFinished]) -> list[Part]:
    """Return a call and its result for each; what the files that it made are called stands with the result."""
    parts = []
    for one in calls:
        parts.append(Part("tool_call", detail=dict(one.call)))
        files: dict[str, Any] = {"artefacts": list(one.artefacts)} if one.artefacts else {}
        parts.append(Part("tool_result", one.result, files))
    return parts


def _source_parts(cited: Sequence[Cited]) -> list[Part]:
    return [Part("source", detail=msgspec.to_builtins(entry.source)) for entry in cited]
