"""A pack's review, without a widget: everything that it asks for and carries, in plain words."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from satchel.builder.language import counted, translate
from satchel.builder.sizes import size_words
from satchel.runtime.commands.inspect import PackDescription, ToolDescription
from satchel.runtime.packfile.knowledge_check import read_files
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.store import InstalledPack, PackStore
from satchel.runtime.paths import Home
from satchel.runtime.project.folder import AVATAR_FILE, INSTRUCTIONS_FILE

_ICONS = {"net": "globe", "fs": "folder-open", "code": "code", "mcp": "terminal"}


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One thing that a pack asks for or carries."""

    icon: str
    title: str
    detail: str
    action: str = ""
    """What a link at the right says; empty for none."""
    more: str = ""
    """What the link shows."""
    note: str = ""
    """What stands at the right instead of a link."""


@dataclass(frozen=True, slots=True)
class Review:
    """Everything on the page."""

    path: Path
    description: PackDescription
    avatar: bytes
    asks: tuple[ReviewRow, ...]
    carries: tuple[ReviewRow, ...]
    since: str = ""
    """The installed version that this one would replace; empty where there is none."""
    changes: tuple[ReviewRow, ...] = ()
    installed: bool = False
    """This very pack is here already."""

    @property
    def asks_for_nothing(self) -> bool:
        """True when there is nothing to decide."""
        return not self.asks


@dataclass(frozen=True, slots=True)
class _Contents:
    instructions: str
    avatar: bytes
    files: dict[str, str]
    """Name and SHA-256 of each knowledge file."""
    requests: frozenset[str]


def read_review(path: Path, description: PackDescription, home: Home) -> Review:
    """Compare a described pack with what is installed, and put it in words."""
    store = PackStore(home)
    versions = store.versions(description.identity.id)
    installed = any(version.pack_id == description.pack_id for version in versions)
    contents = _contents(path)
    before: InstalledPack | None = versions[0] if versions and not installed else None
    return Review(
        path=path,
        description=description,
        avatar=contents.avatar,
        asks=tuple(_ask(tool) for tool in description.tools),
        carries=tuple(_carried(description, contents, home)),
        since=before.version if before is not None else "",
        changes=tuple(_changes(_contents(before.path), contents)) if before is not None else (),
        installed=installed,
    )


def origin_words(description: PackDescription) -> str:
    """Return who a pack is from: "From Satchel, unsigned"."""
    author = description.identity.author or translate("Import", "somebody who gives no name")
    if description.signature == "unsigned":
        return translate("Import", "From {author}, unsigned", author=author)
    return translate("Import", "From {author}; its signature is not checked", author=author)


def _ask(tool: ToolDescription) -> ReviewRow:
    words = tuple(dict.fromkeys(tool.in_words))
    kind = tool.requests[0].partition(".")[0] if tool.requests else ""
    if not words:
        return ReviewRow(
            "calculator",
            tool.name[:1].upper() + tool.name[1:],
            translate("Import", "touches nothing"),
            note=translate("Import", "needs no permission"),
        )
    first = words[0]
    detail = translate("Import", "for its tool “{tool}”", tool=tool.name)
    if len(words) > 1:
        detail = "; ".join((*words[1:], detail))
    return ReviewRow(
        _ICONS.get(kind, "plug"), first[:1].upper() + first[1:], detail, note=translate("Import", "asks each time")
    )


def _carried(description: PackDescription, contents: _Contents, home: Home) -> list[ReviewRow]:
    rows = []
    if description.files:
        rows.append(_files_row(description))
    words = len(contents.instructions.split())
    if words:
        title = counted(
            words, translate("Import", "Instructions, {n} word"), translate("Import", "Instructions, {n} words")
        )
        rows.append(
            ReviewRow(
                "file-text",
                title,
                translate("Import", "you can read and change them"),
                translate("Import", "Read"),
                contents.instructions,
            )
        )
    if description.attribution.strip():
        rows.append(
            ReviewRow(
                "info",
                translate("Import", "Where its texts come from"),
                translate("Import", "licences that its author names"),
                translate("Import", "Read"),
                description.attribution.strip(),
            )
        )
    rows.append(_model_row(description, home))
    return rows


