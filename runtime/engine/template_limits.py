"""Runs a chat template, which is a program from a downloaded file, in jinja2's sandbox with limits of time and size."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
import time
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from satchel.runtime.engine.errors import TemplateError

MAX_TEMPLATE_CHARACTERS = 1 << 20
MAX_PROMPT_CHARACTERS = 32 << 20
_SECONDS = 2.0
_HEADROOM_BYTES = 1 << 30
_FILE_NAME = "<template>"


class _RefusedError(Exception):
    """The template itself raised: it does not take this conversation."""


class _TooSlowError(Exception):
    """The template ran past its time."""


class _GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}` marks the assistant's words for training; here only its body counts."""

    tags = {"generation"}  # noqa: RUF012 - jinja2's own interface

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the body alone."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class CompiledTemplate:
    """One chat template, compiled."""

    def __init__(self, source: str) -> None:
        """Compile it.

        Raises:
            TemplateError: it is not valid, or too long.
        """
        if len(source) > MAX_TEMPLATE_CHARACTERS:
            raise TemplateError(reason=f"it is {len(source):,} characters long")
        # As Hugging Face's `apply_chat_template` sets it up, which templates are written for.
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _GenerationTag]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = _strftime_now
        try:
            with _limits():
                code = environment.compile(source, filename=_FILE_NAME)
                self._template = environment.template_class.from_code(environment, code, dict(environment.globals))
        except (JinjaError, RecursionError, MemoryError, SyntaxError, _TooSlowError) as error:
            raise TemplateError(reason=f"{type(error).__name__}: {error}") from error

    def render(self, variables: Mapping[str, Any]) -> str:
        """Return the text.

        Raises:
            TemplateError: the template refuses the conversation, fails, or takes too long or too much.
        """
        pieces: list[str] = []
        room = MAX_PROMPT_CHARACTERS
        try:
            with _limits():
                for piece in self._template.generate(**variables):
                    room -= len(piece)
                    if room < 0:
                        break
                    pieces.append(piece)
        except _RefusedError as error:
            raise TemplateError(reason=str(error)) from error
        except _TooSlowError as error:
            raise TemplateError(reason=f"it took longer than {_SECONDS:g} s") from error
        except Exception as error:  # a template may fail in any way that Python code can
            raise TemplateError(reason=f"{type(error).__name__}: {error}") from error
        if room < 0:
            raise TemplateError(reason=f"it made more than {MAX_PROMPT_CHARACTERS:,} characters")
        return "".join(pieces)


@contextlib.contextmanager
def _limits() -> Iterator[None]:
    """Stop what runs inside after some seconds, and keep it from more memory than a prompt can need."""
    deadline = time.monotonic() + _SECONDS

    def watch(frame: FrameType, _event: str, _argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise _TooSlowError
        # Lines are watched in the template's own code, where its loops are; elsewhere calls are enough.
        return watch if frame.f_code.co_filename == _FILE_NAME else None

    previous = sys.gettrace()
    with _memory_limit():
        sys.settrace(watch)
        try:
            yield
        finally:
            sys.settrace(previous)


@contextlib.contextmanager
def _memory_limit() -> Iterator[None]:
    """Let allocations past a gigabyte more than now fail; on Linux, elsewhere without effect."""
    if sys.platform != "linux":
        yield
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - read at every prompt: no Path is built
        in_use = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = in_use + _HEADROOM_BYTES
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # jinja2's own filter escapes `<` for HTML, which models were not trained on.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(message: str) -> None:
    raise _RefusedError(message)


def _strftime_now(layout: str) -> str:
    return dt.datetime.now().astimezone().strftime(layout)
