"""The calculator: exact arithmetic, units and percentages, by `calculator_parser`; nothing is ever evaluated."""

from __future__ import annotations

from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.calculator_parser import evaluate
from satchel.runtime.tools.calculator_values import shown

_MOST_CHARACTERS = 500

_DESCRIPTION = (
    "Compute an arithmetic expression exactly. Use it for every calculation. Operators: + - * / // % ^ ( ); "
    "functions: sqrt, abs, round, floor, ceil, min, max, sum, mean, log, ln, exp, sin, cos, tan, asin, acos, atan, "
    "factorial, gcd, lcm, comb; constants: pi, e. Percentages: 15% of 80, 80 + 15%. "
    "Units: 26.2 miles in km, 72 degF to degC, 3 hours + 20 min."
)


class Calculator:
    """The tool `calculator`."""

    name = "calculator"

    @property
    def functions(self) -> tuple[Function, ...]:
        """One: `calculator`."""
        schema = object_schema(
            {"expression": {"type": "string", "minLength": 1, "maxLength": _MOST_CHARACTERS,
                            "description": "Such as (3/4 + 1/8) * 12, or 5 ft 11 in in cm"}}
        )  # fmt: skip
        return (Function(name=self.name, description=_DESCRIPTION, parameters=schema, run=self._run, seconds=10.0),)

    def close(self) -> None:
        """Hold nothing."""

    @staticmethod
    def _run(arguments: Arguments, _context: CallContext) -> ToolResult:
        return ToolResult(shown(evaluate(arguments["expression"])))
