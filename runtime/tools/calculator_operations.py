"""The calculator's operations: exact while they can be, bounded before they are done, units minded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from satchel.runtime.tools.calculator_values import (
    MOST_BITS,
    CalculationError,
    Number,
    Percent,
    Value,
    as_number,
    checked,
    is_quantity,
    quantity,
    shown,
)

_MOST_FACTORIAL = 1500
CONSTANTS: Mapping[str, Number] = {"pi": math.pi, "π": math.pi, "e": math.e, "tau": math.tau}


def number_of(value: Value, what: str) -> Number:
    """Return a plain number, as `calculator_values.as_number`."""
    return as_number(value, what)


def add(left: Value, right: Value) -> Value:
    """Return the sum; 80 + 15% is 92."""
    if isinstance(right, Percent) and not isinstance(left, Percent):
        return multiply(left, 1 + right.fraction)
    if isinstance(left, Percent) and isinstance(right, Percent):
        return Percent((left.fraction + right.fraction) * 100)
    return _with_units(left, right, lambda a, b: a + b, "add")


def subtract(left: Value, right: Value) -> Value:
    """Return the difference."""
    return add(left, negate(right))


def negate(value: Value) -> Value:
    """Return the value with the other sign."""
    return Percent(-value.fraction * 100) if isinstance(value, Percent) else -value


def multiply(left: Value, right: Value) -> Value:
    """Return the product."""
    return _with_units(_plain(left), _plain(right), lambda a, b: a * b, "multiply")


def divide(left: Value, right: Value) -> Value:
    """Return the quotient, an exact fraction where both are exact."""
    return _with_units(_plain(left), _plain(right), lambda a, b: a / b, "divide")


def _floor_divide(left: Value, right: Value) -> Value:
    return Fraction(math.floor(number_of(left, "//") / number_of(right, "//")))


def _remainder(left: Value, right: Value) -> Value:
    return checked(number_of(left, "%") % number_of(right, "%"))


PRODUCTS: Mapping[str, Callable[[Value, Value], Value]] = {
    "*": multiply, "of": multiply, "/": divide, "//": _floor_divide, "%": _remainder, "mod": _remainder,
}  # fmt: skip


def power(base: Value, exponent: Value) -> Value:
    """Return a power; its size is reckoned before it is computed."""
    by = number_of(exponent, "an exponent")
    if is_quantity(base):
        if abs(float(by)) > 12:  # noqa: PLR2004 - no physical unit has more
            raise CalculationError(reason="a unit cannot have so large an exponent")
        return base ** (int(by) if by == int(by) else float(by))
    under = number_of(base, "a power")
    if isinstance(under, Fraction) and isinstance(by, Fraction) and by.denominator == 1:
        bits = max(abs(under.numerator), under.denominator).bit_length()
        if bits > 1 and bits * abs(by.numerator) > 2 * MOST_BITS:
            raise CalculationError(reason="the result has too many digits")
        if abs(by.numerator) > MOST_BITS:
            by = Fraction(2 + by.numerator % 2)  # of 0, 1 or -1: only odd or even matters
        return checked(under ** int(by))
    result: Any = float(under) ** float(by)
    if isinstance(result, complex):
        raise CalculationError(reason="it is the root of a negative number")
    exact = _exact_root(under, by)
    return exact if exact is not None else checked(result)


def convert(value: Value, unit: Any) -> Value:
    """Return a quantity in another unit."""
    import pint

    if not is_quantity(value):
        raise CalculationError(reason=f"{shown(value)} has no unit that it could be converted from")
    try:
        return value.to(unit)
    except pint.PintError as error:
        raise CalculationError(reason=str(error)) from error


def _with_units(left: Value, right: Value, operation: Callable[[Any, Any], Any], name: str) -> Value:
    if isinstance(left, Percent) or isinstance(right, Percent):
        raise CalculationError(reason=f"one cannot {name} {shown(left)} and {shown(right)}")
    if not is_quantity(left) and not is_quantity(right):
        left, right = _same_kind(left, right)
        return checked(operation(left, right))
    import pint

    try:
        result = operation(left, right)
    except pint.PintError as error:
        raise CalculationError(reason=str(error)) from error
    checked(result.magnitude if is_quantity(result) else result)
    return result


def _same_kind(left: Number, right: Number) -> tuple[Number, Number]:
    return (left, right) if isinstance(left, Fraction) and isinstance(right, Fraction) else (float(left), float(right))


def _plain(value: Value) -> Value:
    return value.fraction if isinstance(value, Percent) else value


def _exact_root(base: Number, exponent: Number) -> Fraction | None:
    """Return 4^(1/2) and the like exactly; None where the root is no rational number."""
    if not (isinstance(base, Fraction) and isinstance(exponent, Fraction)) or base < 0 or exponent.numerator != 1:
        return None
    degree = exponent.denominator
    parts = [round(float(part) ** (1 / degree)) if part < 2**1000 else 0 for part in (base.numerator, base.denominator)]
    root = Fraction(parts[0], parts[1]) if parts[1] else Fraction(0)
    return root if degree < 64 and root**degree == base else None  # noqa: PLR2004 - beyond, floats find no root


def _square_root(value: Value) -> Value:
    if is_quantity(value):
        return value ** Fraction(1, 2) if value.magnitude < 0 else quantity(
            number_of(_square_root(value.magnitude), "sqrt"), value.units ** Fraction(1, 2)
        )  # fmt: skip
    return power(number_of(value, "sqrt"), Fraction(1, 2))


def _of_floats(name: str, function: Callable[..., float], most: int = 1) -> Callable[[Sequence[Value]], Value]:
    def apply(arguments: Sequence[Value]) -> Value:
        _count(name, arguments, 1, most)
        values = [_in_radians(one) if name in ("sin", "cos", "tan") else number_of(one, name) for one in arguments]
        try:
            return checked(function(*map(float, values)))
        except ValueError:
            raise CalculationError(reason=f"{name} is not defined there") from None

    return apply


def _in_radians(value: Value) -> Number:
    return (
        checked(float(value.to("radian").magnitude))
        if is_quantity(value) and value.check("[]")
        else number_of(value, "an angle")
    )


def _of_integers(name: str, function: Callable[..., int], least: int, most: int) -> Callable[[Sequence[Value]], Value]:
    def apply(arguments: Sequence[Value]) -> Value:
        _count(name, arguments, least, most)
        values = [number_of(one, name) for one in arguments]
        if any(one != int(one) for one in values):
            raise CalculationError(reason=f"{name} needs whole numbers")
        if name in ("factorial", "comb") and (min(values) < 0 or max(values) > _MOST_FACTORIAL):
            raise CalculationError(reason=f"{name} is computed for 0 to {_MOST_FACTORIAL} only")
        return checked(Fraction(function(*map(int, values))))

    return apply


def _of_many(name: str, function: Callable[[Sequence[Value]], Value]) -> Callable[[Sequence[Value]], Value]:
    def apply(arguments: Sequence[Value]) -> Value:
        if any(isinstance(one, Percent) for one in arguments):
            raise CalculationError(reason=f"{name} needs numbers")
        return function(arguments)

    return apply


def _round(arguments: Sequence[Value]) -> Value:
    _count("round", arguments, 1, 2)
    digits = int(number_of(arguments[1], "round")) if len(arguments) > 1 else 0
    if abs(digits) > 300:  # noqa: PLR2004 - a float has no more
        raise CalculationError(reason="so many digits cannot be rounded to")
    value = arguments[0]
    if is_quantity(value):
        return quantity(_rounded(value.magnitude, digits), value.units)
    return _rounded(number_of(value, "round"), digits)


def _rounded(value: Number, digits: int) -> Fraction:
    """Round half away from zero, as people do; Python's own `round` takes the even neighbour."""
    scaled = abs(Fraction(value)) * Fraction(10) ** digits
    whole = math.floor(scaled + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole) / Fraction(10) ** digits


