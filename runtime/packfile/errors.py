"""What can be wrong with a pack: exit codes 30 to 39."""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class PackError(SatchelError):
    """Something is wrong with a pack: {reason}."""

    exit_code = 30


class NotAPackError(PackError):
    """{path} is not a Satchel pack: {reason}."""

    exit_code = 30
    remedy = "Packs end in .pack and are made with `satchel build FOLDER -o FILE`."


class DamagedPackError(PackError):
    """{path} is damaged or was made by something other than Satchel: {reason}."""

    exit_code = 31
    remedy = "Get the file again from where it came. It is refused as a whole, because no part of it can be relied on."


class NewerPackError(PackError):
    """{path} was made by a newer Satchel: its pack format is {format}, this Satchel reads up to {known}."""

    exit_code = 32
    remedy = "Update Satchel, or ask for the pack in format {known}."


class PackLimitError(PackError):
    """{path} would be larger than a pack can be: {sums}."""

    exit_code = 33
    remedy = "Leave out knowledge files or export without sources; what was there before is untouched."


class PackContentError(PackError):
    """{path} cannot be written: {place}: {reason}."""

    exit_code = 34
    remedy = "Correct it in the project and build again; what was there before is untouched."


class UnreadablePackError(PackError):
    """{path} cannot be read: {reason}."""

    exit_code = 35
    remedy = "Check that the file is there and that you may read it."


class PackNotInstalledError(PackError):
    """No pack is installed under the name or id {reference}."""

    exit_code = 36
    remedy = "`satchel list` shows what is installed; `satchel install FILE` adds a pack."


class AmbiguousPackError(PackError):
    """{reference} fits several installed packs: {candidates}."""

    exit_code = 37
    remedy = "Say which one by its pack id; the first digits are enough."


class PackChangedError(PackError):
    """{path} was changed, cut short or replaced while it was in use."""

    exit_code = 38
    remedy = "Let the copying or building finish, then run the command again."


class UnknownKnowledgeFileError(PackError):
    """{path} has no knowledge file {file}; it has: {known}."""

    exit_code = 39
    remedy = "`satchel inspect {path}` lists the files."
