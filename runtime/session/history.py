"""All chats, in one SQLite file. A chat is a tree: editing and regenerating add children, nothing is overwritten."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from satchel.runtime.errors import BusyError, SatchelError, SaveError
from satchel.runtime.session.chat_files import forget_beside
from satchel.runtime.session.errors import (
    AmbiguousChatError,
    HistoryDamagedError,
    UnknownChatError,
    UnknownMessageError,
)

Role = Literal["user", "assistant", "tool"]

_WAIT_SECONDS = 10.0
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE chats (
    id TEXT PRIMARY KEY,
    assistant_id TEXT NOT NULL,
    title TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    head TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'tool')),
    parts TEXT NOT NULL,
    text TEXT NOT NULL,
    labels TEXT NOT NULL,
    pack_id TEXT NOT NULL,
    model TEXT NOT NULL,
    timings TEXT NOT NULL,
    created REAL NOT NULL
) STRICT;
CREATE INDEX messages_by_parent ON messages (parent_id, chat_id, created);
CREATE INDEX messages_by_chat ON messages (chat_id);
CREATE INDEX chats_by_head ON chats (head);
CREATE INDEX chats_by_assistant ON chats (assistant_id, updated);
CREATE VIRTUAL TABLE message_words USING fts5 (
    text, content = 'messages', content_rowid = 'rowid', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
    INSERT INTO message_words (rowid, text) VALUES (new.rowid, new.text);
END;
CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
    INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.rowid, old.text);
END;
"""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A typed piece of a message; `text` is empty where `detail` says it all (an image, a tool call)."""

    kind: Literal["text", "image", "tool_call", "tool_result", "thinking", "source"]
    text: str = ""
    detail: dict[str, Any] = {}


class Message(msgspec.Struct, frozen=True):
    """One node of a chat's tree."""

    id: str
    chat_id: str
    parent_id: str | None
    role: Role
    parts: tuple[Part, ...]
    labels: dict[str, Any]
    pack_id: str
    model: str
    timings: dict[str, float]
    created: float

    @property
    def text(self) -> str:
        """The words of the message, without thinking, tools and sources."""
        return "".join(part.text for part in self.parts if part.kind == "text")


class Chat(msgspec.Struct, frozen=True):
    """A chat's entry in the list; `head` is the message where it goes on."""

    id: str
    assistant_id: str
    title: str
    created: float
    updated: float
    head: str | None


