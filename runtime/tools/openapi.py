"""OpenAPI 3 documents: which operations there are, what each takes, and how a call becomes a request.

The document is somebody's file: references lead nowhere but into it, and what it says of a server is a place that the
person sees and grants, never more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from satchel.runtime.permissions.places import Address, parse_address
from satchel.runtime.tools.errors import BadCallError, ToolError

METHODS = ("get", "put", "post", "delete", "head", "patch")
READING = frozenset({"get", "head"})
_MOST_OPERATIONS = 200
_MOST_DEPTH = 24
_MOST_NODES = 20_000
_MOST_DESCRIPTION = 1000
_BODY = "body"
_NO_NAME = re.compile(r"(?:[^a-zA-Z0-9_-]|__)+")
_BODY_TYPES = ("application/json", "application/x-www-form-urlencoded", "text/plain")


class OpenApiError(ToolError):
    """{name}: {reason}."""

    exit_code = 58
    remedy = "It must be an OpenAPI 3 document in JSON whose references lead into itself."


class UnusableOperationError(OpenApiError):
    """{name}: {reason}."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that a call fills in."""

    name: str
    place: str
    """`path`, `query` or `header`."""
    required: bool
    schema: Mapping[str, Any]
    explode: bool
    argument: str
    """What the model calls it: the name, with the place where two have one name."""


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """How a service wants to know who calls."""

    name: str
    kind: str
    """`apiKey`, `basic`, `bearer`, or `oauth2`."""
    place: str = ""
    """Of an API key: `header` or `query`."""
    key: str = ""
    """Of an API key: the name of the header or query parameter."""
    authorization: str = ""
    """Of OAuth 2.0: the page at which a person signs in; as the document has it, which may be no address."""
    token: str = ""
    """Of OAuth 2.0: where tokens are given out."""
    device: str = ""
    """Of OAuth 2.0: where a code is given out that is typed elsewhere (OpenAPI 3.2, and `x-` before it)."""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a service can do."""

    function: str
    """What the model calls it."""
    description: str
    method: str
    server: Address
    path: str
    parameters: tuple[Parameter, ...]
    body_type: str
    """Media type of the body; empty: it has none."""
    schema: Mapping[str, Any]
    """Of all arguments together."""
    security: tuple[SecurityScheme, ...]
    """Any of these does; empty: nobody is asked."""

    @property
    def is_reading(self) -> bool:
        """GET and HEAD change nothing, by the protocol's own word."""
        return self.method in READING


@dataclass(frozen=True, slots=True)
class OpenApiDocument:
    """What a document offers."""

    operations: tuple[Operation, ...]
    left_out: tuple[str, ...]
    """Operations that cannot be called from here (they want a file, say), each with its reason."""


@dataclass(frozen=True, slots=True)
class Filled:
    """An operation with a call's arguments in it."""

    address: Address
    headers: dict[str, str]
    body: bytes


def parse_openapi(text: str, name: str) -> tuple[Operation, ...]:
    """Return the operations of a document that is called `name`; as `read_openapi`."""
    return read_openapi(text, name).operations


