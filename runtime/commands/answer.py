"""`satchel run` and `chat`: open an assistant with the model that suits, and answer one question or many."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from satchel.runtime.commands.opening import Verify, open_assistant
from satchel.runtime.commands.time_limit import TimeLimit
from satchel.runtime.errors import CancelledError, SatchelError, UsageError
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.session.choosing import ModelRequest, choose_model
from satchel.runtime.session.events import Event, Finished, Warned
from satchel.runtime.session.history import Chat, History
from satchel.runtime.session.result import RunResult, collect_result
from satchel.runtime.session.session import Session
from satchel.runtime.session.stopping import Stopping
from satchel.runtime.settings import load_settings
from satchel.runtime.worker.process import Worker

if TYPE_CHECKING:
    from satchel.runtime.session.acting import Acting
    from satchel.runtime.session.assistant import LoadedAssistant

_STAGE = "answering"
_MOST_UNREAD = 3
"""Named with each answer; a folder may hold hundreds that are no documents."""
_STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How a person wants to be answered; None: as the assistant and this machine suggest."""

    model: ModelRequest = field(default_factory=ModelRequest)
    keep_history: bool = True
    can_ask: bool = False
    """A person is there who answers the events `ApprovalNeeded` and `QuestionAsked` (`Session.decide`)."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Folders that the tool `files` may read, by the names that the assistant sees."""
    writable_folders: Mapping[str, Path] = field(default_factory=dict)
    """Those that it may change as well."""
    artefacts: Path | None = None
    """Where files go that tools make; None: beside the chat."""
    history: Path | None = None
    """Another file for chats than the person's own: an editor's preview."""


class BatchLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `--batch` prints for a question: its result, or the error object."""

    line: int
    id: str | int | None = None
    """As the line has it; absent where it has none."""
    result: RunResult | None = None
    error: dict[str, Any] | None = None


class _BatchQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    question: str
    id: str | int | None = None


@contextlib.contextmanager
def open_session(
    reference: str,
    options: AnswerOptions,
    home: Home,
    *,
    chat: str | None = None,
    worker: Worker | None = None,
    verify: Verify | None = None,
    progress: Progress = SILENT,
) -> Iterator[Session]:
    """Open an assistant and everything that it needs; all of it is closed at the end of the block.

    `chat` is the id, or the beginning of one, of a chat to go on with. `worker` is a knowledge worker that was started
    early; it is closed in any case. `verify` is as `open_assistant` takes it.

    Raises:
        SatchelError: the assistant, the model or the chat is not there or not sound.
    """
    with contextlib.ExitStack() as stack:
        if worker is not None:
            stack.callback(worker.close)
        settings = load_settings(home.settings)
        assistant = open_assistant(reference, home, verify=verify, progress=progress)
        knowledge = None
        if assistant.knowledge is not None:
            knowledge = KnowledgeClient(
                KnowledgeRequest(
                    pack=assistant.knowledge,
                    home=home,
                    gate=assistant.retrieval.gate,
                    rerank=assistant.retrieval.rerank,
                    threads=settings.threads,
                ),
                worker,
            )
            stack.callback(knowledge.close)
        model = choose_model(options.model, assistant, settings, home)
        if model is not None:
            stack.callback(model.close)
        acting = _equipped(assistant, options, home, knowledge) if assistant.tools and model is not None else None
        if acting is not None:
            stack.callback(acting.close)
        history = stack.enter_context(History((options.history or home.history) if options.keep_history else None))
        opened: Chat | None = history.chat(chat, assistant_id=assistant.id) if chat is not None else None
        yield Session(assistant, knowledge=knowledge, model=model, acting=acting, history=history, chat=opened)


def _equipped(
    assistant: LoadedAssistant, options: AnswerOptions, home: Home, knowledge: KnowledgeClient | None
) -> Acting:
    # Here, because most assistants have no tools.
    from satchel.runtime.session.equipping import ToolOptions, equip
    from satchel.runtime.tools.files import PickedFolder

    folders = {name: PickedFolder(path) for name, path in options.folders.items()}
    folders |= {name: PickedFolder(path, writable=True) for name, path in options.writable_folders.items()}
    artefacts, keeps_history = options.artefacts, options.keep_history
    if options.history is not None:
        # All that a preview leaves goes with its folder: deleting its chats does not reach the person's own.
        artefacts, keeps_history = artefacts or options.history.parent / "artefacts", False
    given = ToolOptions(options.can_ask, folders, artefacts)
    return equip(assistant, home, given, knowledge=knowledge, keeps_history=keeps_history)


def answer_events(session: Session, question: str, limit: TimeLimit) -> Iterator[Event]:
    """Yield what a person should know of the assistant's files, then the events of a turn as `events_within` does."""
    unread = session.assistant.unread
    for told in unread[:_MOST_UNREAD]:
        yield Warned("unread-file", f"left out {told}")
    if len(unread) > _MOST_UNREAD:
        more = len(unread) - _MOST_UNREAD
        yield Warned("unread-file", f"left out {more} more; `satchel index` lists all files with their reasons")
    yield from events_within(session, question, limit)


