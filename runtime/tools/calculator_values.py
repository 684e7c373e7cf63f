"""What the calculator computes with: exact rationals, floats where nothing exact exists, quantities.

Units are pint's (BSD; kept, complete, offsets of temperatures right), whose registry works on `Fraction`; it is
imported when an expression has its first unit, because that costs 0.3 s.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any, TypeAlias

from satchel.runtime.tools.errors import ToolError

Number: TypeAlias = Fraction | float
Value: TypeAlias = Any
"""A `Number`, a `Percent`, or a quantity of pint's, which has no annotations."""

MOST_BITS = 20_000
"""Of a numerator or denominator; some 6,000 digits."""
_MOST_DIGITS = 60
_FLOAT_DIGITS = 15


class CalculationError(ToolError):
    """This cannot be computed: {reason}."""


class Percent:
    """A percentage, which means one thing in a sum (80 + 15%) and another in a product (15% of 80)."""

    def __init__(self, hundredths: Number) -> None:
        self.fraction = checked(hundredths / 100)


def checked(value: Number) -> Number:
    """Return a number.

    Raises:
        CalculationError: it is too large to go on with, or no number.
    """
    if isinstance(value, Fraction):
        if max(abs(value.numerator), value.denominator).bit_length() > MOST_BITS:
            raise CalculationError(reason="the result has too many digits")
    elif not math.isfinite(value):
        raise CalculationError(reason="the result is infinite or undefined")
    return value


def as_number(value: Value, what: str) -> Number:
    """Return a plain number.

    Raises:
        CalculationError: it has a unit.
    """
    if isinstance(value, Percent):
        return value.fraction
    if isinstance(value, Fraction | float):
        return value
    if is_quantity(value) and value.dimensionless:
        return checked(value.to("dimensionless").magnitude)
    raise CalculationError(reason=f"{what} needs a plain number, not {shown(value)}")


def is_quantity(value: Value) -> bool:
    """Return whether it has a unit."""
    return hasattr(value, "magnitude")


@functools.cache
def unit_registry() -> Any:
    """Return pint's registry on exact numbers; made once, because it takes 0.2 s, and never changed."""
    import pint

    return pint.UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True, cache_folder=None)


def find_unit(name: str) -> Any | None:
    """Return a unit by its name or sign; None where there is none."""
    import pint

    try:
        return unit_registry().Unit(name)
    except (pint.PintError, ValueError, AttributeError, TypeError):
        return None


def quantity(magnitude: Number, unit: Any) -> Any:
    """Return so much of a unit."""
    return unit_registry().Quantity(magnitude, unit)


def shown(value: Value) -> str:
    """Return a value as the model reads it: exact where it can be, with a decimal beside a fraction."""
    if isinstance(value, Percent):
        return f"{_number(value.fraction * 100)}%"
    if isinstance(value, Fraction | float):
        return _number(value)
    unit = f"{value.units:~P}" if value.units != value.units._REGISTRY.dimensionless else ""  # noqa: SLF001 - no other way
    return f"{_number(value.magnitude)} {unit}".rstrip()


def _number(value: Number) -> str:
    if isinstance(value, int):
        value = Fraction(value)
    if isinstance(value, float):
        return f"≈ {value:.{_FLOAT_DIGITS}g}" if value != int(value) or abs(value) >= 2**53 else str(int(value))
    if value.denominator == 1:
        digits = str(value.numerator) if value.numerator.bit_length() < 4 * _MOST_DIGITS else ""
        return digits or f"≈ {_scientific(value)}"
    twos_and_fives = value.denominator
    for factor in (2, 5):
        while twos_and_fives % factor == 0:
            twos_and_fives //= factor
    if twos_and_fives == 1 and (decimal := _decimal(value)):
        return decimal
    return (
        f"{value} ≈ {_scientific(value)}" if len(str(value.denominator)) <= _FLOAT_DIGITS else f"≈ {_scientific(value)}"
    )


def _decimal(value: Fraction) -> str:
    """Write a finite decimal in full; empty where that is long."""
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
        if places > _FLOAT_DIGITS:
            return ""
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _scientific(value: Fraction) -> str:
    try:
        return f"{float(value):.{_FLOAT_DIGITS}g}"
    except OverflowError:
        exponent = len(str(abs(value.numerator))) - len(str(value.denominator))
        return f"{float(value / Fraction(10) ** exponent):.{_FLOAT_DIGITS}g} x 10^{exponent}"
