"""An assistant as a session needs it, whether it comes from a pack or from its editable folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from satchel.runtime.project.folder import Example, Project
from satchel.runtime.project.schema import Adapter, ModelPreference, Retrieval, Sampling


@dataclass(frozen=True, slots=True)
class KnowledgePlace:
    """Where the knowledge arrays lie: in a sealed pack, or in the index folder of a project."""

    kind: Literal["pack", "index"]
    path: Path


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
    knowledge: KnowledgePlace | None
    pack_id: str
    """Empty for a folder."""

    @property
    def has_knowledge(self) -> bool:
        """True when there are files to answer from."""
        return self.knowledge is not None


def from_project(project: Project, index: Path | None) -> LoadedAssistant:
    """Return the assistant of an editable folder; `index` is the folder of its knowledge arrays, None without files."""
    assistant = project.assistant
    return LoadedAssistant(
        id=assistant.id,
        name=assistant.name,
        version=assistant.version,
        author=assistant.author,
        description=assistant.description,
        greeting=assistant.greeting,
        starters=tuple(assistant.starters),
        attribution=assistant.attribution,
        instructions=project.instructions,
        examples=project.examples[: assistant.examples],
        retrieval=assistant.retrieval,
        sampling=assistant.sampling,
        models=tuple(assistant.models),
        adapter=assistant.adapter,
        knowledge=KnowledgePlace("index", index) if index is not None else None,
        pack_id="",
    )
