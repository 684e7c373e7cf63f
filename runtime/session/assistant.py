"""An assistant as a session needs it, whether it comes from a pack or from its editable folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.packfile.names import FILES
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.project.folder import EXAMPLES_FILE, INSTRUCTIONS_FILE, Example, Project
from satchel.runtime.project.schema import (
    Adapter,
    Assistant,
    Knowledge,
    ModelPreference,
    Retrieval,
    Sampling,
    Tool,
)
from satchel.runtime.project.sealing import unseal
from satchel.runtime.session.tool_files import ToolFiles


@dataclass(frozen=True, slots=True)
class LoadedAssistant:
    """Who answers, with which knowledge and settings."""

    id: str
    name: str
    version: str
    author: str
    description: str
    greeting: str
    starters: tuple[str, ...]
    attribution: str
    instructions: str
    examples: tuple[Example, ...]
    retrieval: Retrieval
    sampling: Sampling
    models: tuple[ModelPreference, ...]
    adapter: Adapter | None
    tools: Mapping[str, Tool]
    """By name, each with its settings and the powers that the assistant asks for."""
    knowledge: VerifiedPack | None
    """The pack whose arrays are searched: a sealed one, or the index that a project keeps in the cache."""
    pack_id: str
    """Empty for a folder."""
    unpacked_from: str = ""
    """Of a folder that came in a pack and was not taken for one's own yet: that pack's id."""
    tool_files: ToolFiles = field(default_factory=ToolFiles)
    """Its own descriptions of tools, read when a chat wants them."""
    unread: tuple[str, ...] = ()
    """Of a folder: the files that could not be read, each with its reason."""

    @property
    def has_knowledge(self) -> bool:
        """True when there are files to answer from."""
        return self.knowledge is not None

    @property
    def is_received(self) -> bool:
        """Whether its words, ticks and requests are somebody else's: a pack, or a folder that was unpacked from one."""
        return bool(self.pack_id or self.unpacked_from)


def from_project(project: Project, index: VerifiedPack | None, *, unread: tuple[str, ...] = ()) -> LoadedAssistant:
    """Return the assistant of an editable folder; `index` holds its knowledge arrays, None without files."""
    loaded = _load(project.assistant, project.instructions, project.examples, index, pack_id="")
    return replace(loaded, unpacked_from=project.assistant.unpacked_from, tool_files=ToolFiles(project), unread=unread)


def from_pack(pack: Pack, verified: VerifiedPack) -> LoadedAssistant:
    """Return the assistant of an open pack.

    Raises:
        DamagedPackError: its instructions or examples are not what they must be.
    """
    try:
        instructions = pack.read(INSTRUCTIONS_FILE).decode() if INSTRUCTIONS_FILE in pack else ""
        lines = pack.read(EXAMPLES_FILE).splitlines() if EXAMPLES_FILE in pack else []
        examples = tuple(msgspec.json.decode(line, type=Example) for line in lines if line.strip())
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise DamagedPackError(path=pack.path, reason=f"its instructions or examples: {error}") from error
    knowledge = verified if FILES in pack else None
    assistant = unseal(pack.manifest, knowledge=Knowledge())
    loaded = _load(assistant, instructions, examples, knowledge, pack_id=pack.pack_id)
    return replace(loaded, tool_files=ToolFiles(pack=verified))


def _load(
    assistant: Assistant,
    instructions: str,
    examples: tuple[Example, ...],
    knowledge: VerifiedPack | None,
    *,
    pack_id: str,
) -> LoadedAssistant:
    return LoadedAssistant(
        id=assistant.id,
        name=assistant.name,
        version=assistant.version,
        author=assistant.author,
        description=assistant.description,
        greeting=assistant.greeting,
        starters=tuple(assistant.starters),
        attribution=assistant.attribution,
        instructions=instructions,
        examples=examples[: assistant.examples],
        retrieval=assistant.retrieval,
        sampling=assistant.sampling,
        models=tuple(assistant.models),
        adapter=assistant.adapter,
        tools=assistant.tools,
        knowledge=knowledge,
        pack_id=pack_id,
    )
