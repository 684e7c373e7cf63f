"""What can go wrong with permissions: exit codes 50 to 54 (tools have 55 to 59)."""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class NobodyToAskError(SatchelError):
    """{tool} needs a person's answer, and nobody is there to give it: {why}."""

    exit_code = 50
    remedy = "Run it in a terminal or in the app, or let it go ahead beforehand with `satchel grant`."


class DeniedError(SatchelError):
    """{tool} may not do this: {why}."""

    exit_code = 51
    remedy = "`satchel grant` shows what this assistant asks for and what you granted or forbade."


class CapabilityError(SatchelError):
    """The request "{request}" is no capability: {reason}."""

    exit_code = 52
    remedy = "`runtime/permissions/README.md` lists the capabilities and how each one's argument is written."


class GrantsError(SatchelError):
    """{path}: {reason}."""

    exit_code = 53
    remedy = "Correct or remove the file: without it nothing is granted, and you are asked again."


class StandingApprovalError(SatchelError):
    """A standing approval cannot be made like that: {reason}."""

    exit_code = 53
    remedy = "It names one tool, one exact destination, every argument (at most one of them free) and an end date."


class AuditError(SatchelError):
    """The audit log {path} is not as it was written: {reason}."""

    exit_code = 54
    remedy = "Somebody or something changed it. Move it away to start a new one; what is before that place is sound."
