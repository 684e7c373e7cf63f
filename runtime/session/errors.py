"""What can stop a turn before it starts."""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class ContextTooSmallError(SatchelError):
    """The question does not fit: {sums}; the window holds {context} tokens."""

    exit_code = 70
    remedy = "Shorten the question or the instructions, or use a model with a larger context (--context)."


class UnknownMessageError(SatchelError):
    """There is no message {message} in this chat."""

    exit_code = 71
    remedy = "`/history` lists the messages of the chat."


class UnknownChatError(SatchelError):
    """There is no chat {chat}."""

    exit_code = 72
    remedy = "`satchel chat --list PACK` shows those that there are."


class AmbiguousChatError(SatchelError):
    """More than one chat begins with {chat}."""

    exit_code = 72
    remedy = "Give more of its id; `satchel chat --list PACK` shows those that there are."


class HistoryDamagedError(SatchelError):
    """The history in {path} cannot be read: {reason}."""

    exit_code = 73
    remedy = "Move the file away to start a new one; --no-history answers without it."
