"""Make an assistant's folder from a template: settings, instructions and a place for knowledge files."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.project.template import DEFAULT_TEMPLATE, create_project, list_templates


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--name", help="what the assistant is called (default: from the folder's name)")
    names = "; ".join(f"{template.name}: {template.purpose.lower()}" for template in list_templates())
    parser.add_argument("--template", default=DEFAULT_TEMPLATE, metavar="T", help=f"{names} (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Make the folder."""
    project = create_project(arguments.folder, template=arguments.template, name=arguments.name)
    if arguments.json:
        terminal.json({"folder": str(project.folder), "id": project.assistant.id, "name": project.assistant.name})
        return 0
    terminal.print(f"{project.folder} is ready: {project.assistant.name}.")
    folder = shlex.quote(str(project.folder))
    terminal.print(f'  Next: satchel add {folder} FILES…   then: satchel run {folder} "your question"')
    return 0
