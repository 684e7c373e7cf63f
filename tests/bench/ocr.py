"""Reading scanned pages: character error rate and pages a second of the product's recogniser, beside tesseract.

    python tests/bench/ocr.py --data SHARED_DATA [--pages 2] [--json FILE]

Pages are set from `text/openstax.txt.gz` in Vera Sans, drawn as a scanner sees them, and put into a PDF; both readers
get the pixels that the product draws of it. "satchel" is what `satchel index` does: recognise, put straight, part
columns, give lines in the order of reading. The peer is Debian's tesseract (`eng`, its own layout analysis), left out
where it is not installed. The error rate is the edit distance of the whole page's text, white space made equal, to what
was drawn, as a share of that: a wrong order of columns counts. Readers alternate, page by page.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.scans import DrawnPage, Scanner, draw_page, write_scan

from satchel.runtime.knowledge.page_pictures import PagePictures
from satchel.runtime.knowledge.recognition.layout import arrange
from satchel.runtime.knowledge.recognition.recogniser import LONGEST_SIDE, Recogniser

THREADS = 2


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of page."""

    name: str
    scanner: Scanner
    columns: int = 1
    size: float = 11
    """Of the type, in points."""


CASES = (
    Case("clean", Scanner()),
    Case("noise", Scanner(noise=25)),
    Case("askew 3°, noise", Scanner(skew=3, noise=12)),
    Case("two columns", Scanner(), 2),
    Case("two columns, askew 3°, noise", Scanner(skew=-3, noise=20), 2),
    Case("7 point type", Scanner(), size=7),
    Case("100 dpi", Scanner(dpi=100)),
    Case("100 dpi, JPEG 20", Scanner(dpi=100, jpeg_quality=20)),
    Case("two columns, 8 point, 100 dpi, 3°, noise, JPEG", Scanner(100, 3, 12, 30), 2, 8),
    Case("72 dpi", Scanner(dpi=72)),
)


def main() -> None:
    """Measure, print a table, perhaps write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds text/openstax.txt.gz")
    parser.add_argument("--pages", type=int, default=2, help="of each kind")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    readers: dict[str, Any] = {"satchel": Satchel()}
    if shutil.which("tesseract"):
        readers["tesseract"] = read_by_tesseract
    rows = []
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':44}" + "".join(f"{name:>12} CER   pages/s" for name in readers))
    for case in CASES:
        rows.append(measure(case, paragraphs(arguments.data), readers, arguments.pages))
        cells = "".join(f"{one['cer']:>16.4f}{one['pages_per_s']:>10.3f}" for one in rows[-1]["readers"].values())
        print(f"{case.name:44}{cells}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"cpu": platform.processor(), "cases": rows}, indent=2))


def paragraphs(data: Path) -> list[str]:
    """Return prose in a fixed random order."""
    text = gzip.decompress((data / "text" / "openstax.txt.gz").read_bytes()).decode()
    found = [one for one in text.split("\n\n") if 200 < len(one) < 900 and one.isascii() and "http" not in one]
    random.Random(1).shuffle(found)
    return found


def measure(case: Case, texts: Sequence[str], readers: dict[str, Any], pages: int) -> dict[str, Any]:
    """Return the rates of one kind of page."""
    errors: dict[str, list[float]] = {name: [] for name in readers}
    seconds: dict[str, float] = dict.fromkeys(readers, 0.0)
    for number in range(pages):
        chosen = texts[40 * number : 40 * number + 40]
        page = draw_page(chosen, columns=case.columns, size=case.size, scanner=case.scanner, seed=number)
        picture, points = drawn(page)
        for name, read in readers.items():
            started = time.perf_counter()
            got = read(picture, points)
            seconds[name] += time.perf_counter() - started
            errors[name].append(error_rate(" ".join(page.lines), got))
    found = {
        name: {"cer": sum(errors[name]) / pages, "pages_per_s": pages / seconds[name] if seconds[name] else 0.0}
        for name in readers
    }
    return {"case": case.name, "readers": found}


def drawn(page: DrawnPage) -> tuple[Any, float]:
    """Return the pixels that the product makes of a scanned page, and the length of one in points."""
    with tempfile.TemporaryDirectory() as folder, PagePictures() as pictures:
        path = write_scan(Path(folder) / "page.pdf", [page.picture])
        made = pictures.draw(
            "page", lambda: [path.read_bytes()], 1, name="page", width=LONGEST_SIDE, longest=LONGEST_SIDE
        )
    return np.frombuffer(made.pixels, np.uint8).reshape(made.height, made.width, 3), made.points


class Satchel:
    """The product's recogniser, loaded before anything is timed."""

    def __init__(self) -> None:
        self._recogniser = Recogniser(THREADS)
        self._recogniser.find(np.full((200, 200, 3), 255, np.uint8))

    def __call__(self, picture: Any, points: float) -> str:
        found = self._recogniser.find(picture)
        lines = arrange(found.pieces, width=found.width, height=found.height, points=points)
        return " ".join(line.text for line in lines)


def read_by_tesseract(picture: Any, points: float) -> str:
    """Run the program as Debian ships it."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        Image.fromarray(picture).save(path, dpi=(72 / points, 72 / points), compress_level=1)
        command = ["tesseract", str(path), "stdout", "-l", "eng"]
        environment = {**os.environ, "OMP_THREAD_LIMIT": str(THREADS)}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def error_rate(truth: str, got: str) -> float:
    """Return the edit distance of two texts as a share of the first, white space made equal."""
    a, b = (" ".join(text.split()) for text in (truth, got))
    letters = np.array([*map(ord, b)])
    steps = np.arange(len(b) + 1)
    row = steps.copy()
    for place, letter in enumerate(a, 1):
        changed = row[:-1] + (letters != ord(letter))
        best = np.concatenate(([place], np.minimum(changed, row[1:] + 1)))
        row = np.minimum.accumulate(best - steps) + steps
    return float(row[-1]) / len(a)


if __name__ == "__main__":
    main()