class History:
    """The chats of one person. One connection, used by one thread at a time; several processes may share the file."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; None keeps everything in memory, for as long as this object lives.

        Raises:
            HistoryDamagedError: it is no history, or was written by a newer Satchel.
            SaveError: there is no room for it, or no right to write it.
            BusyError: another process has been writing for too long.
        """
        self._path = path or Path(":memory:")
        self._folder = path.parent if path is not None else None
        if path is not None:
            _make_place(path)
        with _telling(self._path):
            # The session's turn may run on another thread than the window that opened the file.
            self._database = sqlite3.connect(
                self._path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with _telling(self._path):
                self._use_write_ahead_log()
                self._database.execute("PRAGMA foreign_keys = ON")
                # What a person deletes must be gone from the file, not only from its index.
                self._database.execute("PRAGMA secure_delete = ON")
                self._migrate()
        except SatchelError:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def create_chat(self, assistant_id: str, title: str) -> Chat:
        """Start an empty chat."""
        now = time.time()
        chat = Chat(str(uuid.uuid4()), assistant_id, title, now, now, None)
        with self._writing() as database:
            database.execute(
                "INSERT INTO chats VALUES (?, ?, ?, ?, ?, ?)", (chat.id, assistant_id, title, now, now, None)
            )
        return chat

    def chat(self, chat_id: str, *, assistant_id: str | None = None) -> Chat:
        """Return a chat by its id, or by a prefix of it that only one has; of one assistant or of all.

        Raises:
            UnknownChatError: none has it.
            AmbiguousChatError: several have it.
        """
        rows = self._rows(
            "SELECT * FROM chats WHERE substr(id, 1, ?1) = ?2 AND (?3 IS NULL OR assistant_id = ?3) LIMIT 2",
            (len(chat_id), chat_id, assistant_id),
        )
        if not rows or not chat_id:
            raise UnknownChatError(chat=chat_id)
        if len(rows) > 1:
            raise AmbiguousChatError(chat=chat_id)
        return Chat(*rows[0])

    def chats(self, assistant_id: str | None = None) -> tuple[Chat, ...]:
        """List chats, the last used first; of one assistant or of all."""
        rows = self._rows(
            "SELECT * FROM chats WHERE ?1 IS NULL OR assistant_id = ?1 ORDER BY updated DESC, id", (assistant_id,)
        )
        return tuple(Chat(*row) for row in rows)

    def rename_chat(self, chat_id: str, title: str) -> None:
        """Give a chat another title.

        Raises:
            UnknownChatError: there is none of this id.
        """
        with self._writing() as database:
            if database.execute("UPDATE chats SET title = ? WHERE id = ?", (title, chat_id)).rowcount != 1:
                raise UnknownChatError(chat=chat_id)

    def delete_chat(self, chat_id: str) -> None:
        """Delete a chat and all of its messages, from the file's free pages too, and what its tools left beside it."""
        with self._writing() as database:
            database.execute("UPDATE chats SET head = NULL WHERE id = ?", (chat_id,))
            database.execute("DELETE FROM messages WHERE chat_id = ?", (chat_id,))
            was_there = database.execute("DELETE FROM chats WHERE id = ?", (chat_id,)).rowcount == 1
            # Words of deleted messages stay in the search index until its segments are merged.
            database.execute("INSERT INTO message_words (message_words) VALUES ('optimize')")
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)", ())
        if was_there and self._folder is not None:  # an id becomes a folder's name: never one that is none
            forget_beside(self._folder, chat_id)

    def chats_of_pack(self, pack_id: str) -> tuple[str, ...]:
        """Return the ids of the chats that were had with this pack alone, with no other version and no folder."""
        rows = self._rows(
            "SELECT chat_id FROM messages GROUP BY chat_id HAVING min(pack_id) = ?1 AND max(pack_id) = ?1", (pack_id,)
        )
        return tuple(chat_id for (chat_id,) in rows)

    def delete_chats_of_pack(self, pack_id: str) -> int:
        """Delete the chats that were had with this pack alone, and say how many."""
        chats = self.chats_of_pack(pack_id)
        for chat_id in chats:
            self.delete_chat(chat_id)
        return len(chats)

    def add_message(
        self,
        chat_id: str,
        parent_id: str | None,
        role: Role,
        parts: tuple[Part, ...],
        *,
        labels: dict[str, Any] | None = None,
        pack_id: str = "",
        model: str = "",
        timings: dict[str, float] | None = None,
    ) -> Message:
        """Add a child of `parent_id` (None: a first message) and make it the head.

        Raises:
            UnknownMessageError: the parent is not in this chat.
            UnknownChatError: there is no such chat, or it was deleted meanwhile.
        """
        if parent_id is not None and self.message(parent_id).chat_id != chat_id:
            raise UnknownMessageError(message=parent_id)
        now = time.time()
        message = Message(
            str(uuid.uuid4()), chat_id, parent_id, role, parts, labels or {}, pack_id, model, timings or {}, now
        )
        with self._writing() as database:
            heading = database.execute(
                "UPDATE chats SET head = ?, updated = ? WHERE id = ?", (message.id, now, chat_id)
            )
            if heading.rowcount != 1:
                raise UnknownChatError(chat=chat_id)
            database.execute(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    message.id,
                    chat_id,
                    parent_id,
                    role,
                    msgspec.json.encode(parts).decode(),
                    message.text,
                    msgspec.json.encode(message.labels).decode(),
                    pack_id,
                    model,
                    msgspec.json.encode(message.timings).decode(),
                    now,
                ),
            )
        return message

    def message(self, message_id: str) -> Message:
        """Return one message.

        Raises:
            UnknownMessageError: there is none of this id.
        """
        found = self._messages(f"{_SELECT} WHERE id = ?", (message_id,))
        if not found:
            raise UnknownMessageError(message=message_id)
        return found[0]

    def set_head(self, chat_id: str, message_id: str | None) -> None:
        """Go on from another message: another branch is shown.

        Raises:
            UnknownMessageError: it is not in this chat.
        """
        if message_id is not None and self.message(message_id).chat_id != chat_id:
            raise UnknownMessageError(message=message_id)
        with self._writing() as database:
            database.execute("UPDATE chats SET head = ? WHERE id = ?", (message_id, chat_id))

    def path(self, message_id: str | None) -> tuple[Message, ...]:
        """Return the messages from the root to `message_id`, in one query: every turn of a long chat needs them.

        Raises:
            UnknownMessageError: there is no such message.
        """
        if message_id is None:
            return ()
        messages = self._messages(f"{_BRANCH} {_SELECT} JOIN branch ON step = id ORDER BY above DESC", (message_id,))
        if not messages:
            raise UnknownMessageError(message=message_id)
        return messages

    def messages(self, chat_id: str) -> tuple[Message, ...]:
        """Return every message of a chat, of all its branches, oldest first: a tree of 10,000 in one query."""
        return self._messages(f"{_SELECT} WHERE chat_id = ? ORDER BY created, rowid", (chat_id,))

    def siblings(self, message_id: str) -> tuple[Message, ...]:
        """Return the branches at a message: all children of its parent, oldest first."""
        message = self.message(message_id)
        return self._messages(
            f"{_SELECT} WHERE parent_id IS ? AND chat_id = ? ORDER BY created, rowid",
            (message.parent_id, message.chat_id),
        )

    def latest_leaf(self, message_id: str) -> str:
        """Return the newest message under `message_id`, where its branch goes on."""
        newest = "SELECT id FROM messages WHERE parent_id = ? ORDER BY created DESC, rowid DESC LIMIT 1"
        while rows := self._rows(newest, (message_id,)):
            message_id = rows[0][0]
        return message_id

    def search(
        self, words: str, *, chat_id: str | None = None, assistant_id: str | None = None, limit: int = 20
    ) -> tuple[Message, ...]:
        """Find messages that hold any of the words, best first; in one chat, in those with an assistant, or in all."""
        # FTS5 reads a query as C text: a NUL ends it within its quotes, and SQLite takes no lone surrogates.
        plain = words.replace("\0", " ").encode(errors="replace").decode()
        quoted = " OR ".join('"' + word.replace('"', '""') + '"' for word in dict.fromkeys(plain.split()))
        if not quoted:
            return ()
        return self._messages(
            f"{_SELECT} {_HOLDS_WORDS} AND (?2 IS NULL OR chat_id = ?2) AND (?3 IS NULL OR {_OF_ASSISTANT})"
            " ORDER BY rank, created DESC LIMIT ?4",
            (quoted, chat_id, assistant_id, limit),
        )

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with _telling(self._path):
            return self._database.execute(statement, values).fetchall()

    def _messages(self, statement: str, values: tuple[Any, ...]) -> tuple[Message, ...]:
        rows = self._rows(statement, values)
        try:
            return tuple(_message(row) for row in rows)
        except msgspec.DecodeError as error:
            raise HistoryDamagedError(path=self._path, reason=str(error)) from error

    def _use_write_ahead_log(self) -> None:
        give_up = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # Six of 600 first openings of a file by four at a time: here SQLite refuses without waiting.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                self._database.execute("BEGIN IMMEDIATE")  # this does wait
                self._database.execute("COMMIT")
            else:
                return

    def _migrate(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            with self._writing() as database:
                # Another process may have been first while this one waited for the lock.
                if database.execute("PRAGMA user_version").fetchone() == (0,):
                    for statement in _statements(_SCHEMA):
                        database.execute(statement)
                    database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        elif version > _SCHEMA_VERSION:
            raise HistoryDamagedError(path=self._path, reason=f"it has version {version}, from a newer Satchel")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with _telling(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # a full disk has rolled it back already
                    self._database.execute("ROLLBACK")
                raise


def _make_place(path: Path) -> None:
    """Make the folder, and the file, which SQLite leaves as it is: what people ask is for nobody else's eyes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(path=path, reason=(error.strerror or str(error)).lower()) from error
    with contextlib.suppress(OSError):  # not ours, or no file: SQLite says what is wrong with it
        path.parent.chmod(0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours; wrong use of the interface stays what it is, a bug."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.DatabaseError as error:
        code = error.sqlite_errorcode & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise BusyError(path=path) from error
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}:
            raise SaveError(path=path, reason=str(error)) from error
        raise HistoryDamagedError(path=path, reason=str(error)) from error


_BRANCH = """
WITH RECURSIVE branch (step, earlier, above) AS (
    SELECT id, parent_id, 0 FROM messages WHERE id = ?
    UNION ALL SELECT id, parent_id, above + 1 FROM messages JOIN branch ON id = earlier
)"""
_SELECT = "SELECT id, chat_id, parent_id, role, parts, labels, pack_id, model, timings, created FROM messages"
_HOLDS_WORDS = "JOIN message_words ON message_words.rowid = messages.rowid WHERE message_words MATCH ?1"
_OF_ASSISTANT = "chat_id IN (SELECT chats.id FROM chats WHERE assistant_id = ?3)"


def _message(row: tuple[Any, ...]) -> Message:
    message_id, chat_id, parent_id, role, parts, labels, pack_id, model, timings, created = row
    return Message(
        message_id,
        chat_id,
        parent_id,
        role,
        msgspec.json.decode(parts, type=tuple[Part, ...]),
        msgspec.json.decode(labels),
        pack_id,
        model,
        msgspec.json.decode(timings),
        created,
    )


def _statements(script: str) -> Iterator[str]:
    """Split a script at the semicolons that end a statement: `executescript` would commit the open transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
