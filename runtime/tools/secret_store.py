"""The person's secrets for services: in the system's keyring, or in an encrypted file where there is none.

Never in a project or a pack, and never shown to a model. Each has a name, `harbour/key`; names can be listed, and each
secret revoked. The file is encrypted with a key that lies in another file, readable by the person alone: that guards
what a backup or a synchronised folder carries away, and not against somebody who can read both.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.errors import MissingExtraError
from satchel.runtime.tools.errors import ToolError

_SERVICE = "satchel"
_NAME = re.compile(r"[\w-][\w.-]{0,99}/[\w-][\w.-]{0,99}")
_MOST_CHARACTERS = 100_000
_NONCE_BYTES = 12


class SecretStoreError(ToolError):
    """The secrets in {place} cannot be used: {reason}."""

    remedy = "Unlock the keyring, or move the files away and sign in again."


class SecretStore(Protocol):
    """Where secrets are kept."""

    @property
    def in_words(self) -> str:
        """Where that is."""

    def get(self, name: str) -> str | None:
        """Return a secret; None where there is none of that name."""

    def put(self, name: str, secret: str) -> None:
        """Keep a secret in place of what had that name."""

    def revoke(self, name: str) -> None:
        """Forget a secret; one that is not there is no error."""

    def names(self) -> tuple[str, ...]:
        """Return what there is, without the secrets."""


class KeyringStore:
    """The system's keyring; a file beside the settings keeps the names, because keyrings cannot list theirs."""

    def __init__(self, index: Path, backend: Any) -> None:
        self._index, self._backend = index, backend

    @property
    def in_words(self) -> str:
        """Where that is."""
        return f"the system's keyring ({self._backend.name})"

    def get(self, name: str) -> str | None:
        """Return a secret.

        Raises:
            SecretStoreError: the keyring is locked or gone.
        """
        with self._told():
            secret: str | None = self._backend.get_password(_SERVICE, _checked(name))
            return secret

    def put(self, name: str, secret: str) -> None:
        """Keep a secret.

        Raises:
            SecretStoreError: as `get`.
        """
        names = _read_names(self._index)  # before anything is kept that could not be listed
        with self._told():
            self._backend.set_password(_SERVICE, _checked(name), _bounded(secret))
        _save_names(self._index, {*names, name})

    def revoke(self, name: str) -> None:
        """Forget a secret.

        Raises:
            SecretStoreError: as `get`.
        """
        from keyring.errors import PasswordDeleteError

        with self._told(), contextlib.suppress(PasswordDeleteError):  # it is not there
            self._backend.delete_password(_SERVICE, _checked(name))
        _save_names(self._index, set(_read_names(self._index)) - {name})

    def names(self) -> tuple[str, ...]:
        """Return what there is."""
        return tuple(sorted(_read_names(self._index)))

    @contextlib.contextmanager
    def _told(self) -> Any:
        from keyring.errors import KeyringError

        try:
            yield
        except KeyringError as error:
            raise SecretStoreError(place=self.in_words, reason=str(error) or type(error).__name__) from error


class EncryptedFileStore:
    """One file, AES-256-GCM; its key in another."""

    def __init__(self, file: Path, key_file: Path) -> None:
        self._file, self._key_file = file, key_file

    @property
    def in_words(self) -> str:
        """Where that is."""
        return f"an encrypted file ({self._file})"

    def get(self, name: str) -> str | None:
        """Return a secret.

        Raises:
            SecretStoreError: the file or its key is damaged.
        """
        return self._read().get(_checked(name))

    def put(self, name: str, secret: str) -> None:
        """Keep a secret.

        Raises:
            SecretStoreError: as `get`.
        """
        self._write({**self._read(), _checked(name): _bounded(secret)})

    def revoke(self, name: str) -> None:
        """Forget a secret.

        Raises:
            SecretStoreError: as `get`.
        """
        kept = self._read()
        if kept.pop(_checked(name), None) is not None:
            self._write(kept)

    def names(self) -> tuple[str, ...]:
        """Return what there is."""
        return tuple(sorted(self._read()))

    def _read(self) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag

        try:
            packed = self._file.read_bytes()
            key = self._key_file.read_bytes()
            plain = _cipher(key).decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], _SERVICE.encode())
            return msgspec.json.decode(plain, type=dict[str, str])
        except FileNotFoundError as error:
            if not self._file.exists():
                return {}
            raise SecretStoreError(place=self._file, reason=f"its key {self._key_file} is gone") from error
        except (InvalidTag, msgspec.DecodeError, ValueError) as error:
            raise SecretStoreError(place=self._file, reason="it was changed, or is of another key") from error
        except OSError as error:
            raise SecretStoreError(place=self._file, reason=(error.strerror or str(error)).lower()) from error

    def _write(self, secrets: Mapping[str, str]) -> None:
        nonce = os.urandom(_NONCE_BYTES)
        packed = nonce + _cipher(self._key()).encrypt(nonce, msgspec.json.encode(secrets), _SERVICE.encode())
        save_bytes(self._file, packed)
        self._file.chmod(0o600)

    def _key(self) -> bytes:
        """Return the key; the first time, make it."""
        try:
            return self._key_file.read_bytes()
        except FileNotFoundError:
            self._key_file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(os.urandom(32))
                file.flush()
                os.fsync(file.fileno())
            return self._key_file.read_bytes()


def find_secret_store(folder: Path) -> SecretStore:
    """Return the keyring where this machine has one that works, else an encrypted file in `folder`.

    Raises:
        MissingExtraError: neither library is installed.
    """
    try:
        import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401 - so that its absence has a name
        import keyring
    except ImportError as error:
        raise MissingExtraError(feature="Keeping secrets", extra="signin") from error
    backend = keyring.get_keyring()
    if backend.priority >= 1:  # what keyring itself calls recommended; "fail" and "null" are below
        return KeyringStore(folder / "secret-names.json", backend)
    return EncryptedFileStore(folder / "secrets.encrypted", folder / "secrets.key")


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise SecretStoreError(place=name[:100], reason="a name is two words with a slash between them")
    return name


def _bounded(secret: str) -> str:
    if not 0 < len(secret) <= _MOST_CHARACTERS:
        raise SecretStoreError(place="the secret", reason="it is empty or too long")
    return secret


def _read_names(index: Path) -> list[str]:
    try:
        return msgspec.json.decode(index.read_bytes(), type=list[str])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise SecretStoreError(place=index, reason=str(error)) from error


def _save_names(index: Path, names: set[str]) -> None:
    save_bytes(index, json.dumps(sorted(names), indent=1).encode() + b"\n")
