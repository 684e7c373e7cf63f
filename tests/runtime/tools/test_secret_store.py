"""Secrets: kept, listed, revoked, and nowhere readable beside."""

from __future__ import annotations

import stat

import keyring.backend
import keyring.errors
import pytest

from satchel.runtime.tools.secret_store import EncryptedFileStore, KeyringStore, SecretStoreError, find_secret_store


class Desktop(keyring.backend.KeyringBackend):
    """A keyring as a desktop has one, in memory."""

    priority = 5.0
    name = "Desktop"

    def __init__(self):
        super().__init__()
        self.kept = {}
        self.locked = False

    def get_password(self, service, username):
        self._unlocked()
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self._unlocked()
        self.kept[service, username] = password

    def delete_password(self, service, username):
        self._unlocked()
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not found")

    def _unlocked(self):
        if self.locked:
            raise keyring.errors.KeyringLocked("the keyring is locked")


@pytest.fixture(params=["keyring", "file"])
def store(request, tmp_path):
    if request.param == "keyring":
        return KeyringStore(tmp_path / "names.json", Desktop())
    return EncryptedFileStore(tmp_path / "secrets.encrypted", tmp_path / "secrets.key")


def test_a_secret_is_kept_listed_and_revoked(store):
    store.put("harbour/key", "k-12345")
    store.put("tides/oauth", "ö")
    store.put("harbour/key", "k-67890")
    assert store.names() == ("harbour/key", "tides/oauth")
    assert (store.get("harbour/key"), store.get("tides/oauth"), store.get("no/such")) == ("k-67890", "ö", None)
    store.revoke("harbour/key")
    store.revoke("harbour/key")
    assert store.names() == ("tides/oauth",)
    assert store.get("harbour/key") is None


def test_nothing_on_the_disk_holds_it(store, tmp_path):
    store.put("harbour/key", "k-12345")
    assert all(b"k-12345" not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "key", "/key", "a/b/c", "a b/c", "../x", "a/\n"])
def test_a_name_that_is_none_is_refused(store, name):
    for action in (lambda: store.put(name, "x"), lambda: store.get(name), lambda: store.revoke(name)):
        with pytest.raises(SecretStoreError):
            action()


@pytest.mark.parametrize("secret", ["", "x" * 200_000])
def test_a_secret_that_is_empty_or_huge_is_refused(store, secret):
    with pytest.raises(SecretStoreError, match="empty or too long"):
        store.put("a/b", secret)
    assert store.names() == ()


def test_the_files_are_the_persons_alone(tmp_path):
    store = EncryptedFileStore(tmp_path / "secrets.encrypted", tmp_path / "secrets.key")
    store.put("a/b", "secret")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 100])
def test_a_file_that_was_changed_is_named_and_kept(tmp_path, damage):
    store = EncryptedFileStore(tmp_path / "secrets.encrypted", tmp_path / "secrets.key")
    store.put("a/b", "secret")
    (tmp_path / "secrets.encrypted").write_bytes(damage)
    for action in (lambda: store.get("a/b"), lambda: store.put("c/d", "x")):
        with pytest.raises(SecretStoreError, match=r"secrets\.encrypted"):
            action()
    assert (tmp_path / "secrets.encrypted").read_bytes() == damage


def test_a_key_that_is_gone_is_named(tmp_path):
    store = EncryptedFileStore(tmp_path / "secrets.encrypted", tmp_path / "secrets.key")
    store.put("a/b", "secret")
    (tmp_path / "secrets.key").unlink()
    with pytest.raises(SecretStoreError, match=r"key .*secrets\.key is gone"):
        store.get("a/b")


def test_a_locked_keyring_is_an_error_with_its_words(tmp_path):
    backend = Desktop()
    store = KeyringStore(tmp_path / "names.json", backend)
    store.put("a/b", "secret")
    backend.locked = True
    for action in (lambda: store.get("a/b"), lambda: store.put("a/b", "x"), lambda: store.revoke("a/b")):
        with pytest.raises(SecretStoreError, match="the keyring is locked"):
            action()
    assert store.names() == ("a/b",)


def test_a_machine_with_a_keyring_uses_it_and_one_without_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("keyring.get_keyring", Desktop)
    assert find_secret_store(tmp_path).in_words == "the system's keyring (Desktop)"
    from keyring.backends.fail import Keyring

    monkeypatch.setattr("keyring.get_keyring", Keyring)
    assert "encrypted file" in find_secret_store(tmp_path).in_words
