"""Cold start of the window beside a bare PySide6 window, and the memory of an idle one.

    python tests/bench/gui_start.py [--runs 7] [--json FILE]

Each is a process of its own, in turns: a bare `QMainWindow` shown and painted once, and `satchel gui --exit-when-ready`
with a person's folders that hold the sample assistant (first run) and that were used before (second run on).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
window = QMainWindow()
window.resize(1280, 800)
window.show()
QTimer.singleShot(0, application.quit)
application.exec()
"""
IDLE = """
import os, sys
from PySide6.QtCore import QTimer
from satchel.builder.app import Application, make_window
from satchel.runtime.paths import find_home
application = Application([])
window = make_window(application, find_home())
window.show()
def tell():
    status = open("/proc/self/status").read()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    window.close()
QTimer.singleShot(3000, tell)
application.exec()
"""


def seconds(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return how long a process took, and how much processor time: the same on a busy machine."""
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    worked = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - started, worked


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SATCHEL_HOME": folder}
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        # Compiled once, as an installed program is.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "pycache")
        bare = [sys.executable, "-c", BARE]
        ours = [sys.executable, "-m", "satchel.runtime.cli.main", "gui", "--exit-when-ready"]
        seconds(bare, environment)  # Qt's libraries into the page cache
        seconds(ours, environment)
        shutil.rmtree(Path(folder) / "cache", ignore_errors=True)
        first = seconds(ours, environment)
        times: dict[str, list[tuple[float, float]]] = {"bare": [], "satchel": []}
        for _ in range(arguments.runs):
            times["bare"].append(seconds(bare, environment))
            times["satchel"].append(seconds(ours, environment))
        told = subprocess.run([sys.executable, "-c", IDLE], env=environment, check=True, capture_output=True, text=True)
    medians = {name: statistics.median(value for value, _ in values) for name, values in times.items()}
    work = {name: statistics.median(value for _, value in values) for name, values in times.items()}
    result = {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "platform": environment["QT_QPA_PLATFORM"],
        "bare_s": round(medians["bare"], 3),
        "satchel_s": round(medians["satchel"], 3),
        "ratio": round(medians["satchel"] / medians["bare"], 2),
        "bare_cpu_s": round(work["bare"], 3),
        "satchel_cpu_s": round(work["satchel"], 3),
        "cpu_ratio": round(work["satchel"] / work["bare"], 2),
        "first_start_s": round(first[0], 3),
        "idle_mib": round(int(told.stdout.split()[-1]) / 1024),
    }
    for name, value in result.items():
        print(f"{name:>16}  {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
