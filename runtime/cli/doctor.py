"""Show devices, models and how each would be loaded here, with the sums. Nothing is loaded or changed."""

from __future__ import annotations

import argparse

from satchel.runtime.cli.model_arguments import LARGEST_CONTEXT, check_range, parse_gpu_layers
from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.doctor import doctor, explain
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("models", nargs="*", metavar="MODEL", help="a .gguf file or a name (default: all found)")
    parser.add_argument("--context", type=int, default=0, metavar="TOKENS", help="plan for a window of this size")
    parser.add_argument("--gpu-layers", default="auto", metavar="N", help="plan for N layers on the GPU, or auto")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Print the report."""
    check_range("--context", arguments.context, 0, LARGEST_CONTEXT)
    report = doctor(
        find_home(),
        arguments.models,
        context=arguments.context,
        gpu_layers=parse_gpu_layers(arguments.gpu_layers),
    )
    if arguments.json:
        terminal.json(report)
        return 0
    for line in explain(report):
        terminal.print(line)
    return 0
