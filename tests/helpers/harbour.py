"""A small assistant with files of several formats, for tests that index, build and ask one."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.documents import Heading, write_docx, write_pdf
from helpers.project_folders import SETTINGS, write_files

from satchel.runtime.paths import Home

HARBOUR_SETTINGS = SETTINGS.replace("Tide tutor", "Harbour guide") + (
    'description = "Answers about the harbour."\ngreeting = "Welcome to the harbour."\n'
    'starters = ["When does the gate close?"]\n'
)
INSTRUCTIONS = "You help visitors of the harbour. Be brief.\n"
TIDES = """\
# Tides

The harbour floods when a spring tide meets a strong northerly wind. High water comes twice a day.

The moon pulls the water of the sea towards itself. Spring tides come at full moon and at new moon.
"""
GATE = "The flood gate closes at a water level of 3.2 metres. The lock keeper is Wilma Janssen.\n"
FEES = "Boat,Fee in euros\nRowing boat,4\nSailing boat,11\nMotor yacht,27\n"
HANDBOOK = (
    (Heading("Mooring"), "Every boat needs two mooring lines and four fenders. The café by the lock lends them."),
    (Heading("Fuel"), "Diesel is sold at the eastern pier between nine and five. Smoking there is forbidden."),
    (Heading("Emergencies"), "In an emergency call the harbour office on channel 12. The siren sounds three times."),
)
RULES = (Heading("Rules"), "Swimming in the basin is forbidden. Dogs must be kept on a lead on all piers.")
CASES = (
    '{"id": "gate", "question": "At what water level does the flood gate close?",'
    ' "expect": {"file": "gate.txt", "contains": ["3.2 metres"]}, "tags": ["gate"]}\n'
    '{"id": "fuel", "question": "Where is diesel sold?", "expect": {"file": "handbook.pdf", "page": 2}}\n'
    '{"id": "refusal", "question": "Who painted the Mona Lisa?", "expect": {"refuses": true}}\n'
)
FILE_NAMES = ("fees.csv", "gate.txt", "handbook.pdf", "rules.docx", "tides.md")


@dataclass(frozen=True, slots=True)
class Harbour:
    """The project, its built pack, and the home whose caches know both."""

    folder: Path
    pack: Path
    home: Home
    pack_id: str

    def home_of(self, data: Path) -> Home:
        """Return the home of another person with the same caches: nothing is embedded again."""
        return replace(self.home, data=data / "data", settings=data / "settings")


def write_harbour(folder: Path) -> Path:
    """Write the project."""
    write_files(
        folder,
        {
            "assistant.toml": HARBOUR_SETTINGS,
            "instructions.md": INSTRUCTIONS,
            "evals/cases.jsonl": CASES,
            "knowledge/tides.md": TIDES,
            "knowledge/gate.txt": GATE,
            "knowledge/fees.csv": FEES,
        },
    )
    write_pdf(folder / "knowledge" / "handbook.pdf", HANDBOOK)
    write_docx(folder / "knowledge" / "rules.docx", RULES)
    return folder


def embedded_here(home: Home) -> int:
    """Return how many passages were embedded on this person's machine."""
    path = home.cache / "vectors.sqlite3"
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path)) as database:
        # Its table comes a moment after the file.
        if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'vectors'").fetchone() == (0,):
            return 0
        return int(database.execute("SELECT count(*) FROM vectors").fetchone()[0])
