"""What can go wrong with the sandbox itself; what a program inside does wrong is an outcome, no error."""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class SandboxOffError(SatchelError):
    """The sandbox is off on this machine: {reason}."""

    exit_code = 66
    remedy = (
        "Install bubblewrap (`apt install bubblewrap`) and run `satchel doctor`, which prints what each probe found."
    )


class SandboxStartError(SatchelError):
    """{program} could not be started in the sandbox: {reason}."""

    exit_code = 67
    remedy = "Check that the program exists; `satchel doctor` says whether the sandbox works."