def read_openapi(text: str, name: str) -> OpenApiDocument:
    """Read a document that is called `name`.

    Raises:
        OpenApiError: says what is wrong, and where; or none of its operations can be called.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OpenApiError(name=name, reason=f"it is no JSON ({error})") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise OpenApiError(name=name, reason="it does not say that it is OpenAPI 3")
    reader = _Reader(document, name)
    try:
        operations = tuple(reader.operations())
    except (AttributeError, TypeError, KeyError) as error:
        raise OpenApiError(name=name, reason=f"it is not built as OpenAPI says ({error})") from error
    if not operations:
        raise OpenApiError(name=name, reason="; ".join(reader.left_out[:3]) or "it has no operation")
    return OpenApiDocument(operations, tuple(reader.left_out))


def fill(operation: Operation, arguments: Mapping[str, Any]) -> Filled:
    """Return the request of a call whose arguments fit the operation's schema.

    Raises:
        BadCallError: a value that could change the path.
    """
    path, query, headers = operation.path, list[tuple[str, str]](), dict[str, str]()
    for parameter in operation.parameters:
        if parameter.argument not in arguments:
            continue
        values = _texts(arguments[parameter.argument])
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", _path_part(parameter.name, ",".join(values)))
        elif parameter.place == "header":
            headers[parameter.name] = ",".join(values)
        elif parameter.explode:
            query += [(parameter.name, value) for value in values]
        else:
            query.append((parameter.name, ",".join(values)))
    base = operation.server.text.rstrip("/")
    address = parse_address(f"{base}{path}{'?' if query else ''}{urlencode(query, quote_via=quote)}")
    if address is None or address.place != operation.server.place:
        raise BadCallError(reason=f"{operation.function} cannot be called with these values: they make no address")
    body = b""
    if operation.body_type and _BODY in arguments:
        headers["Content-Type"] = operation.body_type
        body = _packed(operation.body_type, arguments[_BODY])
    return Filled(address, headers, body)


class _Reader:
    def __init__(self, document: Mapping[str, Any], name: str) -> None:
        self._document, self._name = document, name
        self._nodes = 0
        self._taken = set[str]()
        self.left_out = list[str]()

    def operations(self) -> Iterator[Operation]:
        for path, item in (self._document.get("paths") or {}).items():
            shared = self._resolved(item, path)
            for method in METHODS:
                if method in shared:
                    try:
                        yield self._operation(path, method, shared, self._resolved(shared[method], f"{method} {path}"))
                    except UnusableOperationError as error:
                        self.left_out.append(error.fields["reason"])
                    if len(self._taken) > _MOST_OPERATIONS:
                        raise OpenApiError(name=self._name, reason=f"it has more than {_MOST_OPERATIONS} operations")

    def _operation(self, path: str, method: str, shared: Mapping[str, Any], own: Mapping[str, Any]) -> Operation:
        where = f"{method.upper()} {path}"
        parameters = self._parameters([*shared.get("parameters", ()), *own.get("parameters", ())], where)
        missing = set(re.findall(r"\{([^{}]+)\}", path)) - {one.name for one in parameters if one.place == "path"}
        if missing:
            raise OpenApiError(name=self._name, reason=f"{where} does not describe {', '.join(sorted(missing))}")
        body_type, body, body_is_required = self._body(own, where)
        properties = {one.argument: one.schema for one in parameters}
        required = [one.argument for one in parameters if one.required]
        if body_type:
            properties[_BODY] = body
            required += [_BODY] if body_is_required else []
        words = " ".join(str(own.get(key, "")) for key in ("summary", "description") if own.get(key))
        return Operation(
            function=self._function_name(str(own.get("operationId") or f"{method}_{path}")),
            description=f"{words[:_MOST_DESCRIPTION]} ({where})".strip(),
            method=method,
            server=self._server(own.get("servers") or shared.get("servers") or self._document.get("servers"), where),
            path=path,
            parameters=parameters,
            body_type=body_type,
            schema={"type": "object", "properties": properties, "required": required, "additionalProperties": False},
            security=self._security(own.get("security", self._document.get("security")) or ()),
        )

    def _parameters(self, listed: Sequence[Any], where: str) -> tuple[Parameter, ...]:
        found = dict[tuple[str, str], Mapping[str, Any]]()
        for one in listed:  # an operation's own ones come later and replace those of its path
            resolved = self._resolved(one, where)
            found[str(resolved["in"]), str(resolved["name"])] = resolved
        names = [name for _, name in found]
        parameters = []
        for (place, name), one in found.items():
            if place == "cookie" or (place == "header" and name.lower() in ("accept", "authorization", "content-type")):
                continue
            parameters.append(
                Parameter(
                    name=name, place=place, required=bool(one.get("required")),
                    schema=self._schema({**one.get("schema", {}), **_described(one)}, where),
                    explode=bool(one.get("explode", place == "query")),
                    argument=f"{place}_{name}" if names.count(name) > 1 or name == _BODY else name,
                )
            )  # fmt: skip
        return tuple(parameters)

    def _body(self, own: Mapping[str, Any], where: str) -> tuple[str, Mapping[str, Any], bool]:
        if "requestBody" not in own:
            return "", {}, False
        body = self._resolved(own["requestBody"], where)
        content = body.get("content", {})
        for media_type in _BODY_TYPES:
            if media_type in content:
                return (
                    media_type,
                    self._schema(content[media_type].get("schema", {}), where),
                    bool(body.get("required")),
                )
        reason = f"{where} wants a body of {', '.join(content) or 'no type'}, which cannot be made"
        raise UnusableOperationError(name=self._name, reason=reason)

    def _server(self, servers: Any, where: str) -> Address:
        first: Mapping[str, Any] = servers[0] if servers else {}
        url = str(first.get("url", ""))
        for name, variable in (first.get("variables") or {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        address = parse_address(url)
        if address is None or "?" in address.path:
            raise UnusableOperationError(name=self._name, reason=f"{where} has no server with a whole http(s) address")
        return address

    def _security(self, wanted: Sequence[Mapping[str, Any]]) -> tuple[SecurityScheme, ...]:
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        found = []
        for name in dict.fromkeys(name for one in wanted for name in one):
            scheme = self._resolved(schemes.get(name, {}), name)
            kind = str(scheme.get("type", ""))
            if kind == "http":
                kind = str(scheme.get("scheme", "")).lower()
            found.append(
                SecurityScheme(
                    name, kind, str(scheme.get("in", "")), str(scheme.get("name", "")), **_flows(scheme.get("flows"))
                )
            )
        return tuple(found)

    def _function_name(self, wished: str) -> str:
        name = base = _NO_NAME.sub("_", wished).replace("__", "_").strip("_")[:56] or "operation"
        number = 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def _resolved(self, value: Any, where: str) -> Mapping[str, Any]:
        """Follow a reference, and one behind it."""
        for _ in range(_MOST_DEPTH):
            if not isinstance(value, Mapping):
                raise OpenApiError(name=self._name, reason=f"{where} holds what is no object")
            if "$ref" not in value:
                return value
            value = self._referred(str(value["$ref"]), where)
        raise OpenApiError(name=self._name, reason=f"{where} refers in a circle")

    def _referred(self, reference: str, where: str) -> Any:
        if not reference.startswith("#/"):
            raise OpenApiError(name=self._name, reason=f"{where} refers to another document ({reference[:100]})")
        value: Any = self._document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(value, Mapping) or key not in value:
                raise OpenApiError(name=self._name, reason=f"{where} refers to {reference}, which is not there")
            value = value[key]
        return value

    def _schema(self, schema: Any, where: str, depth: int = 0, inside: frozenset[str] = frozenset()) -> Any:
        """Return a schema with its references put in; one that holds itself goes on as anything at all."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise OpenApiError(name=self._name, reason="its schemas are too large")
        if isinstance(schema, list):
            return [self._schema(one, where, depth + 1, inside) for one in schema]
        if not isinstance(schema, Mapping):
            return schema
        if depth > _MOST_DEPTH:
            return {}
        if isinstance(reference := schema.get("$ref"), str):
            if reference in inside:
                return {}
            return self._schema(self._referred(reference, where), where, depth + 1, inside | {reference})
        made = {
            key: self._schema(value, where, depth + 1, inside)
            for key, value in schema.items()
            if key not in _NOT_SCHEMA
        }
        if made.pop("nullable", False) and isinstance(made.get("type"), str):  # OpenAPI 3.0
            made["type"] = [made["type"], "null"]
        for bound in ("exclusiveMinimum", "exclusiveMaximum"):  # 3.0 has them true or false
            if isinstance(made.get(bound), bool):
                limit = (
                    made.pop("minimum" if bound == "exclusiveMinimum" else "maximum", None) if made.pop(bound) else None
                )
                made |= {bound: limit} if limit is not None else {}
        return made


