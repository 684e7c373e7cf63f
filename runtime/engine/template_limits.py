"""Runs a chat template, which is a program from a downloaded file, in jinja2's sandbox with limits of time and size."""

from __future__ import annotations

import contextlib
import datetime as dt
import faulthandler
import json
import sys
import time
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.filters import FILTERS
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from satchel.runtime.engine.errors import TemplateError

MAX_TEMPLATE_CHARACTERS = 1 << 20
MAX_PROMPT_CHARACTERS = 32 << 20
_SECONDS = 2.0
_LAST_RESORT_SECONDS = 10.0
_MAX_INTEGER_BITS = 4096
_MAX_LIST_ITEMS = 1 << 20
_MAX_ROUND_PLACES = 300
_HEADROOM_BYTES = 1 << 30
_FILE_NAME = "<template>"


class _RefusedError(Exception):
    """The template itself raised: it does not take this conversation."""


class _TooSlowError(Exception):
    """The template ran past its time."""


class _TooLargeError(Exception):
    """An operation would run, or fill memory, inside C, where no trace function is asked."""


class _BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Refuses sums that are done inside C and take for ever: `9**(9**9)`, `'a' * 10**12`.

    Jinja does not fold what is intercepted here into constants, so that they do not run while it compiles either.
    """

    intercepted_binops = frozenset({"*", "**", "/", "//", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return what the operator gives, unless an operand or the result is too large."""
        for operand in (left, right):
            if isinstance(operand, int) and operand.bit_length() > _MAX_INTEGER_BITS:
                raise _TooLargeError(f"it asks for `{operator}` of a number of {operand.bit_length():,} bits")
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            if left.bit_length() * right > _MAX_INTEGER_BITS:
                raise _TooLargeError("it asks for a power of too many digits")
        elif operator == "*":
            for repeated, times in ((left, right), (right, left)):
                if isinstance(times, int) and hasattr(repeated, "__len__"):
                    limit = MAX_PROMPT_CHARACTERS if isinstance(repeated, str | bytes) else _MAX_LIST_ITEMS
                    if len(repeated) * times > limit:
                        raise _TooLargeError(f"it repeats {len(repeated):,} items {times:,} times")
        return super().call_binop(context, operator, left, right)


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
        environment = _BoundedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _GenerationTag]
        )
        environment.filters["tojson"] = _to_json
        environment.filters["round"] = _round
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = _strftime_now
        try:
            with _limits():
                code = environment.compile(source, filename=_FILE_NAME)
                self._template = environment.template_class.from_code(environment, code, dict(environment.globals))
        except (JinjaError, RecursionError, MemoryError, SyntaxError, _TooLargeError, _TooSlowError) as error:
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
        except (_RefusedError, _TooLargeError) as error:
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
    """Stop what runs inside after some seconds, and keep it from more memory than a prompt can need.

    What hangs inside C, where no trace function is asked (two lists that hold one another's copies, compared), ends
    this process some seconds later. It is a worker: its death is a message, where a hanging one would be none.
    """
    deadline = time.monotonic() + _SECONDS

    def watch(frame: FrameType, _event: str, _argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise _TooSlowError
        # Lines are watched in the template's own code, where its loops are; elsewhere calls are enough.
        return watch if frame.f_code.co_filename == _FILE_NAME else None

    previous = sys.gettrace()
    # A native thread that needs no GIL, on every system, unlike a signal's default action. Before the memory's limit,
    # which its stack would count towards.
    faulthandler.dump_traceback_later(_LAST_RESORT_SECONDS, exit=True, file=2)
    try:
        with _memory_limit():
            sys.settrace(watch)
            try:
                yield
            finally:
                sys.settrace(previous)
    finally:
        faulthandler.cancel_dump_traceback_later()


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
    # jinja2's own filter escapes `<` for HTML, which models were not trained on. In pieces, which come from Python code
    # that the limits watch: `json.dumps` of nested copies of a list would run inside C.
    encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    return "".join(encoder.iterencode(value))


def _round(value: Any, precision: int = 0, method: Any = "common") -> Any:
    # Both ways of Jinja's filter compute 10 ** |precision|, inside C.
    if abs(precision) > _MAX_ROUND_PLACES or (isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS):
        raise _TooLargeError("it asks for `round` to too many places")
    return FILTERS["round"](value, precision, method)


def _refuse(message: str) -> None:
    raise _RefusedError(message)


def _strftime_now(layout: str) -> str:
    return dt.datetime.now().astimezone().strftime(layout)
