"""What an encrypted PDF asks for, read by pypdf from its trailer (ISO 32000-2, 7.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from satchel.runtime.knowledge.extract.pdf.guard import GuardedBytes, attempt

_CERTIFICATES = frozenset({"Adobe.PubSec", "Adobe.PPKLite", "Entrust.PPKEF"})
_MAKERS = {
    "EBX_HANDLER": "Adobe Digital Editions",
    "FOPN_fLock": "FileOpen",
    "FOPN_foweb": "FileOpen",
    "Adobe.APS": "Adobe's policy server",
    "MicrosoftIRMServices": "Microsoft's rights management",
}
_CIPHERS = {"V2": "RC4", "AESV2": "AES-128", "AESV3": "AES-256"}
_SECONDS = 10.0
_PLAIN_NAME = re.compile(r"[\w.-]{1,40}", re.ASCII)
_CRYPT_FILTERS = 4
_AES_256 = 5


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a PDF is encrypted."""

    handler: str
    """Who checks the right to read: `Standard` is a password; empty where it is not known."""
    cipher: str = ""
    """Such as `AES-256`; empty where it is not known."""

    @property
    def by_certificate(self) -> bool:
        """Only the holders of certain certificates can read it."""
        return self.handler in _CERTIFICATES

    @property
    def maker(self) -> str:
        """The program or service that opens it, for people."""
        return _MAKERS.get(self.handler, self.handler)


def describe_encryption(content: bytes, check: Callable[[], None]) -> Encryption:
    """Return how a PDF is encrypted, as far as pypdf can tell; never fails.

    Raises:
        CancelledError: what `check` raised; it is called all the time.
    """
    return attempt(lambda: _describe(GuardedBytes(content, check, seconds=_SECONDS))) or Encryption("")


def _describe(stream: GuardedBytes) -> Encryption:
    from pypdf import PdfReader

    class TrailerReader(PdfReader):
        """Leaves the encryption alone: pypdf refuses to open what it cannot decrypt, and this asks only what it is."""

        is_encrypted = False

    entry: Any = TrailerReader(stream).trailer["/Encrypt"]
    handler = str(entry["/Filter"]).removeprefix("/")
    if not _PLAIN_NAME.fullmatch(handler):
        handler = ""
    return Encryption(handler, _cipher(entry))


def _cipher(entry: Any) -> str:
    version = entry.get("/V", 0)
    if version < _CRYPT_FILTERS:
        return f"RC4-{entry.get('/Length', 40)}" if version > 1 else "RC4-40"
    try:
        method = str(entry["/CF"][entry["/StmF"]]["/CFM"]).removeprefix("/")
    except (KeyError, TypeError):
        return "AES-256" if version == _AES_256 else ""
    return _CIPHERS.get(method, "")
