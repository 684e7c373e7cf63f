"""What can be wrong with a project folder."""

from __future__ import annotations

import os

from satchel.runtime.errors import SatchelError


class NoProjectError(SatchelError):
    """{folder} is no assistant's folder: it has no assistant.toml."""

    exit_code = 10
    remedy = "Make one with: satchel new {folder}"

    @property
    def advice(self) -> str:
        """Where the folder holds something, that is likely documents: say how an assistant comes to know them."""
        folder = self.fields["folder"]
        try:
            holds_nothing = not os.listdir(folder)  # noqa: PTH208 - the fields may be text
        except (OSError, ValueError):  # it is not there, or no folder at all
            holds_nothing = True
        if holds_nothing:
            return super().advice
        return f"Make one with: satchel new NAME   and let it know what is in this folder: satchel add NAME {folder}"


class ProjectFormatError(SatchelError):
    """{path}: {where}: {reason}."""

    exit_code = 11
    remedy = "Edit the file; `satchel new` writes one that shows every key."


class LineFormatError(ProjectFormatError):
    """{path}: {where}: {reason}."""

    remedy = "Mend the line; a good one is {shape}"


class LeadsOutsideError(SatchelError):
    """{path} leads out of the assistant's folder through a link, to {target}."""

    exit_code = 11
    remedy = "Put a copy in its place. Only what `links` under [knowledge] in assistant.toml names may lie elsewhere."


class FolderNotEmptyError(SatchelError):
    """{folder} is already there and not empty."""

    exit_code = 12
    remedy = "Name a folder that is empty or not there yet; nothing was changed."


class UnknownTemplateError(SatchelError):
    """There is no template called "{name}"; there are: {known}."""

    exit_code = 13
    remedy = "Choose one of them, or leave --template out."


class KnowledgeFileExistsError(SatchelError):
    """{name} is already among the knowledge files, with other content."""

    exit_code = 14
    remedy = "Add --replace to take the new one, or rename it."


class NothingToAddError(SatchelError):
    """There is nothing to add at {path}: {reason}."""

    exit_code = 15
    remedy = "Check the spelling; files and folders of documents can be added."


class UnknownProjectFileError(SatchelError):
    """{folder} has no knowledge file {file}; it has: {known}."""

    exit_code = 15
    remedy = "`satchel index {folder}` lists the files, and those that could not be read."


class LinkedFolderMissingError(SatchelError):
    """The linked folder {path} is not there any more."""

    exit_code = 16
    remedy = "Bring it back, or remove it from `links` under [knowledge] in assistant.toml."


class AssistantMissingError(SatchelError):
    """There is no assistant {reference}: no folder or file {path}, and no installed pack of that name."""

    exit_code = 18
    remedy = "`satchel list` shows the installed packs."


class UnreadableFilesError(SatchelError):
    """{count} of the knowledge files cannot be read: {reasons}."""

    exit_code = 21  # as a document's own error has it
    remedy = "Mend or remove them; without --strict they are left out, and the pack says so."


class NewerProjectError(SatchelError):
    """{path} has format {format}; this Satchel reads up to {known}."""

    exit_code = 17
    remedy = "Open it with a newer Satchel."
