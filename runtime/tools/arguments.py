"""Arguments checked against a function's JSON schema, with messages that a model can act on.

jsonschema-rs, because its patterns run in linear time (a server's schema could hang Python's `re`) and it can be kept
from fetching: a schema may say `$ref: https://…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from satchel.runtime.tools.errors import BadCallError, ToolError

_MOST_PROBLEMS = 5
_MOST_WORDS = 300


class SchemaError(ToolError):
    """The arguments of {function} are described by a schema that cannot be used: {reason}."""


class ArgumentChecker:
    """One function's schema, ready to check."""

    def __init__(self, function: str, schema: Mapping[str, Any]) -> None:
        """Compile a schema.

        Raises:
            SchemaError: it is none, or refers to what is not in it.
        """
        import jsonschema_rs

        self._function = function
        if schema.get("type") != "object":
            raise SchemaError(function=function, reason='its type must be "object"')
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                dict(schema), offline=True, pattern_options=jsonschema_rs.RegexOptions()
            )
        except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise SchemaError(function=function, reason=str(error).splitlines()[0][:_MOST_WORDS]) from error

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Return when they fit.

        Raises:
            BadCallError: says which argument is wrong, and how.
        """
        problems = []
        for error in self._validator.iter_errors(dict(arguments)):
            place = ".".join(map(str, error.instance_path))
            words = error.message if len(error.message) <= _MOST_WORDS else f"{error.message[:_MOST_WORDS]}…"
            problems.append(f"{place}: {words}" if place else words)
            if len(problems) == _MOST_PROBLEMS:
                break
        if problems:
            raise BadCallError(reason=f"The arguments of {self._function} do not fit: {'; '.join(problems)}")
