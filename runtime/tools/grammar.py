"""The grammar of an assistant's tool calls, in llama.cpp's GBNF: it sleeps until a call starts.

From then on nothing but calls of its own functions can be written, with arguments of the right names and kinds. What a
schema says beyond that (patterns, ranges, references) is left to `arguments`: where this cannot express a schema it
allows more, never less. llama-cpp-python's own converter is not used: it would fetch `$ref: https://…`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from satchel.runtime.engine.base import Grammar
from satchel.runtime.tools.base import Function
from satchel.runtime.tools.calls import CLOSING, OPENING

_MOST_DEPTH = 8
_MOST_OPTIONAL = 12
"""Each optional property adds a rule for what may follow it."""
_NO_RULE_NAME = re.compile(r"[^a-zA-Z0-9]+")

# JSON as models write it: no free white space, in which a small model can get lost, but ", " and ": ".
_BASE = r"""
string ::= "\"" char* "\""
char ::= [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])
integer ::= "-"? ("0" | [1-9] [0-9]{0,17})
number ::= integer ("." [0-9]{1,17})? ([eE] [-+]? [0-9]{1,2})?
boolean ::= "true" | "false"
null ::= "null"
value ::= object | array | string | number | boolean | null
object ::= "{" (string ": " value (", " string ": " value)*)? "}"
array ::= "[" (value (", " value)*)? "]"
"""


def call_grammar(functions: Iterable[Function]) -> Grammar | None:
    """Return the grammar of one or more calls of these functions; None where there are none."""
    rules = _Rules()
    calls = []
    for function in functions:
        arguments = rules.add(function.name, function.parameters)
        beginning = f'{{"name": {_dumped(function.name)}, "arguments": '
        calls.append(rules.named(f"call-{function.name}", f'{_literal(beginning)} {arguments} "}}"'))
    if not calls:
        return None
    one = f'{_literal(OPENING)} "\\n"? ({" | ".join(calls)}) "\\n"? {_literal(CLOSING)}'
    root = f'root ::= one ("\\n"? one)*\none ::= {one}'
    return Grammar(f"{root}\n{rules.text}{_BASE}", triggers=(OPENING,))


class _Rules:
    def __init__(self) -> None:
        self._rules: dict[str, str] = {}

    @property
    def text(self) -> str:
        return "".join(f"{name} ::= {body}\n" for name, body in self._rules.items())

    def named(self, name: str, body: str) -> str:
        """Add a rule and return its name, which is like the one that is wished for."""
        clean = wished = _NO_RULE_NAME.sub("-", name).strip("-") or "rule"
        number = 1
        while clean in self._rules or f"\n{clean} ::=" in _BASE or clean in ("root", "one"):
            number += 1
            clean = f"{wished}-{number}"
        self._rules[clean] = body
        return clean

    def add(self, name: str, schema: Any, depth: int = 0) -> str:
        """Return an expression for a schema's values."""
        if not isinstance(schema, Mapping) or depth > _MOST_DEPTH:
            return "value"
        if "const" in schema:
            return _literal(_dumped(schema["const"]))
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self.named(f"{name}-enum", " | ".join(_literal(_dumped(value)) for value in schema["enum"]))
        if choices := _choices(schema):
            return self._any_of(name, [self.add(f"{name}-{at}", one, depth + 1) for at, one in enumerate(choices)])
        return self._of_kind(name, schema, depth)

    def _of_kind(self, name: str, schema: Mapping[str, Any], depth: int) -> str:
        kind = schema.get("type")
        if kind == "object":
            return self._object(name, schema, depth)
        if kind == "array":
            item = self.add(f"{name}-item", schema.get("items", {}), depth + 1)
            return self.named(f"{name}-list", f'"[" ({item} (", " {item})*)? "]"')
        return kind if kind in ("string", "integer", "number", "boolean", "null") else "value"

    def _any_of(self, name: str, choices: list[str]) -> str:
        return self.named(f"{name}-any", " | ".join(dict.fromkeys(choices)))

    def _object(self, name: str, schema: Mapping[str, Any], depth: int) -> str:
        """Properties in the schema's order, the required ones first: a model that is asked writes them so."""
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or not properties:
            return '"{}"' if schema.get("additionalProperties") is False else "object"
        required = schema.get("required", ())
        pairs = {
            key: f"{_literal(_dumped(key) + ': ')} {self.add(f'{name}-{key}', inner, depth + 1)}"
            for key, inner in properties.items()
        }
        first = [pairs[key] for key in properties if key in required]
        optional = [pairs[key] for key in properties if key not in required]
        if any(key not in properties for key in required) or len(optional) > _MOST_OPTIONAL:
            return "object"
        body = ' ", " '.join(first)
        if first:
            return self.named(f"{name}-object", f'"{{" {body} {self._after(name, optional)} "}}"')
        starts = [f"{pair} {self._after(name, optional[at + 1 :])}" for at, pair in enumerate(optional)]
        return self.named(f"{name}-object", f'"{{" ({" | ".join(starts)})? "}}"')

    def _after(self, name: str, pairs: list[str]) -> str:
        """Return what may follow another property: any of these, in their order."""
        rest = ""
        for pair in reversed(pairs):
            rest = self.named(f"{name}-rest", f'(", " {pair})? {rest}'.rstrip())
        return rest


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    """Return the schemas of which a value has to fit one; empty: there is only this one."""
    for key in ("anyOf", "oneOf"):
        if isinstance(schema.get(key), list):
            return list(schema[key])
    kinds = schema.get("type")
    return [{**schema, "type": one} for one in kinds] if isinstance(kinds, list) else []


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(text: str) -> str:
    """Write a text as a GBNF literal."""
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{escaped}"'