_NOT_SCHEMA = frozenset(
    {"discriminator", "xml", "externalDocs", "example", "examples", "deprecated", "readOnly", "writeOnly"}
)


def _flows(flows: Any) -> dict[str, Any]:
    """Return what an OAuth 2.0 scheme says of signing in by a browser or by a code; nothing where it says nothing."""
    if not isinstance(flows, Mapping):
        return {}
    by_code, by_device = flows.get("authorizationCode") or {}, flows.get("deviceAuthorization") or {}
    extension = by_code.get("x-device-authorization-url", "")
    return {
        "authorization": str(by_code.get("authorizationUrl", "")),
        "token": str(by_code.get("tokenUrl") or by_device.get("tokenUrl", "")),
        "device": str(by_device.get("deviceAuthorizationUrl") or extension),
        "scopes": tuple(map(str, {**(by_code.get("scopes") or {}), **(by_device.get("scopes") or {})})),
    }


def _described(parameter: Mapping[str, Any]) -> dict[str, str]:
    return {"description": str(parameter["description"])[:300]} if parameter.get("description") else {}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in values]


def _path_part(name: str, text: str) -> str:
    """Encode a value as one part of a path.

    Raises:
        BadCallError: it would climb, or leave the part out.
    """
    if text in ("", ".", ".."):
        raise BadCallError(reason=f"{name} cannot be {text!r} in an address")
    return quote(text, safe="")


def _packed(media_type: str, value: Any) -> bytes:
    if media_type == "application/json":
        return json.dumps(value, ensure_ascii=False).encode(errors="replace")
    if isinstance(value, Mapping):
        return urlencode({key: _texts(one) for key, one in value.items()}, doseq=True).encode()
    return _texts(value)[0].encode(errors="replace")
