"""What the table of knowledge shows, without a widget: a row for each file and each linked folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from satchel.builder.language import counted, translate
from satchel.builder.operations import Step
from satchel.runtime.knowledge.language_names import language_name
from satchel.runtime.project.folder import KnowledgeFile, Project
from satchel.runtime.project.outcomes import IndexedFile, ProjectIndex

State: TypeAlias = Literal["waiting", "reading", "ready", "note", "failed"]
Origin: TypeAlias = Literal["file", "link", "pack"]

_READING = re.compile(r"reading (.*)", re.DOTALL)
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; an empty text is shown as a dash."""

    name: str
    """A file's name, or how `knowledge.links` spells a folder."""
    origin: Origin
    icon: str
    pages: str
    passages: str
    language: str
    state: State
    words: str
    """What the state is, in words; for a failure the reason."""
    fraction: float | None = None
    """How much of it is read."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that is known of a project's files at one moment."""

    files: tuple[KnowledgeFile, ...] = ()
    """Those on the disk."""
    links: tuple[str, ...] = ()
    link_names: tuple[str, ...] = ()
    """For each link, how the names of its files begin: "bulletins/"."""
    from_pack: tuple[str, ...] = ()
    index: ProjectIndex | None = None
    """As it was read last; None: it was not yet."""
    step: Step | None = None
    """What is being read now; None: nothing."""


def overview_of(project: Project) -> tuple[tuple[KnowledgeFile, ...], tuple[str, ...]]:
    """Return a project's files, and how the names of each link's files begin."""
    files = project.knowledge_files()
    tops = tuple(_top(link) for link in project.assistant.knowledge.links)
    return files, tops


def rows_of(overview: Overview, *, english_only: bool) -> list[Row]:
    """Return the table; `english_only` tells that the embedder speaks no other language."""
    known = {file.name: file for file in overview.index.files} if overview.index is not None else {}
    rows = [
        _row(file.name, "file", file.problem, known.get(file.name), overview.step, english_only=english_only)
        for file in overview.files
        if not file.linked
    ]
    rows += [
        _row(name, "pack", "", known.get(name), overview.step, english_only=english_only) for name in overview.from_pack
    ]
    rows.sort(key=lambda row: row.name.casefold())
    linked = [file for file in overview.files if file.linked]
    for link, top in zip(overview.links, overview.link_names, strict=True):
        inside = [file for file in linked if file.name == top or file.name.startswith(f"{top}/")]
        rows.append(_link_row(link, inside, known, overview.step))
    return rows


def work_words(step: Step) -> Step | None:
    """Return the step of work on all files together, in plain words; None for the reading of one file."""
    if _READING.fullmatch(step.stage):
        return None
    stages = {
        "finding passages": translate("Knowledge", "cutting texts into passages"),
        "embedding passages": translate("Knowledge", "making passages searchable"),
    }
    return Step(stages.get(step.stage, step.stage), step.done, step.total, step.seconds_left)


def summary(rows: Sequence[Row], index: ProjectIndex | None) -> str:
    """Return the line under the table: "8 files, 768 passages; 1 cannot be read"."""
    files = len(index.files) if index is not None else len(rows)
    said = counted(files, translate("Knowledge", "{n} file"), translate("Knowledge", "{n} files"))
    if index is not None:
        passages = translate("Knowledge", "{n} passage"), translate("Knowledge", "{n} passages")
        said += ", " + counted(index.passages, *passages)
    if failed := sum(row.state == "failed" for row in rows):
        said += translate("Knowledge", "; {n} cannot be read", n=failed)
    return said


def _row(
    name: str, origin: Origin, problem: str, known: IndexedFile | None, step: Step | None, *, english_only: bool
) -> Row:
    icon = "image" if PurePosixPath(name).suffix.casefold() in _PICTURES else "file-text"
    pages = f"{known.pages:,}" if known is not None and known.pages else ""
    passages = f"{known.passages:,}" if known is not None and known.passages else ""
    language = language_name(known.language) if known is not None and known.language else ""
    reason = problem or (known.problem if known is not None and not known.passages else "")
    if step is not None and (reading := _READING.fullmatch(step.stage)) and reading[1] == name:
        words = translate("Knowledge", "reading")
        if step.total and step.done:
            words = translate("Knowledge", "reading p. {n} of {m}", n=f"{step.done:,}", m=f"{step.total:,}")
        return Row(name, origin, icon, pages, passages, language, "reading", words, _fraction(step))
    if reason:
        return Row(name, origin, "circle-alert", pages, "", language, "failed", _without_name(reason, name))
    if known is None:
        return Row(name, origin, icon, "", "", "", "waiting", translate("Knowledge", "waiting"))
    state, words = _read_state(known, origin, language, english_only=english_only)
    return Row(name, origin, icon, pages, passages, language, state, words)


def _read_state(known: IndexedFile, origin: Origin, language: str, *, english_only: bool) -> tuple[State, str]:
    if not known.passages:
        return "note", translate("Knowledge", "holds no text")
    if english_only and known.language not in {"", "en"}:
        return "note", translate("Knowledge", "{language}: search by meaning is weak", language=language)
    if known.problem:
        return "note", _without_name(known.problem, known.name)
    if origin == "pack":
        return "ready", translate("Knowledge", "ready, came with its pack")
    return "ready", translate("Knowledge", "ready")


def _link_row(link: str, inside: Sequence[KnowledgeFile], known: dict[str, IndexedFile], step: Step | None) -> Row:
    found = [known[file.name] for file in inside if file.name in known]
    pages = counted(len(inside), translate("Knowledge", "{n} file"), translate("Knowledge", "{n} files"))
    passages = sum(file.passages for file in found)
    failed = _failures(inside, known)
    new = sum(file.name not in known for file in inside)
    words, state, fraction = translate("Knowledge", "linked"), "ready", None
    reading = _READING.fullmatch(step.stage) if step is not None else None
    if reading and any(file.name == reading[1] for file in inside):
        words += translate("Knowledge", " · reading {file}", file=PurePosixPath(reading[1]).name)
        return Row(link, "link", "folder-open", pages, "", "", "reading", words, _fraction(step))
    if new:
        words += translate("Knowledge", " · {n} not read yet", n=new)
        state = "waiting"
    if failed:
        words += translate("Knowledge", " · {n} cannot be read: {files}", n=len(failed), files="; ".join(failed))
        state = "note"
    shown: State = "note" if state == "note" else "waiting" if state == "waiting" else "ready"
    return Row(link, "link", "folder-open", pages, f"{passages:,}" if passages else "", "", shown, words, fraction)


def _failures(inside: Iterable[KnowledgeFile], known: dict[str, IndexedFile]) -> list[str]:
    reasons = []
    for file in inside:
        read = known.get(file.name)
        why = file.problem or (read.problem if read is not None and not read.passages else "")
        if why:
            reasons.append(f"{PurePosixPath(file.name).name}: {_without_name(why, file.name)}")
    return reasons


def _without_name(reason: str, name: str) -> str:
    """Return a reason without the file's name before it: it stands in the same line."""
    return reason.removeprefix(f"{name} ").removeprefix(f"{name}: ")


def _fraction(step: Step | None) -> float | None:
    return step.done / step.total if step is not None and step.total else None


def _top(link: str) -> str:
    name = PurePosixPath(link).name
    return name.lstrip(".") or "linked"
