"""What one assistant may do in one chat: what it asks for, what the person granted, and the log of both.

The deciding itself is `permissions.broker.decide`, which is pure; its inputs are kept here, its answers written down.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from satchel.runtime.permissions.approval import escaped
from satchel.runtime.permissions.audit import AuditLog, Kind, entry
from satchel.runtime.permissions.broker import Allow, Ask, Decision, Deny, decide
from satchel.runtime.permissions.calls import Call, Situation, canonical
from satchel.runtime.permissions.capabilities import Requests
from satchel.runtime.permissions.grants import Choice, Grants, grants_for, ticked
from satchel.runtime.permissions.grants_file import GrantsFile, Subject
from satchel.runtime.permissions.labels import Label
from satchel.runtime.session.assistant import LoadedAssistant


def subject_of(assistant: LoadedAssistant) -> Subject:
    """Return whose grants count for an assistant."""
    return Subject(assistant.id, pack_id=assistant.pack_id, unpacked_from=assistant.unpacked_from)


class Authority:
    """The broker's memory for the chats of one assistant."""

    def __init__(
        self,
        requests: Requests,
        subject: Subject,
        name: str,
        *,
        grants: GrantsFile,
        audit: AuditLog,
        keeps_arguments: bool = True,
    ) -> None:
        """Read what the person answered before. In a project of one's own a ticked tool is granted.

        `keeps_arguments` is false for chats that leave nothing behind: calls are logged without what they told.

        Raises:
            GrantsError: the person's answers cannot be read.
        """
        self.requests = requests
        self.received = bool(subject.pack_id or subject.unpacked_from)
        self.subject, self._name = subject, name
        self._file, self._audit = grants, audit
        self._keeps_arguments = keeps_arguments
        self.chat = ""
        """The id of the chat that is going on."""
        self._digest_key = secrets.token_bytes(16)
        self._kept = self._load()
        self._here = Grants()  # what was said in this chat

    @property
    def grants(self) -> Grants:
        """What counts at the moment."""
        kept, here = self._kept, self._here
        return replace(kept, allowed=kept.allowed | here.allowed, answered=here.answered)

    def enter(self, chat_id: str) -> None:
        """Go on in a chat; what was granted for another chat is over, and so is what was taken back meanwhile.

        Raises:
            GrantsError: the person's answers cannot be read any more.
        """
        self._kept = self._load()
        if chat_id != self.chat:
            self.chat, self._here = chat_id, Grants()

    def decide(self, call: Call, arguments: Mapping[str, Label], situation: Situation) -> Decision:
        """Ask the broker, and write its word down."""
        decision = decide(self.requests, self.grants, call, arguments, situation)
        match decision:
            case Allow():
                self._log("allowed", call, decision.why, approval=decision.approval)
                self._here = self._here.without_answer(call)
            case Ask():
                self._log("asked", call, decision.why, rule=decision.rule.value)
            case Deny():
                self._log("denied", call, decision.why)
        return decision

    def answer(self, call: Call, choice: Choice) -> None:
        """Take a person's answer to a request; "always" and "never" are kept beyond this chat."""
        self._log("answered", call, choice.value)
        if choice in {Choice.ALWAYS, Choice.NEVER}:
            self._file.answered(self.subject, self._name, self.requests, grants_for(call), choice)
            self._kept = self._load()
        if choice is not Choice.NEVER:
            self._here = self._here.with_answer(call, Choice.ONCE if choice is Choice.ALWAYS else choice)

    def declined(self, call: Call) -> None:
        """Write down that a person said no to this one call."""
        self._log("answered", call, "deny")

    def finished(self, call: Call, outcome: str) -> None:
        """Write down how a call ended."""
        self._log("finished", call, outcome)

    def _load(self) -> Grants:
        kept = self._file.load(self.subject, self.requests).grants
        return kept if self.received else replace(kept, allowed=kept.allowed | ticked(self.requests).allowed)

    def _log(self, kind: Kind, call: Call, why: str, *, rule: str = "", approval: str = "") -> None:
        told = {name: _text(value) for name, value in call.arguments.items()} if self._keeps_arguments else {}
        line = msgspec.structs.replace(
            entry(kind, self.subject.key, now=time.time()),
            chat=self.chat,
            tool=call.function or call.tool,
            # With a key that is kept nowhere: who deletes a chat deletes what it told, and a plain hash of a short
            # argument could be guessed. It still says which lines of a session are about the same call.
            digest=hmac.new(self._digest_key, call.digest.encode(), "sha256").hexdigest(),
            destinations=tuple(call.effect.destinations),
            why=escaped(why),
            rule=rule,
            approval=approval,
        )
        self._audit.append(line, told)


def _text(value: object) -> str:
    return escaped(value if isinstance(value, str) else canonical(value).decode())
