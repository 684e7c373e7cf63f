"""The document reader's own process: takes a file's bytes in chunks, gives its text back.

Methods: `begin` {file, size}, then `chunk` {content} until all bytes are there, then `extract` {password, pictures}, a
stream of `[done, total]` for each step, and of None as a sign of life ten times a second: then the parent asks whether
to go on. `pictures` is None, or has the lines that were read from the pictures of pages, by page.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from satchel.runtime.knowledge.extract.confinement import confine
from satchel.runtime.knowledge.extract.protocol import Source
from satchel.runtime.knowledge.extract.registry import extract_text, refuse_by_size
from satchel.runtime.knowledge.extract.ticking import ticking
from satchel.runtime.worker.service import Call, Method

_SECONDS_BETWEEN_STEPS = 0.02


@dataclass(slots=True)
class _Arriving:
    """The file that is being received."""

    file: str = ""
    size: int = 0
    chunks: list[bytes] = field(default_factory=list)


def methods() -> dict[str, Method]:
    """Return what this worker serves."""
    confine()
    arriving = _Arriving()

    def begin(params: dict[str, Any], _call: Call) -> None:
        arriving.file, arriving.size = params["file"], params["size"]
        arriving.chunks = []

    def chunk(params: dict[str, Any], _call: Call) -> None:
        if not arriving.chunks:
            refuse_by_size(params["content"], arriving.size, file=arriving.file)
        arriving.chunks.append(params["content"])

    def extract(params: dict[str, Any], call: Call) -> Any:
        chunks, arriving.chunks = arriving.chunks, []
        content = b"".join(chunks)
        chunks.clear()
        source = Source(arriving.file, content, params["password"], _pictures(params["pictures"]))
        return _extract(source, call, seconds=params["cpu_seconds"])

    return {"begin": begin, "chunk": chunk, "extract": extract}


def _pictures(lines: Any) -> Any:
    if lines is None:
        return None
    # Only now: what is imported at the start counts against the memory of every file.
    from satchel.runtime.knowledge.extract.pdf.lines import Line

    return msgspec.convert(lines, dict[int, tuple[Line, ...]])


def _extract(source: Source, call: Call, *, seconds: int) -> Any:
    limit_cpu(seconds)
    told = 0.0

    def step(done: int, total: int | None) -> None:
        nonlocal told
        call.check()
        now = time.monotonic()
        if done == total or now - told >= _SECONDS_BETWEEN_STEPS:
            told = now
            call.emit((done, total))

    with ticking(call):
        return extract_text(source, step)


def limit_cpu(seconds: int) -> None:
    """Let this process use so many seconds of processor time from now on; past them the kernel ends it."""
    try:
        import resource
    except ImportError:  # Windows; the parent's clock does it there
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
