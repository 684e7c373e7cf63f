"""Chats for tests, written the way a session writes them."""

from __future__ import annotations

from satchel.runtime.session.history import Chat, History, Message, Part


def say(history: History, chat: Chat, parent: Message | None, text: str, **more: object) -> Message:
    """Add a message after another; the speakers take turns."""
    role = "user" if parent is None or parent.role == "assistant" else "assistant"
    return history.add_message(chat.id, parent.id if parent else None, role, (Part("text", text),), **more)


def say_many(history: History, chat: Chat, count: int) -> list[Message]:
    """Add a chain without waiting for the disk each time."""
    history._database.execute("PRAGMA synchronous = OFF")
    messages: list[Message] = []
    for number in range(count):
        messages.append(say(history, chat, messages[-1] if messages else None, f"message {number}"))
    return messages


def texts(messages: tuple[Message, ...]) -> list[str]:
    """Return the words of messages."""
    return [message.text for message in messages]
