"""`satchel eval`: run an assistant's saved cases, offline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.commands.answer import AnswerOptions, open_session
from satchel.runtime.commands.opening import find_pack, is_folder
from satchel.runtime.errors import CancelledError, SatchelError
from satchel.runtime.evals.cases import Case, read_cases
from satchel.runtime.evals.judge import CaseOutcome, could_not_answer, judge
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.folder import CASES_FILE, load_project
from satchel.runtime.session.events import Event, Retrieved, Source
from satchel.runtime.session.result import collect_result
from satchel.runtime.session.session import Session


class NoCasesError(SatchelError):
    """{reference} has no saved cases{why}."""

    exit_code = 19
    remedy = "Add lines to evals/cases.jsonl, each with an id, a question and what is expected of its answer."


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All outcomes, in the order of the cases."""

    assistant: str
    model: str
    outcomes: tuple[CaseOutcome, ...]

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(outcome.passed for outcome in self.outcomes)


def evaluate(
    reference: str,
    options: AnswerOptions,
    home: Home,
    *,
    tags: tuple[str, ...] = (),
    progress: Progress = SILENT,
) -> Evaluation:
    """Ask every case (or those with one of `tags`) in a chat of its own, and judge the answers; nothing is kept.

    A question that cannot be answered, because it is longer than the window, say, fails its case and stops nothing.

    Raises:
        NoCasesError: there is none.
        ProjectFormatError: a line of the cases is wrong; names it.
    """
    cases = [case for case in _cases(reference, home) if not tags or set(tags) & set(case.tags)]
    if not cases:
        raise NoCasesError(reference=reference, why=f" with the tag {', '.join(tags)}" if tags else "")
    unkept = AnswerOptions(model=options.model, keep_history=False)
    outcomes = []
    model = ""
    with open_session(reference, unkept, home, progress=progress) as session:
        for done, case in enumerate(cases):
            progress("asking", done, len(cases))
            try:
                outcome, model = _ask(session, case)
            except CancelledError:
                raise
            except SatchelError as error:
                outcome = could_not_answer(case, error.message)
            outcomes.append(outcome)
        name = session.assistant.name
    progress("asking", len(cases), len(cases))
    return Evaluation(name, model, tuple(outcomes))


def _ask(session: Session, case: Case) -> tuple[CaseOutcome, str]:
    session.new_chat()
    retrieved: list[Source] = []

    def noting(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            if isinstance(event, Retrieved):
                retrieved.extend(event.passages)
            yield event

    result = collect_result(noting(session.turn(case.question)), pack_id=session.assistant.pack_id)
    return judge(case, result, retrieved), result.model


def _cases(reference: str, home: Home) -> tuple[Case, ...]:
    if is_folder(reference):
        path = load_project(Path(reference)).optional_file(CASES_FILE)
        return read_cases(path.read_bytes(), path) if path is not None else ()
    with find_pack(reference, home).open() as pack:
        return read_cases(pack.read(CASES_FILE), pack.path / CASES_FILE) if CASES_FILE in pack else ()
