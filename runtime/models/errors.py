"""What can go wrong with getting a model. Exit codes: 42 no such model, 43 wrong bytes, 61 the disk, 66-68 the hub."""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class UnknownModelError(SatchelError):
    """The catalogue has no model {name!r}."""

    exit_code = 42
    remedy = (
        "The nearest: {near}. `satchel models list` shows all; any other is pulled as hub:OWNER/REPOSITORY/FILE.gguf."
    )


class WrongReferenceError(SatchelError):
    """{reference!r} names no file on a hub: {reason}."""

    exit_code = 2
    remedy = "Write it as hub:OWNER/REPOSITORY/FILE.gguf, or take a name that `satchel models list` shows."


class NotOnHubError(SatchelError):
    """{host} has no {what}."""

    exit_code = 42
    remedy = "{near}"


class HubUnreachableError(SatchelError):
    """{host} cannot be reached: {reason}."""

    exit_code = 66
    remedy = (
        "Check the connection. `hub_endpoints` in settings.toml may name mirrors; a file that you bring on a disk is "
        "used where it lies, with --model FILE.gguf."
    )


class HubFailedError(SatchelError):
    """{host} could not answer: {reason}."""

    exit_code = 66
    remedy = "Try again later, or name a mirror as `hub_endpoints` in settings.toml."


class GatedModelError(SatchelError):
    """{host} gives {repository} only to those who accepted its terms ({status})."""

    exit_code = 67
    remedy = (
        "Open {page}, accept the terms there, make an access token in your account's settings, and run the command "
        "again with it in the variable HF_TOKEN. It is sent to https://huggingface.co alone."
    )


class LicenceNotAcceptedError(SatchelError):
    """{name} stands under the licence {licence!r}, which is none of the usual free ones."""

    exit_code = 68
    remedy = "Read it on {page}; then run the command again with --accept-licence."


class UnverifiableFileError(SatchelError):
    """{host} tells no SHA-256 of {file}, so what comes could not be checked."""

    exit_code = 43
    remedy = "Choose another file, or another address as `hub_endpoints` in settings.toml."


class ChecksumMismatchError(SatchelError):
    """What came as {file} is not the file that the hub describes: SHA-256 {found}, not {expected}."""

    exit_code = 43
    remedy = "It was thrown away. Pull again; if it stays, {source} gives wrong bytes: name another in `hub_endpoints`."


class NotEnoughSpaceError(SatchelError):
    """{folder} has {free} free, and {file} needs {needed} more."""

    exit_code = 61
    remedy = "Free some space, or move Satchel's files with SATCHEL_HOME; what was already fetched is kept."


class InterruptedDownloadError(SatchelError):
    """The download of {file} broke off after {kept} of {total}: {reason}."""

    exit_code = 66
    remedy = "Run the command again: it goes on from there."


class ForeignFileError(SatchelError):
    """{path} is there already and is not what would be pulled."""

    exit_code = 61
    remedy = "Rename or remove it first: Satchel replaces only files that it pulled itself."


class NotPulledError(SatchelError):
    """{name!r} was not pulled by Satchel{reason}."""

    exit_code = 42
    remedy = (
        "Only what Satchel pulled is removed: {known}. Other files are removed by the program or person who put them."
    )
