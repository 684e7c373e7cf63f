"""The tool that has a picture painted by an OpenAI-compatible endpoint, on this machine or elsewhere.

Diagrams and charts need none: the interpreter draws them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from satchel.runtime.permissions.capabilities import Capability, Kind
from satchel.runtime.permissions.places import Address
from satchel.runtime.tools.base import Arguments, Artefact, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.egress import Egress, Request
from satchel.runtime.tools.errors import ToolError

_SIZES = ("256x256", "512x512", "1024x1024", "1024x1536", "1536x1024")
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp"}
_MOST_ERROR = 300
_OK = 200


@dataclass(frozen=True, slots=True)
class ImageEndpoint:
    """Where pictures are painted."""

    address: Address
    """Of the generations, such as `http://127.0.0.1:7860/v1/images/generations`."""
    model: str = ""
    key: Callable[[], str | None] = lambda: None
    """Returns the person's secret for it."""


class Image:
    """The tool `image`, over one endpoint."""

    name = "image"

    def __init__(self, endpoint: ImageEndpoint, egress: Egress) -> None:
        self._endpoint, self._egress = endpoint, egress

    @property
    def functions(self) -> tuple[Function, ...]:
        """One: `image`."""
        place = self._endpoint.address.place
        return (
            Function(
                name=self.name,
                description="Have a picture painted from a description and show it to the person. Not for diagrams.",
                parameters=object_schema(
                    {"description": {"type": "string", "minLength": 1, "maxLength": 2000}},
                    {"size": {"enum": list(_SIZES)}},
                ),
                run=self._run,
                row="image_endpoint",
                needs=lambda _arguments: (Capability(Kind.NET_CALL, place),),
                destinations=lambda _arguments: (place,),
                seconds=300.0,
            ),
        )

    def close(self) -> None:
        """Hold nothing."""

    def _run(self, arguments: Arguments, context: CallContext) -> ToolResult:
        wish = {"prompt": arguments["description"], "n": 1, "response_format": "b64_json"}
        wish |= {"size": arguments["size"]} if "size" in arguments else {}
        wish |= {"model": self._endpoint.model} if self._endpoint.model else {}
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if (key := self._endpoint.key()) is not None:
            headers["Authorization"] = f"Bearer {key}"
        context.progress(f"painting at {self._endpoint.address.place}", 0, None)
        request = Request(self._endpoint.address, "POST", headers, json.dumps(wish).encode())
        response = self._egress.fetch(request, context)
        if response.status != _OK:
            words = response.body.decode(errors="replace")[:_MOST_ERROR]
            words = words.replace(key, "[secret]") if key else words
            raise ToolError(reason=f"The image service answered with status {response.status}: {words}")
        content = _picture(response.body)
        picture = Artefact(f"picture.{_kind(content)}", f"image/{_kind(content)}", content)
        return ToolResult("The picture is shown to the person.", (picture,))


def _picture(body: bytes) -> bytes:
    """Return the bytes of the first picture.

    Raises:
        ToolError: there is none. An address instead of bytes is not gone to: it would be anybody's choice.
    """
    try:
        content = base64.b64decode(json.loads(body)["data"][0]["b64_json"], validate=True)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError, binascii.Error) as error:
        raise ToolError(reason="The image service answered with what is no picture") from error
    _kind(content)
    return content


def _kind(content: bytes) -> str:
    for signature, kind in _SIGNATURES.items():
        if content.startswith(signature):
            return kind
    raise ToolError(reason="The image service answered with what is no PNG, JPEG or WebP")
