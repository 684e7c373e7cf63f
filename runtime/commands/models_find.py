"""`satchel models find`: what other programs' folders hold, file by file, with what each file says of itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from satchel.runtime.engine.choice import READER, STARTER, list_models
from satchel.runtime.engine.known_hashes import KnownHashes
from satchel.runtime.models.discovery import FoundModel, find_models
from satchel.runtime.models.facts import ModelFacts, read_facts
from satchel.runtime.models.places import TITLES, Surroundings, model_places
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress


class FoundReport(msgspec.Struct, frozen=True, kw_only=True):
    """One model of another program; sizes in bytes, contexts in tokens."""

    name: str
    program: str
    path: str
    bytes: int
    quantisation: str
    architecture: str
    parameters: int
    context: int
    parts: int
    also: tuple[str, ...]
    """The same bytes elsewhere, this person's own folder included."""
    problem: str
    """Why it cannot be talked to; empty for one that can."""


class LookedIn(msgspec.Struct, frozen=True, kw_only=True):
    """One folder in which a program may keep models."""

    program: str
    folder: str
    exists: bool
    models: int


class FindReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `find` found. Its JSON form is part of the command's contract."""

    models: tuple[FoundReport, ...]
    looked_in: tuple[LookedIn, ...]


def find_others(home: Home, *, progress: Progress = SILENT, surroundings: Surroundings | None = None) -> FindReport:
    """Look through the folders of Ollama, LM Studio, Jan, GPT4All, the Hugging Face cache and llama.cpp.

    Files of one size with one header are hashed, to tell copies from finetunes; the hashes are kept.
    """
    if surroundings is None:
        if home.person is None:
            return FindReport(models=(), looked_in=())
        surroundings = Surroundings(home.person)
    own = list_models(home)
    found = find_models(surroundings, taken=(READER, STARTER, *(model.name for model in own)))
    told = []
    for number, model in enumerate(found):
        progress("reading the headers of models", number, len(found))
        told.append((model, read_facts(model.path)))
    united = _unite_copies(told, [model.path for model in own], KnownHashes(home.cache))
    places = model_places(surroundings)
    return FindReport(
        models=tuple(_report(model, facts) for model, facts in united),
        looked_in=tuple(
            LookedIn(
                program=TITLES[place.program],
                folder=str(place.folder),
                exists=place.folder.is_dir(),
                models=sum(1 for model, _ in united if _lies_in(model, place.folder)),
            )
            for place in places
        ),
    )


def _lies_in(model: FoundModel, folder: Path) -> bool:
    return any(path.is_relative_to(folder) for path in (model.path, *model.also))


def _unite_copies(
    found: list[tuple[FoundModel, ModelFacts]], own: list[Path], hashes: KnownHashes
) -> list[tuple[FoundModel, ModelFacts]]:
    """Put copies of one file into one row, those in this person's folder as other places of it."""
    alike: dict[tuple[int, str], list[int]] = {}
    united: list[tuple[FoundModel, ModelFacts]] = []
    for model, facts in found:
        rows = alike.setdefault((facts.bytes, facts.digest), [])
        same = next(
            (row for row in rows if facts.digest and _is_copy(united[row][0], model.path, model.sha256, hashes)), None
        )
        if same is None:
            rows.append(len(united))
            united.append((model, facts))
            continue
        first, told = united[same]
        united[same] = (replace(first, also=(*first.also, model.path, *model.also)), told)
    for path in own:
        facts = read_facts(path)
        for row in alike.get((facts.bytes, facts.digest), ()) if facts.digest else ():
            first, told = united[row]
            if _is_copy(first, path, "", hashes):
                united[row] = (replace(first, also=(*first.also, path)), told)
    return united


def _is_copy(model: FoundModel, path: Path, sha256: str, hashes: KnownHashes) -> bool:
    return (model.sha256 or hashes.sha256(model.path)) == (sha256 or hashes.sha256(path))


def _report(model: FoundModel, facts: ModelFacts) -> FoundReport:
    return FoundReport(
        name=model.name,
        program=TITLES[model.program],
        path=str(model.path),
        bytes=facts.bytes,
        quantisation=facts.quantisation,
        architecture=facts.architecture,
        parameters=facts.parameters,
        context=facts.context,
        parts=facts.parts,
        also=tuple(map(str, model.also)),
        problem=facts.problem,
    )