def _files_row(description: PackDescription) -> ReviewRow:
    files = description.files
    pages = sum(file.pages for file in files)
    parts = [counted(len(files), translate("Import", "{n} file"), translate("Import", "{n} files"))]
    if pages:
        parts.append(counted(pages, translate("Import", "{n} page"), translate("Import", "{n} pages")))
    parts.append(counted(description.passages, translate("Import", "{n} passage"), translate("Import", "{n} passages")))
    inside = sum(file.source_included for file in files)
    if inside == len(files):
        detail = translate("Import", "the originals are inside")
    elif inside:
        detail = translate("Import", "{n} of the originals are inside, of the others the text", n=inside)
    else:
        detail = translate("Import", "their text is inside, the originals are not")
    if all(file.trusted for file in files):
        detail += translate("Import", "; its author trusts what they say")
    if all(file.public for file in files):
        detail += translate("Import", "; its author says nothing in them is secret")
    lines = [
        f"{file.name} · {size_words(file.size)}"
        + (f" · {file.pages} p." if file.pages else "")
        + (f" · {file.language}" if file.language else "")
        + (f" · {file.problem}" if file.problem else "")
        for file in files
    ]
    return ReviewRow("book-open", ", ".join(parts), detail, translate("Import", "Look inside"), "\n".join(lines))


def _model_row(description: PackDescription, home: Home) -> ReviewRow:
    from satchel.runtime.engine.choice import list_models
    from satchel.runtime.session.preferred import find_preferred

    if not description.models:
        detail = translate("Import", "it answers with your model, or by quotes where there is none")
        return ReviewRow("box", translate("Import", "Made for no model in particular"), detail)
    wanted = description.models[0].name
    # The pack's own struct has the keys that are looked at here.
    found = find_preferred(description.models, home)  # type: ignore[arg-type] # two schemas, one shape
    if found is not None:
        detail = translate("Import", "{model} is on this computer and will answer", model=found.name)
    elif list_models(home):
        detail = translate("Import", "not on this computer; choose another model in the chat, until then it quotes")
    else:
        detail = translate("Import", "not on this computer; answers will be quotes until you add a model")
    return ReviewRow("box", translate("Import", "Made for {model}", model=wanted), detail)


def _contents(path: Path) -> _Contents:
    with open_pack(path, verify=False) as pack:
        return _Contents(
            instructions=_text(pack, INSTRUCTIONS_FILE),
            avatar=pack.read(AVATAR_FILE) if AVATAR_FILE in pack else b"",
            files={file.name: file.sha256 for file in read_files(pack)},
            requests=frozenset(request for tool in pack.manifest.tools for request in tool.requests),
        )


def _text(pack: Pack, name: str) -> str:
    return pack.read(name).decode(errors="replace") if name in pack else ""


def _changes(before: _Contents, now: _Contents) -> list[ReviewRow]:
    from satchel.runtime.packfile.requests import request_in_words

    rows = [
        ReviewRow("plus", translate("Import", "now asks to {what}", what=request_in_words(request)), "")
        for request in sorted(now.requests - before.requests)
    ]
    rows += [
        ReviewRow("x", translate("Import", "no longer asks to {what}", what=request_in_words(request)), "")
        for request in sorted(before.requests - now.requests)
    ]
    changed = _changed_lines(before.instructions, now.instructions)
    if changed:
        words = counted(
            changed,
            translate("Import", "instructions: {n} line changed"),
            translate("Import", "instructions: {n} lines changed"),
        )
        rows.append(ReviewRow("pencil", words, ""))
    else:
        rows.append(ReviewRow("check", translate("Import", "instructions unchanged"), ""))
    files = [
        (translate("Import", "{n} new"), len(now.files.keys() - before.files.keys())),
        (translate("Import", "{n} gone"), len(before.files.keys() - now.files.keys())),
        (
            translate("Import", "{n} changed"),
            sum(before.files[name] != now.files[name] for name in now.files.keys() & before.files.keys()),
        ),
    ]
    said = ", ".join(words.format(n=count) for words, count in files if count)
    if said:
        rows.append(ReviewRow("pencil", translate("Import", "files: {changes}", changes=said), ""))
    else:
        rows.append(ReviewRow("check", translate("Import", "files unchanged"), ""))
    return rows


def _changed_lines(before: str, now: str) -> int:
    matcher = difflib.SequenceMatcher(a=before.splitlines(), b=now.splitlines(), autojunk=False)
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")
