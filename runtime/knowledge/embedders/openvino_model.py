"""A sentence-transformers model on OpenVINO, exported once into the cache: exporting takes longer than 500 passages."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from satchel.runtime.knowledge.embedders.safe_loading import open_model
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home


def has_openvino() -> bool:
    """Tell whether sentence-transformers' OpenVINO backend can be imported; imports nothing of it."""
    packages = ("openvino", "optimum")
    return all(importlib.util.find_spec(name) for name in packages) and bool(importlib.util.find_spec("optimum.intel"))


def exported_model(folder: Path, home: Home, fingerprint: EmbedderFingerprint, *, threads: int) -> Any:
    """Return the model of a folder, computed by OpenVINO on the CPU."""
    version = importlib.metadata.version("openvino")
    exported = home.cache / "embedders" / f"{fingerprint.weights_sha256[:32]}-openvino-{version}"
    if not exported.is_dir():
        _export(folder, exported)
    settings = {"ov_config": {"INFERENCE_NUM_THREADS": threads}}
    return open_model(exported, backend="openvino", settings=settings)


def _export(folder: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".openvino.", dir=destination.parent, ignore_cleanup_errors=True) as place:
        made = Path(place) / "model"
        open_model(folder, backend="openvino", settings={"export": True}).save_pretrained(str(made))
        # Another process may have been first with the same files.
        with contextlib.suppress(OSError):
            made.rename(destination)
