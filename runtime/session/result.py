"""The one object of `--json`: a turn's events put together in the shape that DESIGN 6 promises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from satchel.runtime.session.citations import cited_in_order
from satchel.runtime.session.events import Checked, Cited, Event, Finished, Source, ToolFinished, Usage, Warned


class SourceResult(msgspec.Struct, frozen=True):
    """One source; `start` and `end` are characters of the file's text and delimit `text`."""

    n: int
    file: str
    page: int | None
    start: int
    end: int
    text: str
    score: float


class SentenceVerdict(msgspec.Struct, frozen=True):
    """A sentence of the answer and whether the passages hold it; offsets into `answer`."""

    start: int
    end: int
    verdict: str
    sources: list[int]


class Grounding(msgspec.Struct, frozen=True):
    """How much of an answer stands in the files."""

    supported: int
    not_found: int
    contradicted: int
    sentences: list[SentenceVerdict]


class WarningResult(msgspec.Struct, frozen=True):
    """Something the person should know."""

    kind: str
    text: str


class RunResult(msgspec.Struct, frozen=True):
    """`satchel run --json`."""

    answer: str
    found: bool
    mode: Literal["quote", "model"]
    grounded: Grounding | None
    sources: list[SourceResult]
    tool_calls: list[dict[str, Any]]
    artefacts: list[str]
    warnings: list[WarningResult]
    model: str
    pack_id: str
    usage: Usage
    timings_ms: dict[str, float]


def collect_result(events: Iterable[Event], *, pack_id: str) -> RunResult:
    """Consume a turn to its end and put its events together."""
    finished: Finished | None = None
    cited: list[Cited] = []
    checked: list[Checked] = []
    warnings: list[WarningResult] = []
    calls: list[dict[str, Any]] = []
    artefacts: list[str] = []
    for event in events:
        match event:
            case Cited():
                cited.append(event)
            case Checked():
                checked.append(event)
            case Warned():
                warnings.append(WarningResult(event.kind, event.text))
            case ToolFinished():
                calls.append({**event.call, "result": event.result})
                artefacts += event.artefacts
            case Finished():
                finished = event
            case _:
                pass
    assert finished is not None  # the last event of every turn that raised nothing
    return RunResult(
        answer=finished.answer,
        found=finished.found,
        mode="model" if finished.mode == "model" else "quote",
        grounded=_grounding(checked),
        sources=[_source(source) for source in cited_in_order(cited)],
        tool_calls=calls,
        artefacts=artefacts,
        warnings=warnings,
        model=finished.model,
        pack_id=pack_id,
        usage=finished.usage,
        timings_ms=finished.timings_ms,
    )


def _source(source: Source) -> SourceResult:
    return SourceResult(source.n, source.file, source.page, source.start, source.end, source.text, source.score)


def _grounding(checked: list[Checked]) -> Grounding | None:
    judged = [entry for entry in checked if entry.verdict != "not_checked"]
    if not judged:
        return None
    return Grounding(
        supported=sum(entry.verdict == "supported" for entry in judged),
        not_found=sum(entry.verdict == "not_found" for entry in judged),
        contradicted=sum(entry.verdict == "contradicted" for entry in judged),
        sentences=[SentenceVerdict(entry.start, entry.end, entry.verdict, list(entry.sources)) for entry in judged],
    )
