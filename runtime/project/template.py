"""New projects from templates: `templates/NAME.toml` holds the settings and the instructions of one."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from satchel.runtime.atomic import save_text
from satchel.runtime.errors import SaveError
from satchel.runtime.packfile.names import UNSAFE_CHARACTERS
from satchel.runtime.project.errors import FolderNotEmptyError, UnknownTemplateError
from satchel.runtime.project.folder import (
    CASES_FILE,
    EXAMPLES_FILE,
    INSTRUCTIONS_FILE,
    KNOWLEDGE_FOLDER,
    SETTINGS_FILE,
    Project,
    load_project,
)
from satchel.runtime.project.schema import Assistant, Tool, new_id

DEFAULT_TEMPLATE = "documents"
_FOLDER = Path(__file__).parent / "templates"
_UNSAFE = re.compile(f"[{UNSAFE_CHARACTERS}]")


@dataclass(frozen=True, slots=True)
class Template:
    """A starting point: what it is for, and the texts that a new project begins with."""

    name: str
    purpose: str
    description: str
    greeting: str
    starters: tuple[str, ...]
    instructions: str
    tools: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Ticked from the start, each with the powers that it asks for."""


def list_templates() -> tuple[Template, ...]:
    """Return all templates by name."""
    return tuple(_read_template(path) for path in sorted(_FOLDER.glob("*.toml")))


def create_project(folder: Path, *, template: str = DEFAULT_TEMPLATE, name: str | None = None) -> Project:
    """Make a project folder; nothing that is there is touched, and a failure leaves nothing behind but empty folders.

    Raises:
        UnknownTemplateError: names those that there are.
        FolderNotEmptyError: the folder has files in it.
        SaveError: it cannot be written there.
    """
    known = {entry.name: entry for entry in list_templates()}
    if template not in known:
        raise UnknownTemplateError(name=template, known=", ".join(known))
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FolderNotEmptyError(folder=folder)
        (folder / KNOWLEDGE_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(path=folder, reason=(error.strerror or str(error)).lower()) from error
    chosen = known[template]
    texts = {
        INSTRUCTIONS_FILE: chosen.instructions,
        EXAMPLES_FILE: "",
        CASES_FILE: "",
        # Last, because it makes the folder a project.
        SETTINGS_FILE: shown_settings(
            Assistant(
                id=new_id(),
                name=_title(name or "") or _title_from(folder) or "Assistant",
                description=chosen.description,
                greeting=chosen.greeting,
                starters=list(chosen.starters),
                tools={name: Tool(requests=list(requests)) for name, requests in chosen.tools.items()},
            )
        ),
    }
    try:
        for file, text in texts.items():
            save_text(folder / file, text)
    except BaseException:
        for file in texts:
            (folder / file).unlink(missing_ok=True)
        for empty in (folder / CASES_FILE).parent, folder / KNOWLEDGE_FOLDER:
            with contextlib.suppress(OSError):
                empty.rmdir()
        raise
    return load_project(folder)


def _title_from(folder: Path) -> str:
    title = _title(folder.resolve().name.replace("-", " ").replace("_", " "))
    return title[:1].upper() + title[1:]


def _title(name: str) -> str:
    """Return a name on one line, without what else a folder's name or an argument may hold."""
    return " ".join(_UNSAFE.sub(" ", name).split())[:100].strip()


def _read_template(path: Path) -> Template:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    table["starters"] = tuple(table["starters"])
    return Template(name=path.stem, **table)


def shown_settings(assistant: Assistant) -> str:
    """Return an `assistant.toml` that states who an assistant is and shows every default in a comment.

    What else differs from the defaults, `save_assistant` adds.
    """
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment("An assistant for Satchel. Keys that are left out have the values shown after #."))
    for key in ("format", "id", "name", "version", "author", "description", "greeting", "starters"):
        document.add(key, tomlkit.item(getattr(assistant, key)))
    return tomlkit.dumps(document) + _SHOWN_DEFAULTS + _shown_tools(assistant)


def _shown_tools(assistant: Assistant) -> str:
    """Return a table for each tool, with what it asks for."""
    import tomlkit

    lines = []
    for name, tool in assistant.tools.items():
        lines += [f"\n[tools.{name}]"]
        lines += [f"requests = {tomlkit.item(tool.requests).as_string()}"] if tool.requests else []
    return "\n".join([*lines, ""]) if lines else ""


# One line a key: where an example of a table of its own ended a section, a key that a program adds would land under it.
_SHOWN_DEFAULTS = """
# attribution = ""            # licences of the knowledge files; shown with the pack
# examples = 4                # how many of examples.jsonl the model sees
# models that suit it, best first:
# models = [{ name = "Qwen3 4B Instruct", family = "qwen3", parameters = "4B" }]

[retrieval]
# passage_tokens = 200        # length of a passage, in the embedder's tokens
# overlap_tokens = 0
# k = 6                       # passages shown to the model
# gate = "auto"               # "auto", "off", or the least probability (0 to 1) that a passage bears on the question
# rerank = false

[sampling]
# temperature = 0.2
# top_p = 0.95
# top_k = 40
# min_p = 0.05
# repeat_penalty = 1.05
# max_tokens = 512
# seed = 1                    # left out: another one each time

[knowledge]
links = []                    # folders that stay where they are, such as "../notes"
# embedder = "default"        # "default" (English), "multilingual", or a folder of a sentence-transformers model
# trusted = false             # true, or a list of files whose words may be acted upon
# public = false              # true, or a list of files that hold no secret
"""
