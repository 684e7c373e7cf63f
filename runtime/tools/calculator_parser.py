"""A recursive-descent parser that computes as it reads.

sum       = product (("+" | "-") product)*
product   = power (("*" | "/" | "//" | "%" | "of") power)*
power     = ("-" | "+") power | postfix (("^" | "**") power)?
postfix   = primary ("%" | "!" | unit)*
primary   = number | name "(" sum ("," sum)* ")" | constant | unit | "(" sum ")"
whole     = sum (("in" | "to" | "as") unit)?
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from satchel.runtime.tools import calculator_operations as operations
from satchel.runtime.tools.calculator_values import (
    CalculationError,
    Percent,
    Value,
    checked,
    find_unit,
    quantity,
)

_MOST_DEPTH = 60
_MOST_EXPONENT_DIGITS = 4
_NUMBER = r"(?:{whole}(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_ANY_PIECE = (
    r"\s*(?:(?P<number>{number})|(?P<name>[A-Za-z\u00b5\u03a9\u03c0\u00b0][A-Za-z0-9_\u00b5\u03a9]*)"
    r"|(?P<sign>\*\*|//|[-+*/^%!(),\u00d7\u00f7\u2212\u00b7]))"
)
_IN_TEXT = re.compile(_ANY_PIECE.format(number=_NUMBER.format(whole=r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)")), re.ASCII)
# In a list of arguments a comma divides: max(1,200) is no 1200.
_IN_ARGUMENTS = re.compile(_ANY_PIECE.format(number=_NUMBER.format(whole=r"\d+")), re.ASCII)
_DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_SIGNS = {"\u00d7": "*", "\u00b7": "*", "\u00f7": "/", "\u2212": "-", "**": "^"}
_CONVERT = ("in", "to", "as", "into")
_SHORT_UNITS = {
    "kmh": "km/h",
    "kph": "km/h",
    "mph": "mile/hour",
    "sqft": "foot**2",
    "sqm": "m**2",
    "°C": "degC",
    "°F": "degF",
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def evaluate(expression: str) -> Value:
    """Compute an expression.

    Raises:
        CalculationError: says what cannot be read or computed, and where.
    """
    parser = _Parser(_tokens(expression))
    try:
        value = parser.whole()
    except ZeroDivisionError:
        raise CalculationError(reason="it divides by zero") from None
    except (OverflowError, ValueError) as error:
        raise CalculationError(reason=str(error)) from error
    return value


def _tokens(expression: str) -> list[_Token]:
    tokens = list[_Token]()
    calls = list[bool]()
    """Of each open bracket, whether it opens a function's arguments."""
    at = 0
    if _DATE.search(expression):
        raise CalculationError(reason="it computes with numbers and units, not with dates")
    while expression[at:].strip():
        found = (_IN_ARGUMENTS if True in calls else _IN_TEXT).match(expression, at)
        if found is None:
            raise CalculationError(reason=f"{expression[at:].strip()[:20]!r} cannot be read")
        kind = str(found.lastgroup)
        token = _Token(kind, _SIGNS.get(found[kind], found[kind]), found.start(kind))
        if token.text == "(":
            calls.append(bool(tokens) and tokens[-1].text.lower() in operations.FUNCTIONS)
        elif token.text == ")" and calls:
            calls.pop()
        tokens.append(token)
        at = found.end()
    return [*tokens, _Token("end", "", len(expression))]


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Value:
        value = self._sum()
        if self._here.text in _CONVERT:
            self._at += 1
            value = operations.convert(value, self._unit_expression())
        if self._here.kind != "end":
            raise self._unexpected()
        return value

    @property
    def _here(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> str:
        """Step over one of these signs and return it; empty where another stands."""
        text = self._here.text
        if text not in texts or self._here.kind == "end":
            return ""
        self._at += 1
        return text

    def _sum(self) -> Value:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise CalculationError(reason="it is nested too deeply")
        value = self._product()
        while sign := self._take("+", "-"):
            right = self._product()
            value = operations.add(value, right) if sign == "+" else operations.subtract(value, right)
        self._depth -= 1
        return value

    def _product(self) -> Value:
        value = self._power()
        while sign := self._take("*", "/", "//", "%", "of", "mod"):
            value = operations.PRODUCTS[sign](value, self._power())
        return value

    def _power(self) -> Value:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise CalculationError(reason="it is nested too deeply")
        if sign := self._take("-", "+"):
            value = self._power()
            value = operations.negate(value) if sign == "-" else value
        else:
            value = self._postfix()
            if self._take("^"):
                value = operations.power(value, self._power())
        self._depth -= 1
        return value

    def _postfix(self) -> Value:
        value = self._primary()
        while True:
            if self._is_percent_sign():
                self._at += 1
                value = Percent(operations.number_of(value, "a percentage"))
            elif self._take("!"):
                value = operations.FUNCTIONS["factorial"]([value])
            elif isinstance(value, Fraction | float) and self._unit_here() is not None:
                value = self._measured(value)
            else:
                return value

    def _is_percent_sign(self) -> bool:
        """`%` is a percentage where nothing follows that it could be the remainder of a division by."""
        if self._here.text != "%":
            return False
        after = self._tokens[self._at + 1]
        return after.kind == "end" or after.text in ("+", "-", "*", "/", "//", ")", ",", "of", "^", *_CONVERT)

    def _measured(self, value: Any) -> Value:
        """`5 ft 11 in`, `10 km/h`, `9.81 m/s^2`: a number with a unit, and smaller ones added to it."""
        total = quantity(value, self._unit_expression())
        while self._here.kind == "number" and self._unit_at(self._at + 1) is not None:
            more = checked(Fraction(self._here.text.replace(",", "")))
            self._at += 1
            total = operations.add(total, quantity(more, self._unit_expression()))
        return total

    def _unit_at(self, at: int) -> Any | None:
        token = self._tokens[at]
        if token.kind != "name" or token.text in ("of", "to", "as", "into", "mod"):
            return None
        # "in" is inches in "11 in" and asks for a conversion in "5 ft in cm".
        after = self._tokens[at + 1]
        if token.text == "in" and after.kind == "name" and after.text not in _CONVERT:
            return None
        return find_unit(_SHORT_UNITS.get(token.text, token.text))

    def _unit_here(self) -> Any | None:
        return self._unit_at(self._at)

    def _unit_expression(self) -> Any:
        """A unit, or a product of some: `km/h`, `m/s^2`, `kg*m`; `/` and `*` belong to it where a unit follows."""
        unit = self._one_unit()
        while self._here.text in ("*", "/") and self._unit_at(self._at + 1) is not None:
            sign = self._here.text
            self._at += 1
            unit = unit * self._one_unit() if sign == "*" else unit / self._one_unit()
        return unit

    def _one_unit(self) -> Any:
        name = self._here.text
        unit = find_unit(_SHORT_UNITS.get(name, name)) if self._here.kind == "name" else None
        if unit is None:
            raise CalculationError(
                reason=f"{name!r} is no unit that is known" if name else "a unit is missing at the end"
            )
        self._at += 1
        if self._here.text == "^" and self._tokens[self._at + 1].text in ("2", "3", "4"):
            exponent = int(self._tokens[self._at + 1].text)
            self._at += 2
            return unit**exponent
        return unit

    def _primary(self) -> Value:
        token = self._here
        if self._take("("):
            value = self._sum()
            self._expect(")")
            return value
        self._at += 1
        if token.kind == "number":
            return _number(token)
        if token.kind == "name":
            return self._named(token)
        self._at -= 1
        raise self._unexpected()

    def _named(self, token: _Token) -> Value:
        name = token.text.lower()
        if name in operations.FUNCTIONS and self._here.text == "(":
            self._at += 1
            arguments = [self._sum()]
            while self._take(","):
                arguments.append(self._sum())
            self._expect(")")
            return operations.FUNCTIONS[name](arguments)
        if name in operations.CONSTANTS:
            return operations.CONSTANTS[name]
        self._at -= 1
        if self._unit_here() is not None:
            return quantity(Fraction(1), self._unit_expression())
        raise CalculationError(reason=f"{token.text!r} is no function, constant or unit that is known")

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected(f"{sign!r} is missing")

    def _unexpected(self, what: str = "") -> CalculationError:
        place = f"before {self._here.text!r} (character {self._here.at + 1})" if self._here.text else "at the end"
        return CalculationError(reason=f"{what or 'something is missing or too much'} {place}")


def _number(token: _Token) -> Fraction:
    mantissa, _, exponent = token.text.lower().partition("e")
    if len(exponent.strip("+-")) > _MOST_EXPONENT_DIGITS:
        raise CalculationError(reason=f"{token.text} has too large an exponent")
    value = Fraction(mantissa.replace(",", ""))
    result = checked(value * Fraction(10) ** int(exponent or 0))
    assert isinstance(result, Fraction)  # made of one
    return result
