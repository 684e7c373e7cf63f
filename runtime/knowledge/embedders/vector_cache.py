"""Vectors of passages, kept so that nothing is embedded twice: both planes and the scale as `quantise` gave them.

Only what was computed on this machine goes in; a pack's vectors never do, so that a stranger's pack plants none.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from satchel.kernels.arrays import QuantisedRows
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home

_SCHEMA_VERSION = 1
_KEYS_A_QUERY = 500
"""Below the 999 variables that old SQLite builds allow."""
_BUSY_SECONDS = 30.0
_SCALE_BYTES = 4
DEFAULT_CAPACITY = 2 << 30
"""Bytes of rows; two million passages of 384 dimensions take 1.7 GB."""
_KEPT_SHARE = 0.75
"""Of the capacity, after a clean-up: making room one row at a time would be a clean-up at every put."""

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, used INTEGER NOT NULL, row BLOB NOT NULL);
PRAGMA user_version = {_SCHEMA_VERSION};
"""


class VectorCache:
    """One SQLite file in the cache folder, shared by all projects and processes; a damaged one is begun anew."""

    def __init__(self, home: Home, *, capacity: int = DEFAULT_CAPACITY) -> None:
        """`capacity` in bytes; when the rows take more, the ones not used for longest go."""
        self._path = home.cache / "vectors.sqlite3"
        self._capacity = capacity

    def find(self, texts: Sequence[str], fingerprint: EmbedderFingerprint) -> tuple[list[int], QuantisedRows]:
        """Return the places in `texts` that are known, rising, and their rows in that order."""
        keys = _keys(texts, fingerprint)
        size = _SCALE_BYTES + 2 * fingerprint.dimension
        found: dict[bytes, bytes] = {}
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as connection:
            wanted = list(dict.fromkeys(keys))
            for start in range(0, len(wanted), _KEYS_A_QUERY):
                found.update(_rows(connection, wanted[start : start + _KEYS_A_QUERY]))
            _touch(connection, list(found))
        places = [place for place, key in enumerate(keys) if len(found.get(key, b"")) == size]
        table = np.frombuffer(b"".join(found[keys[place]] for place in places), np.uint8).reshape(len(places), size)
        return places, _unpacked(table, fingerprint.dimension)

    def put(self, texts: Sequence[str], rows: QuantisedRows, fingerprint: EmbedderFingerprint) -> None:
        """Keep rows that were computed here, one a text. One that cannot be written is no error, only slower."""
        packed = np.hstack(
            [rows.scale.reshape(-1, 1).view(np.uint8), rows.high.view(np.uint8), rows.low.view(np.uint8)]
        )
        now = int(time.time())
        entries = [(key, now, row.tobytes()) for key, row in zip(_keys(texts, fingerprint), packed, strict=True)]
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as connection:
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", entries)
            connection.commit()
            self._make_room(connection)

    def clear(self) -> None:
        """Forget everything."""
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connected()
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            connection.close()
            # Busy or full says nothing against the file; malformed does.
            if not isinstance(error, sqlite3.OperationalError):
                self.clear()
            raise
        finally:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        for attempt in range(2):
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                if connection.execute("PRAGMA user_version").fetchone()[0] == _SCHEMA_VERSION:
                    return connection
                connection.executescript(f"DROP TABLE IF EXISTS vectors; {_SCHEMA}")
            except sqlite3.DatabaseError as error:
                connection.close()
                if attempt or isinstance(error, sqlite3.OperationalError):
                    raise
                self.clear()
            else:
                return connection
        raise AssertionError

    def _make_room(self, connection: sqlite3.Connection) -> None:
        pages = (
            connection.execute("PRAGMA page_count").fetchone()[0]
            - connection.execute("PRAGMA freelist_count").fetchone()[0]
        )
        size = pages * connection.execute("PRAGMA page_size").fetchone()[0]
        if size <= self._capacity:
            return
        count = connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
        surplus = count - int(count * _KEPT_SHARE * self._capacity / size)
        connection.execute(
            "DELETE FROM vectors WHERE key IN (SELECT key FROM vectors ORDER BY used, key LIMIT ?)", (surplus,)
        )
        connection.commit()


def _keys(texts: Sequence[str], fingerprint: EmbedderFingerprint) -> list[bytes]:
    model = hashlib.sha256(msgspec.json.encode(fingerprint)).digest()
    return [hashlib.sha256(model + text.encode()).digest() for text in texts]


def _rows(connection: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    marks = ",".join("?" * len(keys))
    # Only question marks are put into the statement.
    yield from connection.execute(f"SELECT key, row FROM vectors WHERE key IN ({marks})", keys)  # noqa: S608 - `marks` is question marks


def _touch(connection: sqlite3.Connection, keys: Sequence[bytes]) -> None:
    """Mark rows as used; by the day, so that a second look on the same day writes nothing."""
    today = int(time.time()) // 86_400 * 86_400
    for start in range(0, len(keys), _KEYS_A_QUERY):
        chunk = keys[start : start + _KEYS_A_QUERY]
        marks = ",".join("?" * len(chunk))
        connection.execute(
            f"UPDATE vectors SET used = ? WHERE used < ? AND key IN ({marks})",  # noqa: S608 - `marks` is question marks
            (today, today, *chunk),
        )
    connection.commit()


def _unpacked(table: np.typing.NDArray[np.uint8], dimension: int) -> QuantisedRows:
    start = _SCALE_BYTES + dimension
    return QuantisedRows(
        high=np.ascontiguousarray(table[:, _SCALE_BYTES:start]).view(np.int8),
        low=np.ascontiguousarray(table[:, start:]).view(np.int8),
        scale=np.ascontiguousarray(table[:, :_SCALE_BYTES]).view(np.float32).reshape(-1),
    )
