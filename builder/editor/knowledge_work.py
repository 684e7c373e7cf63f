"""What is done with a project's files: bringing them in, taking them out, reading them, and noticing their changes."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from satchel.builder.editor.knowledge_rows import Overview, overview_of
from satchel.builder.editor.saving import editing_folder
from satchel.builder.operations import Failure, Operation, Step, Task
from satchel.builder.shell import Shell
from satchel.runtime.commands.add import Added, add_knowledge
from satchel.runtime.commands.index import index_project
from satchel.runtime.project.documents import within
from satchel.runtime.project.folder import KNOWLEDGE_FOLDER, KnowledgeFile, Project, linked_path, load_project
from satchel.runtime.project.outcomes import ProjectIndex

_CALM_MS = 400
"""After the last change of a file: a copy in progress changes it many times."""
_MOST_WATCHED = 500


@dataclass(frozen=True, slots=True)
class _Listed:
    """What lies on the disk, told before anything is read."""

    project: Project
    files: tuple[KnowledgeFile, ...]
    link_names: tuple[str, ...]
    watched: list[str]


class KnowledgeWork(QObject):
    """The files of one project; everything runs off the GUI thread, reading in a process of its own."""

    changed = Signal()
    """`overview` is another one."""
    read = Signal()
    """The files were read; whoever answers from them opens them anew."""
    failed = Signal(object)
    """A `Failure` of reading them at all."""
    added = Signal(object)
    """What became of the files that were brought: `Added`."""
    could_not_add = Signal(object, object)
    """A `Failure`, and the paths."""

    def __init__(self, shell: Shell, folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._shell, self.folder = shell, folder
        self.overview = Overview()
        self._reading: Operation | None = None
        self._again = False
        self.was_cancelled = False
        self._watcher = QFileSystemWatcher(self)
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM_MS)
        self._calm.timeout.connect(self.refresh)
        self._watcher.directoryChanged.connect(lambda _path: self._calm.start())
        self._watcher.fileChanged.connect(lambda _path: self._calm.start())

    @property
    def is_reading(self) -> bool:
        """Whether files are being read."""
        return self._reading is not None

    def refresh(self) -> None:
        """Read what is new or has changed; while that goes on, begin again afterwards."""
        if self._reading is not None:
            self._again = True
            self._reading.cancel()
            return
        self.was_cancelled = False
        folder, home = self.folder, self._shell.home

        def work(task: Task) -> ProjectIndex:
            project = load_project(folder)
            watched = _watched(folder, project.assistant.knowledge.links)
            task.tell(_Listed(project, *overview_of(project), watched))
            return index_project(folder, home, progress=task.progress)

        self._reading = self._shell.operations.run(
            work,
            owner=self,
            name="index",
            succeeded=self._on_read,
            failed=self._on_failed,
            progressed=self._on_step,
            told=self._on_listed,
        )
        self._reading.finished.connect(self._on_finished)

    def cancel(self) -> None:
        """Stop reading; what is read already is kept."""
        if self._reading is not None:
            self.was_cancelled = True
            self._again = False
            self._reading.cancel()

    def add(self, paths: Sequence[Path], *, link: bool = False, replacing: bool = False) -> None:
        """Bring files and folders in, and read them."""
        folder = self.folder
        self._shell.operations.run(
            lambda _task: add_knowledge(folder, paths, link=link, replace=replacing),
            owner=self,
            name="add files",
            succeeded=self._on_added,
            failed=lambda failure: self.could_not_add.emit(failure, list(paths)),
        )

    def remove(self, name: str) -> None:
        """Take a file out; it lies aside until the assistant is opened again, so that this can be undone."""
        source, aside = self.folder / KNOWLEDGE_FOLDER / name, self._aside(name)
        self._move(source, aside)

    def bring_back(self, name: str) -> None:
        """Undo `remove`."""
        self._move(self._aside(name), self.folder / KNOWLEDGE_FOLDER / name)

    def close_down(self) -> None:
        """Stop everything."""
        self._calm.stop()
        if paths := [*self._watcher.files(), *self._watcher.directories()]:
            self._watcher.removePaths(paths)
        self.cancel()

    def _aside(self, name: str) -> Path:
        return editing_folder(self.folder, self._shell.home) / "removed" / name

    def _move(self, source: Path, target: Path) -> None:
        folder = self.folder

        def work(_task: Task) -> None:
            within(folder, KNOWLEDGE_FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, target)
            # Folders that it leaves empty go with it.
            with contextlib.suppress(OSError):
                for parent in source.relative_to(folder / KNOWLEDGE_FOLDER).parents:
                    if parent != Path():
                        (folder / KNOWLEDGE_FOLDER / parent).rmdir()

        self._shell.operations.run(
            work,
            owner=self,
            name="move file",
            succeeded=lambda _nothing: self.refresh(),
            failed=lambda failure: self._shell.notify(f"{failure.message} {failure.advice}".strip()),
        )

    def _on_added(self, added: Added) -> None:
        self.added.emit(added)
        self.refresh()

    def _on_listed(self, listed: _Listed) -> None:
        knowledge = listed.project.assistant.knowledge
        self.overview = replace(
            self.overview,
            files=listed.files,
            links=tuple(knowledge.links),
            link_names=listed.link_names,
            from_pack=tuple(knowledge.from_pack),
        )
        self._watch(listed.watched)
        self.changed.emit()

    def _on_step(self, step: Step) -> None:
        self.overview = replace(self.overview, step=step)
        self.changed.emit()

    def _on_read(self, index: ProjectIndex) -> None:
        new = index != replace_fresh(self.overview.index, index)
        self.overview = replace(self.overview, index=index, step=None)
        self.changed.emit()
        if new:
            self.read.emit()

    def _on_failed(self, failure: Failure) -> None:
        self.overview = replace(self.overview, step=None)
        self.changed.emit()
        self.failed.emit(failure)

    def _on_finished(self) -> None:
        self._reading = None
        if self._again:
            self._again = False
            self.refresh()
        elif self.overview.step is not None:
            self.overview = replace(self.overview, step=None)
            self.changed.emit()

    def _watch(self, paths: Sequence[str]) -> None:
        before = {*self._watcher.files(), *self._watcher.directories()}
        if gone := sorted(before - set(paths)):
            self._watcher.removePaths(gone)
        if new := sorted(set(paths) - before):
            self._watcher.addPaths(new)


def replace_fresh(before: ProjectIndex | None, now: ProjectIndex) -> ProjectIndex | None:
    """Return the index before as if it had been found as the one now was: only what is in them counts."""
    return msgspec.structs.replace(before, fresh=now.fresh) if before is not None else None


def _watched(folder: Path, links: Sequence[str]) -> list[str]:
    """Return the folders and files whose changes are noticed: so many at most, because watches are few."""
    found: list[str] = []
    for top in (folder / KNOWLEDGE_FOLDER, *(linked_path(folder, link) for link in links)):
        for place, folders, files in os.walk(top):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found.append(place)
            found += [os.path.join(place, name) for name in files if not name.startswith(".")]  # noqa: PTH118 - many
            if len(found) > _MOST_WATCHED:
                return found[:_MOST_WATCHED]
    return found
