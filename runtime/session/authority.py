"""What one assistant may do in one chat: what it asks for, what the person granted, and the log of both.

The deciding itself is `permissions.broker.decide`, which is pure; its inputs are kept here, its answers written down.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from satchel.runtime.permissions.approval import escaped
from satchel.runtime.permissions.audit import AuditLog, Kind, entry
from satchel.runtime.permissions.broker import Allow, Ask, Decision, Deny, decide
from satchel.runtime.permissions.calls import Call, Situation
from satchel.runtime.permissions.capabilities import Requests
from satchel.runtime.permissions.grants import Choice, Grants, grants_for, ticked
from satchel.runtime.permissions.grants_file import GrantsFile, Subject
from satchel.runtime.permissions.labels import Label


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
        self.received = bool(subject.pack_id)
        self.subject, self._name = subject, name
        self._file, self._audit = grants, audit
        self._keeps_arguments = keeps_arguments
        self.chat = ""
        """The id of the chat that is going on."""
        kept = grants.load(subject, requests).grants
        self._kept = kept if self.received else replace(kept, allowed=kept.allowed | ticked(requests).allowed)
        self._grants = self._kept

    @property
    def grants(self) -> Grants:
        """What counts at the moment."""
        return self._grants

    def enter(self, chat_id: str) -> None:
        """Go on in a chat; what was granted for another chat is over."""
        if chat_id != self.chat:
            self.chat, self._grants = chat_id, self._kept

    def decide(self, call: Call, arguments: Mapping[str, Label], situation: Situation) -> Decision:
        """Ask the broker, and write its word down."""
        decision = decide(self.requests, self._grants, call, arguments, situation)
        match decision:
            case Allow():
                self._log("allowed", call, decision.why, approval=decision.approval)
                self._grants = self._grants.without_answer(call)
            case Ask():
                self._log("asked", call, decision.why, rule=decision.rule.value)
            case Deny():
                self._log("denied", call, decision.why)
        return decision

    def answer(self, call: Call, choice: Choice) -> None:
        """Take a person's answer to a request; "always" and "never" are kept beyond this chat."""
        self._log("answered", call, choice.value)
        self._grants = self._grants.with_answer(call, choice)
        if choice in {Choice.ALWAYS, Choice.NEVER}:
            powers = grants_for(call)
            self._file.answered(self.subject, self._name, self.requests, powers, choice)
            if choice is Choice.ALWAYS:
                self._kept = replace(self._kept, allowed=self._kept.allowed | powers)
            else:
                self._kept = replace(self._kept, never=self._kept.never | powers)

    def finished(self, call: Call, outcome: str) -> None:
        """Write down how a call ended."""
        self._log("finished", call, outcome)

    def _log(self, kind: Kind, call: Call, why: str, *, rule: str = "", approval: str = "") -> None:
        told = {name: _text(value) for name, value in call.arguments.items()} if self._keeps_arguments else {}
        line = msgspec.structs.replace(
            entry(kind, self.subject.key, now=time.time()),
            chat=self.chat,
            tool=call.tool,
            digest=call.digest,
            destinations=tuple(call.effect.destinations),
            why=escaped(why),
            rule=rule,
            approval=approval,
        )
        self._audit.append(line, told)


def _text(value: object) -> str:
    return escaped(value if isinstance(value, str) else msgspec.json.encode(value).decode())
