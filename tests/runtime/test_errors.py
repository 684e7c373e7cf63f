"""An error is its docstring, a remedy and a stable code: for every class there is."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from helpers.source_tree import import_all_errors

from satchel.runtime.errors import (
    CancelledError,
    CheckFailedError,
    MissingExtraError,
    OutOfTimeError,
    SatchelError,
    SaveError,
    UsageError,
    WorkerDiedError,
)


def all_classes() -> list[type[SatchelError]]:
    import_all_errors()

    def below(kind: type[SatchelError]) -> Iterator[type[SatchelError]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return sorted(
        {kind for kind in below(SatchelError) if kind.__module__.startswith("satchel.")}, key=lambda kind: kind.__name__
    )


def fields_of(text: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_message_is_the_docstring_with_its_fields():
    error = SaveError(path="a/b.pack", reason="no space left on device")

    assert error.message == str(error) == "a/b.pack could not be saved: no space left on device."
    assert error.advice == "Free some space or choose another place; what was there before is untouched."


def test_the_remedy_takes_the_same_fields():
    assert MissingExtraError(feature="Scanned pages", extra="ocr").advice.endswith("pip install '.[ocr]'")


def test_braces_in_a_field_stay_as_they_are():
    assert SaveError(path="{0}", reason="{path} {").message == "{0} could not be saved: {path} {."


def test_only_the_first_paragraph_of_a_docstring_is_the_message_on_one_line():
    class TwoParagraphsError(SatchelError):
        """{what} happened,
        over two lines.

        This explains the class to who reads the code.
        """

    assert TwoParagraphsError(what="It").message == "It happened, over two lines."


def test_a_code_is_the_class_name_in_small_letters_with_hyphens():
    assert SaveError.code() == "save"
    assert OutOfTimeError.code() == "out-of-time"
    assert WorkerDiedError.code() == "worker-died"


def test_the_code_of_every_error_is_its_words_with_hyphens():
    joined = {kind.code().replace("-", "") for kind in all_classes()}

    assert joined == {kind.__name__.removesuffix("Error").lower() for kind in all_classes()}
    assert {kind.code() for kind in all_classes() if {"a", "an"} & set(kind.code().split("-"))} == {
        "not-a-gguf",
        "not-a-pack",
    }
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.code()) for kind in all_classes())


def test_the_object_of_json_holds_all_of_an_error():
    assert OutOfTimeError(seconds=3, stage="searching").as_object() == {
        "code": "out-of-time",
        "message": "It took longer than the 3 s it was given (searching).",
        "remedy": "Give it more with --timeout.",
        "exit_code": 124,
    }


def test_the_codes_that_scripts_rely_on_stay():
    codes = {
        kind.exit_code for kind in (CheckFailedError, UsageError, MissingExtraError, OutOfTimeError, CancelledError)
    }

    assert codes == {1, 2, 60, 124, 130}


def test_there_are_errors_of_every_part():
    parts = {kind.__module__.split(".")[2] for kind in all_classes() if kind.__module__.count(".") > 2}

    assert {"project", "session", "worker", "packfile", "knowledge"} <= parts


def test_every_error_can_be_raised_with_its_fields_and_says_what_to_do():
    for kind in all_classes():
        assert kind.__doc__, f"{kind} has no docstring, so no message"
        assert kind.__name__.endswith("Error"), kind
        fields = fields_of(kind.__doc__.split("\n\n", 1)[0]) | fields_of(kind.remedy)
        try:
            error = kind(**dict.fromkeys(fields, "7"))
        except TypeError:
            continue  # it makes its fields of what it is given; its own tests raise it
        assert error.message.strip(), kind
        assert "{" not in error.message + error.advice, kind


def test_no_two_errors_have_the_same_code():
    by_code: dict[str, type[SatchelError]] = {}
    for kind in all_classes():
        assert by_code.setdefault(kind.code(), kind) is kind, (
            f"{kind} and {by_code[kind.code()]} are both {kind.code()}"
        )


RANGES = {
    "project": range(10, 30),  # it builds, so files that cannot be read stop it too
    "knowledge": range(20, 30),
    "packfile": range(30, 40),
    "engine": range(40, 50),
    "models": range(40, 50),
    "session": range(70, 80),
}


def test_every_exit_code_lies_in_the_range_of_its_part():
    general = {1, 2, 3, 124, 130, *range(60, 70)}
    for kind in all_classes():
        part = kind.__module__.split(".")[2]
        assert kind.exit_code in {*general, *RANGES.get(part, range(10, 80))}, f"{kind}: {kind.exit_code}"
