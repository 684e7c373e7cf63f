"""The process that embeds with torch or OpenVINO (`worker.service`); torch enters no other process of Satchel."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from satchel.runtime.knowledge.embedders.resolve import resolve_embedder
from satchel.runtime.knowledge.embedders.safe_loading import has_sentence_transformers
from satchel.runtime.knowledge.embedders.sentence_transformers_embedder import (
    SentenceTransformersEmbedder,
    reference_vectors,
)
from satchel.runtime.knowledge.embedders.worker_methods import ModelRequest, embedder_methods
from satchel.runtime.worker.service import Call, Method

# As in engine.bindings: threads that spin while they wait take the time of those that they wait for.
_CALM_WAITING = {"GOMP_SPINCOUNT": "0", "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}


def methods() -> Mapping[str, Method]:
    """Return the table of methods; torch is imported already now, while the parent does other work."""
    # Never a question to the hub, which would tell it who uses which model.
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    for variable, value in _CALM_WAITING.items():
        os.environ.setdefault(variable, value)
    if has_sentence_transformers():
        # Standard output carries frames.
        with contextlib.redirect_stdout(sys.stderr):
            importlib.import_module("sentence_transformers")
    return {**embedder_methods(_load), "reference": _reference}


def _reference(params: dict[str, Any], _call: Call) -> bytes:
    return reference_vectors(Path(params["folder"]), params["texts"]).tobytes()


def _load(request: ModelRequest) -> SentenceTransformersEmbedder:
    resolved = resolve_embedder(request.setting, request.home)
    return SentenceTransformersEmbedder(resolved, request.home, threads=request.threads)