def _total(arguments: Sequence[Value]) -> Value:
    total = arguments[0]
    for one in arguments[1:]:
        total = add(total, one)
    return total


def _whole(name: str, function: Callable[[Any], int]) -> Callable[[Sequence[Value]], Value]:
    def apply(arguments: Sequence[Value]) -> Value:
        _count(name, arguments, 1, 1)
        value = arguments[0]
        if is_quantity(value):
            return quantity(Fraction(function(value.magnitude)), value.units)
        return Fraction(function(number_of(value, name)))

    return apply


def _one(name: str, function: Callable[[Value], Value]) -> Callable[[Sequence[Value]], Value]:
    def apply(arguments: Sequence[Value]) -> Value:
        _count(name, arguments, 1, 1)
        return function(arguments[0])

    return apply


def _count(name: str, arguments: Sequence[Value], least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise CalculationError(reason=f"{name} takes {least if least == most else f'{least} to {most}'} arguments")


FUNCTIONS: Mapping[str, Callable[[Sequence[Value]], Value]] = {
    "sqrt": _one("sqrt", _square_root),
    "abs": _one("abs", lambda value: abs(_plain(value))),
    "round": _round,
    "floor": _whole("floor", math.floor),
    "ceil": _whole("ceil", math.ceil),
    "min": _of_many("min", min),
    "max": _of_many("max", max),
    "sum": _of_many("sum", _total),
    "mean": _of_many("mean", lambda values: divide(_total(values), Fraction(len(values)))),
    "ln": _of_floats("ln", math.log),
    "log": _of_floats("log", lambda value, base=10.0: math.log10(value) if base == 10 else math.log(value, base), 2),  # noqa: PLR2004 - the usual base
    "log2": _of_floats("log2", math.log2),
    "log10": _of_floats("log10", math.log10),
    "exp": _of_floats("exp", math.exp),
    **{name: _of_floats(name, getattr(math, name)) for name in ("sin", "cos", "tan", "asin", "acos", "atan")},
    "factorial": _of_integers("factorial", math.factorial, 1, 1),
    "gcd": _of_integers("gcd", math.gcd, 1, 100),
    "lcm": _of_integers("lcm", math.lcm, 1, 100),
    "comb": _of_integers("comb", math.comb, 2, 2),
}
