"""Start of every worker: `python -P -m satchel.runtime.worker MODULE LIMITS`; MODULE has a function `methods()`."""

from __future__ import annotations

import faulthandler
import importlib
import signal
import sys

import msgspec

from satchel.runtime.worker.limits import WorkerLimits, apply_limits
from satchel.runtime.worker.service import serve


def main() -> None:
    """Apply the limits, import the module that was named, serve it."""
    module, limits = sys.argv[1:3]
    # Ctrl-C in a terminal goes to the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The crashed thread alone: another one goes on meanwhile (importing, say), and to walk its frames crashes again.
    faulthandler.enable(all_threads=False)
    apply_limits(msgspec.json.decode(limits, type=WorkerLimits))
    serve(importlib.import_module(module).methods())


main()
