"""A chat as Markdown: for notes, for a colleague, for the printer."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from satchel.runtime.session.events import Source
from satchel.runtime.session.history import Chat, Message


def chat_as_markdown(chat: Chat, messages: Sequence[Message]) -> str:
    """Return the branch of a chat that `messages` are, with the sources under each answer."""
    lines = [f"# {chat.title}", "", time.strftime("%Y-%m-%d", time.localtime(chat.created)), ""]
    for message in messages:
        lines += [f"## {'You' if message.role == 'user' else message.model}", "", message.text.strip(), ""]
        sources = [msgspec.convert(part.detail, Source) for part in message.parts if part.kind == "source"]
        for source in {source.n: source for source in sources}.values():
            page = f", p. {source.page_label or source.page}" if source.page is not None else ""
            mark = " (read from a picture)" if source.from_picture else ""
            lines.append(f"> [{source.n}] {source.file}{page}{mark}: {' '.join(source.text.split())}")
            lines.append("")
    return "\n".join(lines)
