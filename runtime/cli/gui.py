"""Open the desktop app, on a pack or a folder if one is named."""

from __future__ import annotations

import argparse
import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.errors import MissingExtraError
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("file", nargs="?", type=Path, help="a .pack file or an assistant's folder to open")
    parser.add_argument("--exit-when-ready", action="store_true", help="end once the first page is there (to measure)")


def run(arguments: argparse.Namespace, _terminal: Terminal) -> int:
    """Run the app until its window closes."""
    if find_spec("PySide6") is None:
        raise MissingExtraError(feature="The desktop app", extra="builder")
    # By name: the runtime knows no Qt, and nothing else of the app than this.
    app: Any = importlib.import_module("satchel.builder.app")
    code: int = app.start(find_home(), arguments.file, exit_when_ready=arguments.exit_when_ready)
    return code
