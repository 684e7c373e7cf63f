"""The knowledge worker, but deaf: a question that asks for it is never answered, and no cancel is heard."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from satchel.runtime.knowledge import service
from satchel.runtime.worker.service import Call, Method

FOR_EVER = "for ever"
"""In a question: never answer it."""
BEGAN = "DEAF_WORKER_BEGAN"
"""Environment variable: a file that appears once the question is being worked on."""


def methods() -> Mapping[str, Method]:
    """Return the methods of a fresh service."""
    table = service.methods()
    ask = table["ask"]

    def ask_or_hang(params: dict[str, Any], call: Call) -> Any:
        if FOR_EVER in params["question"]:
            if began := os.environ.get(BEGAN):
                Path(began).touch()
            threading.Event().wait()
        return ask(params, call)

    return {**table, "ask": ask_or_hang}
