"""The settings of a project that was unpacked: what a manifest does not say is found from the pack's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.packfile.names import TEXT
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.project.folder import EXAMPLES_FILE
from satchel.runtime.project.schema import Assistant, Knowledge
from satchel.runtime.project.sealing import unseal

_DEFAULT = "default"
_EXAMPLES_BY_DEFAULT = 4


def unpacked_assistant(pack: Pack, files: Sequence[KnowledgeFile]) -> Assistant:
    """Return the assistant of a verified pack, so that building it again gives the same pack."""
    embedder = pack.manifest.embedder
    knowledge = Knowledge(
        embedder=(_known_setting(embedder) if embedder is not None else None) or _DEFAULT,
        # Never "all": a file that is added later was ticked by nobody.
        trusted=[file.name for file in files if file.trusted] or False,
        public=[file.name for file in files if file.public] or False,
        languages=list(_stated_languages(pack, files)),
        read_pictures=[file.name for file in files if file.picture_pages and file.source] or False,
        from_pack=[file.name for file in files if not file.source],
    )
    assistant = msgspec.structs.replace(unseal(pack.manifest, knowledge=knowledge), unpacked_from=pack.pack_id)
    if assistant.examples == _example_count(pack):
        # Not "all of the two that there are": a third that somebody adds is meant to be shown.
        assistant = msgspec.structs.replace(assistant, examples=max(assistant.examples, _EXAMPLES_BY_DEFAULT))
    return assistant


def other_embedder(pack: Pack) -> str:
    """Return the name of the pack's embedder where no word in `assistant.toml` stands for it, else nothing.

    Its name is a stranger's text, and in `assistant.toml` it would be a folder of this machine or a model of the hub:
    a person who has that model sets it there.
    """
    embedder = pack.manifest.embedder
    return embedder.name if embedder is not None and _known_setting(embedder) is None else ""


def _known_setting(fingerprint: EmbedderFingerprint) -> str | None:
    """Return the word in `assistant.toml` for an embedder that Satchel knows."""
    from satchel.runtime.knowledge.embedders.bundled import bundled_embedder
    from satchel.runtime.knowledge.embedders.multilingual import MULTILINGUAL

    if fingerprint == bundled_embedder().fingerprint:
        return _DEFAULT
    return "multilingual" if fingerprint.weights_sha256 == MULTILINGUAL.weights_sha256 else None


def _stated_languages(pack: Pack, files: Sequence[KnowledgeFile]) -> Iterator[str]:
    """Yield the author's own word on languages: where a file that is read anew would be taken for another one."""
    from satchel.runtime.knowledge.language import detect_language

    first_byte = 0
    for file in files:
        if file.source:
            text = pack.read_range(TEXT, first_byte, file.bytes).decode()
            if file.language and detect_language(text) != file.language:
                yield f"{file.name}: {file.language}"
        first_byte += file.bytes


def _example_count(pack: Pack) -> int:
    if EXAMPLES_FILE not in pack:
        return 0
    return sum(bool(line.strip()) for line in pack.read(EXAMPLES_FILE).splitlines())
