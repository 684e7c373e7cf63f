"""Turn a session's events into text on a terminal: the answer as it comes, then where it stands."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.cli.tool_prompts import show_tool_event
from satchel.runtime.session.citations import cited_in_order
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

_QUOTE_WIDTH = 96


def render_turn(
    events: Iterable[Event], terminal: Terminal, *, decide: Callable[[str, str], object] | None = None
) -> Finished:
    """Print a turn while it runs and return its end; `decide` takes the person's answers to what tools ask."""
    kept: list[Cited | Checked | Retrieved] = []
    thinking = False
    for event in events:
        match event:
            case Progress():
                terminal.progress(event.stage, event.done, event.total)
            case Thinking():
                thinking = _show_thinking(event.text, terminal, begun=thinking)
            case Token():
                thinking = _show_token(event.text, terminal, thinking=thinking)
            case Retrieved() | Cited() | Checked():
                kept.append(event)
            case ApprovalNeeded() | QuestionAsked() | ToolRequested() | ToolFinished():
                show_tool_event(event, terminal, decide)
            case Warned():
                terminal.note(terminal.dim(f"note: {event.text}"))
            case Finished():
                terminal.end_progress()
                cited = [one for one in kept if isinstance(one, Cited)]
                shown = [source for one in kept if isinstance(one, Retrieved) for source in one.passages]
                _show_end(event, cited_in_order(cited), terminal)
                _show_unnamed(event, cited, shown, terminal)
                _show_checks(event.answer, [one for one in kept if isinstance(one, Checked)], shown, terminal)
                return event
            case _:
                pass
    raise AssertionError("a turn ends with Finished")


def place(source: Source) -> str:
    """Return "tides.pdf, p. 12" for a source."""
    if source.page is None:
        return source.file
    label = source.page_label or str(source.page)
    return f"{source.file}, p. {label}" if label.isdigit() else f"{source.file}, {label}"


def _show_end(finished: Finished, sources: list[Source], terminal: Terminal) -> None:
    terminal.print()
    if sources:
        terminal.print()
    for source in sources:
        mark = " (read from a picture)" if source.from_picture else ""
        terminal.print(f"  {terminal.bold(f'[{source.n}]')} {place(source)}{mark}")
        quoted = textwrap.shorten(" ".join(source.text.split()), 4 * _QUOTE_WIDTH, placeholder=" …")
        terminal.print(terminal.dim(textwrap.indent(textwrap.fill(f"“{quoted}”", _QUOTE_WIDTH), "      ")))
    terminal.note(terminal.dim(f"\n{_who_spoke(finished)}"))


def _show_token(text: str, terminal: Terminal, *, thinking: bool) -> bool:
    """Print a piece of the answer; the thinking is over."""
    terminal.end_progress()
    if thinking:
        terminal.note("")
    terminal.print(text, end="")
    return False


def _show_unnamed(finished: Finished, cited: list[Cited], shown: Sequence[Source], terminal: Terminal) -> None:
    """List what a language model was shown when it names none of it: the person can look there."""
    if finished.mode == "model" and finished.found and shown and not cited:
        places = "; ".join(dict.fromkeys(place(source) for source in shown))
        terminal.note(terminal.dim(f"It was shown, and does not name: {places}"))


def _show_checks(answer: str, checked: list[Checked], shown: Sequence[Source], terminal: Terminal) -> None:
    """Say which sentences of a language model's answer the files hold, and name those that they do not."""
    supported = sum(one.verdict == "supported" for one in checked)
    judged = sum(one.verdict != "not_checked" for one in checked)
    if not judged:
        return
    statements = "statement stands" if judged == 1 else "statements stand"
    terminal.note(terminal.dim(f"Checked: {supported} of {judged} {statements} in the files."))
    places = {source.n: place(source) for source in shown}
    for one in checked:
        said = textwrap.shorten(" ".join(answer[one.start : one.end].split()), _QUOTE_WIDTH, placeholder=" …")
        if one.verdict == "contradicted":
            other = ", ".join(one.differing) or "it"
            where = "; ".join(places[n] for n in one.sources if n in places)
            terminal.note(f"  not as in {where} ({other}): “{said}”")
        elif one.verdict == "not_found":
            terminal.note(f"  not found in the passages: “{said}”")


def _who_spoke(finished: Finished) -> str:
    seconds = finished.timings_ms.get("total", 0.0) / 1000
    if finished.reason == "cancelled":
        return f"Stopped after {seconds:.1f} s."
    if finished.mode == "quote" and finished.found:
        return f"Quoted word for word from the files, {seconds:.2f} s; no language model spoke."
    if finished.mode == "quote":
        return f"Looked up in the files, {seconds:.2f} s; no language model spoke."
    if finished.mode == "talk":
        return "In the assistant's author's words; no language model spoke."
    rate = finished.usage.completion_tokens / max(finished.timings_ms.get("decode", 0.0) / 1000, 1e-3)
    first = finished.timings_ms.get("first_word", 0.0) / 1000
    ended = " (cut off at the token limit)" if finished.reason == "length" else ""
    return f"{finished.model} spoke: first word after {first:.1f} s, {rate:.0f} tokens/s{ended}."


def _show_thinking(text: str, terminal: Terminal, *, begun: bool) -> bool:
    if not begun:
        terminal.end_progress()
        terminal.note(terminal.dim("thinking …"))
    return bool(text) or begun
