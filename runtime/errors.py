'''The root of every error that Satchel raises on purpose.

An error class is its docstring (the message, with `{fields}`), a remedy and a stable exit code:

    class WrongEmbedderError(SatchelError):
        """The pack needs {made_by} to embed a question, and it is not on this machine."""

        exit_code = 23
        remedy = "Run `satchel models pull {made_by}`; keyword search works meanwhile."

    raise WrongEmbedderError(made_by="all-MiniLM-L6-v2")

Exit codes: 1 a check failed, 2 wrong use, 3 a bug, 10-19 project, 20-29 knowledge, 30-39 pack,
40-49 engine and models, 50-59 permissions and tools, 60-69 this machine,
70-79 chats, 124 out of time, 130 interrupted.
'''

from __future__ import annotations

import re
from typing import Any, ClassVar

_CODE_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Between words, and after one of a single letter: NotAPack."""


class SatchelError(Exception):
    """{reason}."""

    exit_code: ClassVar[int] = 1
    remedy: ClassVar[str] = ""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        template = (type(self).__doc__ or "").split("\n\n", 1)[0]
        super().__init__(" ".join(template.split()).format(**fields))

    @property
    def message(self) -> str:
        """What happened, naming the file, page, key or host."""
        return str(self)

    @property
    def advice(self) -> str:
        """What the person can do about it; may be empty."""
        return self.remedy.format(**self.fields)

    def as_object(self) -> dict[str, str | int]:
        """Return the inside of the `{"error": …}` that `--json` prints."""
        return {
            "code": self.code(),
            "message": self.message,
            "remedy": self.advice,
            "exit_code": self.exit_code,
        }

    @classmethod
    def code(cls) -> str:
        """The stable machine-readable name: `WrongEmbedderError` is `wrong-embedder`."""
        return _CODE_BOUNDARY.sub("-", cls.__name__.removesuffix("Error")).lower()


class UsageError(SatchelError):
    """{reason}."""

    exit_code = 2
    remedy = "See `satchel --help`."

    @property
    def advice(self) -> str:
        """Name the help of the command that was used wrongly, once it has put itself into the fields."""
        verb = self.fields.get("verb")
        return f"See `satchel {verb} --help`." if verb else self.remedy


class CheckFailedError(SatchelError):
    """{reason}."""

    exit_code = 1


class MissingExtraError(SatchelError):
    """{feature} needs the extra `{extra}`, which is not installed."""

    exit_code = 60
    # A command from the checkout until the distribution's name is published: before that, somebody else could take it.
    remedy = "In the checkout run: pip install '.[{extra}]'"


class SaveError(SatchelError):
    """{path} could not be saved: {reason}."""

    exit_code = 61
    remedy = "Free some space or choose another place; what was there before is untouched."


class BusyError(SatchelError):
    """Another Satchel process is writing {path}."""

    exit_code = 62
    remedy = "Wait until it is done, then run the command again."


class OutOfTimeError(SatchelError):
    """It took longer than the {seconds} s it was given ({stage})."""

    exit_code = 124
    remedy = "Give it more with --timeout."


class CancelledError(SatchelError):
    """Cancelled."""

    exit_code = 130


class MachineError(SatchelError):
    """{place}: {reason}."""

    exit_code = 65
    remedy = "Check that the place is there, may be used and has room, then run the command again."


class WorkerOutOfMemoryError(SatchelError):
    """The {name} process needed more memory than it may use."""

    exit_code = 64
    remedy = "Take a smaller file or a smaller model, or close other programs."


class WorkerDiedError(SatchelError):
    """The {name} process stopped: {reason}."""

    exit_code = 40
    remedy = "Ask again: it is restarted by itself. If it happens at the same place each time, run `satchel doctor`."
