"""Reading a PDF: pages a second of the product's path, child process and checks included, beside pypdf and pdfium.

    python tests/bench/extraction.py --chapters FOLDER_OF_MARKDOWN [--repeats 3] [--json FILE]

The chapters become one PDF of several hundred pages (packs/samples/make_chapter_pdf.py), with outline and page labels.
"satchel" reads it as `satchel index` would: paragraphs joined, words put together, page furniture left out, headings
found, SHA-256 taken, over the pipe and back; the child runs already, since it is started once for all files. The peers
give raw page text only. Runs alternate, so that a busy machine disturbs all alike; the best of each counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2

from satchel.runtime.knowledge.extract.reader import DocumentReader

SCRIPT = Path(__file__).resolve().parents[2] / "packs" / "samples" / "make_chapter_pdf.py"


def main() -> None:
    """Measure, print a table, perhaps write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--chapters", type=Path, required=True, help="folder of *.md")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, DocumentReader() as reader:
        path = Path(folder) / "book.pdf"
        write_book(sorted(arguments.chapters.glob("*.md")), path)
        warm_up = Path(folder) / "one.pdf"
        write_book(sorted(arguments.chapters.glob("*.md"))[:1], warm_up)
        reader.read(warm_up)
        results = measure(path, reader, arguments.repeats)
    print_table(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))


def write_book(chapters: list[Path], path: Path) -> None:
    """Typeset all chapters as one book; characters without a glyph in the standard fonts are left out."""
    spec = importlib.util.spec_from_file_location("make_chapter_pdf", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules["make_chapter_pdf"] = script
    spec.loader.exec_module(script)
    text = "\n\n".join(chapter.read_text(encoding="utf-8") for chapter in chapters)
    script.make_chapter_pdf(re.sub("[\u04e7\u25cb]", "", text), path)


def measure(path: Path, reader: DocumentReader, repeats: int) -> dict[str, Any]:
    """Return the best seconds of each way over `repeats` alternating runs."""
    ways: dict[str, Callable[[], int]] = {
        "satchel": lambda: len(reader.read(path).extracted.text),
        "pypdf": lambda: sum(len(page.extract_text()) for page in pypdf.PdfReader(path).pages),
        "pdfium": lambda: sum(map(_page_characters, pypdfium2.PdfDocument(path))),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    characters: dict[str, int] = {}
    for _ in range(repeats):
        for name, read in ways.items():
            start = time.perf_counter()
            characters[name] = read()
            seconds[name].append(time.perf_counter() - start)
    pages = len(pypdf.PdfReader(path).pages)
    best = {name: min(taken) for name, taken in seconds.items()}
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {"pypdf": pypdf.__version__, "pypdfium2": str(pypdfium2.PYPDFIUM_INFO)},
        "pages": pages,
        "bytes": path.stat().st_size,
        "pages_per_second": {name: pages / taken for name, taken in best.items()},
        "ratio_to_pypdf": {name: best["pypdf"] / taken for name, taken in best.items()},
        "characters": characters,
        "seconds": seconds,
    }


def _page_characters(page: pypdfium2.PdfPage) -> int:
    text_page = page.get_textpage()
    count = len(text_page.get_text_range())
    text_page.close()
    page.close()
    return count


def print_table(results: dict[str, Any]) -> None:
    """Print the table that the README shows."""
    print(f"{results['pages']} pages, {results['bytes'] / 1e6:.1f} MB; {results['machine']}")
    print(f"{'':10} {'pages/s':>8} {'x pypdf':>8} {'characters':>11}")
    for name, rate in results["pages_per_second"].items():
        print(f"{name:10} {rate:8.0f} {results['ratio_to_pypdf'][name]:8.2f} {results['characters'][name]:11}")


if __name__ == "__main__":
    main()
