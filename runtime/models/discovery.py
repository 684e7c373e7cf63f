"""Models that other programs keep on this disk. Only names are read here, no weights and no headers.

A file is listed once, whatever the number of names it has: links to it share its inode, and where a program names its
files by their SHA-256 (Ollama's blobs, the Hugging Face cache) so do copies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from satchel.runtime.models.file_names import is_later_part, is_projector, model_name
from satchel.runtime.models.places import Place, Program, Surroundings, model_places

_MOST_DEPTH = 6
_MOST_ENTRIES = 50_000
"""A folder that a person set to their whole disk ends here."""
_MANIFEST_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ABSOLUTE_MODEL = re.compile(r"^model_path:\s*[\"']?(?P<path>(?:/|~|[A-Za-z]:[\\/]).*?\.gguf)[\"']?\s*$", re.MULTILINE)
_OLLAMA_HOST, _OLLAMA_LIBRARY = "registry.ollama.ai", "library"
_OLLAMA_MODEL = "application/vnd.ollama.image.model"
_OLLAMA_ADAPTER = "application/vnd.ollama.image.adapter"


@dataclass(frozen=True, slots=True)
class FoundModel:
    """One model of another program."""

    program: Program
    name: str
    """What `--model` takes; no two found models have the same."""
    path: Path
    """The first file of a split one."""
    sha256: str = ""
    """As the program that keeps it names it; empty where it does not."""
    also: tuple[Path, ...] = ()
    """The same file under other names."""


class _Layer(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str
    digest: str


class _Manifest(msgspec.Struct, frozen=True):
    """What Ollama writes of a model; other keys are its own affair."""

    layers: tuple[_Layer, ...] = ()


def find_models(surroundings: Surroundings, taken: Iterable[str] = ()) -> list[FoundModel]:
    """Return the models that other programs keep; none is called as one of the names in `taken`."""
    return unite((model for place in model_places(surroundings) for model in models_of(place, surroundings)), taken)


def models_of(place: Place, surroundings: Surroundings) -> Iterator[FoundModel]:
    """Yield what one folder holds, in the order of its names, as often as it is there."""
    if not place.folder.is_dir():
        return
    match place.program:
        case "ollama":
            yield from _ollama(place.folder)
        case "hugging-face":
            yield from _hugging_face(place.folder)
        case "jan":
            yield from _jan(place.folder, surroundings)
        case _:
            yield from _files(place.program, place.folder)


def unite(models: Iterable[FoundModel], taken: Iterable[str] = ()) -> list[FoundModel]:
    """Return each file once, under a name that no other model has."""
    united: list[FoundModel] = []
    known: dict[object, int] = {}
    names = {name.casefold() for name in taken}
    for model in models:
        try:
            state = model.path.stat()
        except OSError:  # a link whose file is gone
            continue
        keys = [key for key in ((state.st_dev, state.st_ino), model.sha256) if key]
        same = next((known[key] for key in keys if key in known), None)
        if same is not None:
            first = united[same]
            if model.path not in (first.path, *first.also):
                united[same] = replace(first, also=(*first.also, model.path))
            continue
        known |= dict.fromkeys(keys, len(united))
        named = replace(model, name=_free_name(model, names))
        names.add(named.name.casefold())
        united.append(named)
    return united


def _free_name(model: FoundModel, taken: set[str]) -> str:
    longer = (model.name, f"{model.program}:{model.name}", f"{model.program}:{model.path.parent.name}/{model.name}")
    return next((name for name in longer if name.casefold() not in taken), str(model.path))


def gguf_files(folder: Path, *, follow: bool = True) -> Iterator[Path]:
    """Yield the GGUF files below a folder, by name, each folder once; `follow` says whether into linked ones too."""
    yield from _below(folder, _MOST_DEPTH, set(), [_MOST_ENTRIES], follow=follow)


def _below(folder: Path, depth: int, seen: set[tuple[int, int]], budget: list[int], *, follow: bool) -> Iterator[Path]:
    try:
        state = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    for entry in entries:
        budget[0] -= 1
        if budget[0] < 0:
            return
        try:
            if entry.name.casefold().endswith(".gguf") and entry.is_file():
                yield Path(entry.path)
            elif depth and entry.is_dir(follow_symlinks=follow):
                yield from _below(Path(entry.path), depth - 1, seen, budget, follow=follow)
        except OSError:
            continue


def _files(program: Program, folder: Path, name: Callable[[Path], str] = model_name) -> Iterator[FoundModel]:
    for path in gguf_files(folder):
        if not is_later_part(path) and not is_projector(path.name):
            yield FoundModel(program, name(path), path)


def _jan(folder: Path, surroundings: Surroundings) -> Iterator[FoundModel]:
    """Yield what lies in `models` (before 0.6) and `llamacpp/models`, and what a `model.yml` there points to."""
    for models in (folder / "llamacpp/models", folder / "models"):
        yield from _files("jan", models, _jan_name)
        for description in sorted(models.glob("**/model.yml")):
            try:
                found = _ABSOLUTE_MODEL.search(description.read_text(encoding="utf-8", errors="replace"))
            except OSError:
                continue
            if found is not None and (path := surroundings.path(found["path"])).is_file():
                yield FoundModel("jan", description.parent.name, path)


def _jan_name(path: Path) -> str:
    return path.parent.name if path.stem == "model" else model_name(path)


def _hugging_face(folder: Path) -> Iterator[FoundModel]:
    """Yield the files of all snapshots, those of the newest `main` first."""
    for repository in sorted(folder.glob("models--*")):
        try:
            main = (repository / "refs/main").read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            main = ""
        snapshots = sorted(repository.glob("snapshots/*"), key=lambda path: (path.name != main, path.name))
        for snapshot in snapshots:
            # Its links are files: to ask each where it leads would double the time.
            for path in gguf_files(snapshot, follow=False):
                if is_later_part(path) or is_projector(path.name):
                    continue
                blob = Path(os.path.realpath(path)).name
                sha256 = blob if _SHA256.fullmatch(blob) else ""
                yield FoundModel("hugging-face", model_name(path), path, sha256)


def _ollama(folder: Path) -> Iterator[FoundModel]:
    manifests = folder / "manifests"
    for path in sorted(manifests.glob("*/**/*")):
        parts = path.relative_to(manifests).parts
        manifest = _read_manifest(path)
        if len(parts) < 3 or manifest is None:  # noqa: PLR2004 - a registry, a model and a tag at least
            continue
        if any(layer.media_type == _OLLAMA_ADAPTER for layer in manifest.layers):
            continue  # its weights alone would be another model
        for layer in manifest.layers:
            sha256 = layer.digest.removeprefix("sha256:")
            if layer.media_type == _OLLAMA_MODEL and _SHA256.fullmatch(sha256):
                yield FoundModel("ollama", _ollama_name(parts), folder / "blobs" / f"sha256-{sha256}", sha256)
                break


def _ollama_name(parts: tuple[str, ...]) -> str:
    """Return the name that `ollama list` shows: `llama3.2:3b`, `person/model:tag`, `hf.co/person/model:tag`."""
    *model, tag = parts
    if model[0] == _OLLAMA_HOST:
        model = model[2:] if model[1] == _OLLAMA_LIBRARY else model[1:]
    return f"{'/'.join(model)}:{tag}"


def _read_manifest(path: Path) -> _Manifest | None:
    try:
        if not path.is_file() or path.stat().st_size > _MANIFEST_BYTES:
            return None
        return msgspec.json.decode(path.read_bytes(), type=_Manifest)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
