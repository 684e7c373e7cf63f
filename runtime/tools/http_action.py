"""The tool `http_action`: the operations of an OpenAPI 3 document, as functions of the model's.

Who calls is proved by the person's secrets, which the model neither gives nor sees: they are put into the request
after everything was decided, and taken out of what comes back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from satchel.runtime.permissions.capabilities import Capability, Kind
from satchel.runtime.permissions.places import Address, parse_address
from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult
from satchel.runtime.tools.document_text import read_text, suffix_of
from satchel.runtime.tools.egress import Egress, Request, Response
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.tools.openapi import Filled, Operation, SecurityScheme, fill
from satchel.runtime.worker.launching import Launch, launch_plainly

_OK = range(200, 300)
_MOST_ERROR = 2000
_SHORTEST_SECRET = 4
"""Shorter ones are not looked for in answers: they stand in any."""

SecretOf = Callable[[SecurityScheme], "str | None"]
"""Returns the person's secret for a service: a key, a token, or `name:password`; None: they gave none."""


def no_secrets(_scheme: SecurityScheme) -> str | None:
    """Know nothing."""
    return None


@dataclass(frozen=True, slots=True)
class _Proof:
    """What proves who calls, where the service wants it."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    secret: str = ""


class HttpAction:
    """One OpenAPI document's operations; `name` is what `assistant.toml` calls it."""

    def __init__(
        self,
        name: str,
        operations: tuple[Operation, ...],
        egress: Egress,
        secret_of: SecretOf = no_secrets,
        *,
        launch: Launch = launch_plainly,
    ) -> None:
        """`launch` starts the reader of documents that an operation may answer with."""
        self._name, self._operations, self._egress, self._secret_of = name, operations, egress, secret_of
        self._launch = launch

    @property
    def name(self) -> str:
        """As in `[tools.NAME]`."""
        return self._name

    @property
    def functions(self) -> tuple[Function, ...]:
        """One for each operation."""
        return tuple(self._function(operation) for operation in self._operations)

    def close(self) -> None:
        """Hold nothing: each call has a connection of its own."""

    def _function(self, operation: Operation) -> Function:
        place = operation.server.place

        def needs(arguments: Arguments) -> tuple[Capability, ...]:
            fill(operation, arguments)  # a value that makes no address is refused before anyone is asked
            return (Capability(Kind.NET_CALL, place),)

        return Function(
            name=operation.function,
            description=operation.description,
            parameters=operation.schema,
            run=lambda arguments, context: self._run(operation, arguments, context),
            row="http_action_read" if operation.is_reading else "http_action",
            needs=needs,
            destinations=lambda _arguments: (place,),
            described_by=place,
            seconds=60.0,
        )

    def _run(self, operation: Operation, arguments: Arguments, context: CallContext) -> ToolResult:
        proof = self._proof(operation)
        request = _request(operation, fill(operation, arguments), proof)
        context.progress(f"calling {operation.server.place}", 0, None)
        response = self._egress.fetch(request, context)
        if response.redirect is not None:
            raise ToolError(
                reason=f"The service sends the call to another place ({response.redirect.place}); it did not go"
            )
        text = _without(_text(response, context, self._launch), proof.secret)
        if response.status not in _OK:
            raise ToolError(reason=f"The service answered with status {response.status}: {text[:_MOST_ERROR]}")
        return ToolResult(text or f"Done (status {response.status}).", places=(response.address.place,))

    def _proof(self, operation: Operation) -> _Proof:
        """Return the first proof that the service takes and the person gave.

        Raises:
            ToolError: it wants one, and there is none.
        """
        for scheme in operation.security:
            if (secret := self._secret_of(scheme)) is not None:
                return _proof(scheme, secret)
        if operation.security:
            wanted = " or ".join(f"{one.name} ({one.kind})" for one in operation.security)
            raise ToolError(reason=f"{operation.server.place} wants {wanted}, and the person has not given it")
        return _Proof()


def _proof(scheme: SecurityScheme, secret: str) -> _Proof:
    if scheme.kind == "apiKey" and scheme.place == "header":
        return _Proof({scheme.key: secret}, secret=secret)
    if scheme.kind == "apiKey" and scheme.place == "query":
        return _Proof(query=f"{quote(scheme.key, safe='')}={quote(secret, safe='')}", secret=secret)
    if scheme.kind == "basic":
        encoded = base64.b64encode(secret.encode()).decode()
        return _Proof({"Authorization": f"Basic {encoded}"}, secret=secret)
    if scheme.kind in ("bearer", "oauth2", "openidconnect"):
        return _Proof({"Authorization": f"Bearer {secret}"}, secret=secret)
    raise ToolError(reason=f"The service wants to be told who calls in a way that is not known here ({scheme.kind})")


def _request(operation: Operation, filled: Filled, proof: _Proof) -> Request:
    address: Address | None = filled.address
    if proof.query:
        separator = "&" if "?" in filled.address.path else "?"
        address = parse_address(f"{filled.address.text}{separator}{proof.query}")
    assert address is not None  # an address and an encoded query
    accept = {"Accept": "application/json, text/*;q=0.8, */*;q=0.5"}
    return Request(address, operation.method.upper(), accept | filled.headers | dict(proof.headers), filled.body)


def _text(response: Response, context: CallContext, launch: Launch) -> str:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not response.body:
        return ""
    if media_type.endswith("json"):
        try:
            return json.dumps(json.loads(response.body), ensure_ascii=False, indent=1)
        except (ValueError, RecursionError):
            return response.body.decode(errors="replace")
    if media_type.startswith("text/") and media_type != "text/html":
        return response.body.decode(errors="replace")
    return read_text(response.body, suffix_of(media_type), "the answer", context, launch=launch)


def _without(text: str, secret: str) -> str:
    """Take out the secret, should the service echo it."""
    # Of `name:password`, the password alone as well.
    parts = {part for part in (secret, secret.partition(":")[2]) if len(part) >= _SHORTEST_SECRET}
    forms = {form for part in parts for form in (part, quote(part, safe=""), base64.b64encode(part.encode()).decode())}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "[secret]")
    return text