def events_within(session: Session, question: str, limit: TimeLimit) -> Iterator[Event]:
    """Yield a turn's events; when the time is up the turn is cancelled, and what was said stays in the history.

    A worker that does not listen is ended soon after (`Worker.cancel`), so that the turn ends in any case.

    Raises:
        OutOfTimeError: the time was up before the turn was done.
    """
    seconds = limit.left()
    if seconds is None:
        yield from session.turn(question)
        return
    limit.check(_STAGE)
    with Stopping(session, after=seconds) as stopping:
        for event in session.turn(question):
            # Left to its end: a turn that is dropped keeps no answer.
            if stopping.begun and isinstance(event, Finished) and event.reason == "cancelled":
                raise limit.error(_STAGE)
            yield event


def answer_batch(
    reference: str,
    questions: Path,
    options: AnswerOptions,
    home: Home,
    *,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Iterator[BatchLine]:
    """Answer each line of a file ("-": standard input) with one loaded model, each question on its own.

    `timeout` is for each. A question that fails gives a line with its error, and the next one is asked. Nothing is kept
    in the history, where it would bury what a person asked, and nobody is asked what tools may do.

    Raises:
        UsageError: the file is not there, a line is no question, or two have one id; before any is asked.
    """
    TimeLimit(timeout)  # a wrong one is told before anything is opened
    asked = _read_questions(questions)
    unkept = replace(options, keep_history=False, can_ask=False)
    with open_session(reference, unkept, home, progress=progress) as session:
        for done, (line, entry) in enumerate(asked):
            progress(_STAGE, done, len(asked))
            session.new_chat()
            try:
                result = collect_result(
                    events_within(session, entry.question, TimeLimit(timeout)), pack_id=session.assistant.pack_id
                )
                yield BatchLine(line, entry.id, result)
            except CancelledError:
                raise
            except SatchelError as error:
                yield BatchLine(line, entry.id, error=error.as_object())
        progress(_STAGE, len(asked), len(asked))


def _read_questions(path: Path) -> list[tuple[int, _BatchQuestion]]:
    name = "standard input" if path == _STANDARD_INPUT else str(path)
    try:
        content = sys.stdin.buffer.read() if path == _STANDARD_INPUT else path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(reason=f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise UsageError(reason=f"{name} is not UTF-8 (byte {error.start})") from error
    asked = []
    seen: dict[str | int, int] = {}
    # Not `splitlines`: U+2028 within a question ends no line of JSON.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = msgspec.json.decode(line, type=_BatchQuestion)
        except msgspec.DecodeError as error:
            raise UsageError(reason=f'{name}, line {number}: {error}; a line is {{"question": "…"}}') from error
        if not entry.question.strip():
            raise UsageError(reason=f"{name}, line {number}: the question is empty")
        if entry.id is not None and (before := seen.setdefault(entry.id, number)) != number:
            raise UsageError(reason=f'{name}, line {number}: the id "{entry.id}" is that of line {before}')
        asked.append((number, entry))
    return asked
