"""Writes models where Ollama, LM Studio, Jan, GPT4All, Hugging Face's library and llama.cpp keep them, as they do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from helpers.tiny_gguf import TinyModel, gguf_bytes, tiny_metadata, tiny_tensors

PROJECTOR = [("general.architecture", 8, "clip"), ("general.type", 8, "mmproj")]


def model_bytes(seed: int = 1, **values: object) -> bytes:
    """Return a tiny model; another seed is another model of the same header."""
    model = TinyModel(seed=seed, **values)
    return gguf_bytes(tiny_metadata(model), tiny_tensors(model))


def projector_bytes() -> bytes:
    """Return what goes with a model that sees."""
    return gguf_bytes(PROJECTOR, [])


def write_ollama(models: Path, name: str, content: bytes, *, more: tuple[tuple[str, bytes], ...] = ()) -> Path:
    """Pull a model as Ollama does: `llama3.2:3b`, `person/model:tag` or `hf.co/person/model:tag`."""
    path, tag = name.rsplit(":", 1)
    parts = path.split("/")
    if len(parts) == 1:
        parts = ["library", *parts]
    if len(parts) == 2:
        parts = ["registry.ollama.ai", *parts]
    layers = []
    blobs = models / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    for kind, held in (("model", content), *more, ("template", b"{{ .Prompt }}")):
        sha256 = hashlib.sha256(held).hexdigest()
        (blobs / f"sha256-{sha256}").write_bytes(held)
        media_type = f"application/vnd.ollama.image.{kind}"
        layers.append({"mediaType": media_type, "digest": f"sha256:{sha256}", "size": len(held)})
    manifest = {"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": layers}
    file = models.joinpath("manifests", *parts, tag)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(manifest))
    return blobs / f"sha256-{hashlib.sha256(content).hexdigest()}"


def write_hugging_face(cache: Path, repository: str, name: str, content: bytes, *, commit: str = "a" * 40) -> Path:
    """Download a file as `huggingface_hub` does: a blob, and a link to it in a snapshot."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
    link = folder / "snapshots" / commit / name
    for path in (blob, link, folder / "refs/main"):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    link.symlink_to(Path(*[".."] * (len(Path(name).parts) + 1)) / "blobs" / blob.name)
    (folder / "refs/main").write_text(commit)
    return link


def write_file(path: Path, content: bytes | str) -> Path:
    """Put a file into folders that need not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
