"""The tab "Knowledge": the files, what became of each, what may be done with them, and a box to try them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QProgressBar, QVBoxLayout

from satchel.builder.editor.document import Document
from satchel.builder.editor.draft import Draft
from satchel.builder.editor.file_table import FileTable
from satchel.builder.editor.knowledge_rows import Row, rows_of, summary, work_words
from satchel.builder.editor.knowledge_work import KnowledgeWork
from satchel.builder.editor.retrieval_settings import RetrievalSettings
from satchel.builder.editor.search_box import SearchBox
from satchel.builder.editor.tab import Tab
from satchel.builder.language import counted, translate
from satchel.builder.operations import Failure
from satchel.builder.shell import Shell
from satchel.builder.states import words_of
from satchel.builder.widgets.banner import Banner, failure_banner
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.card import Card, restyle
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label
from satchel.builder.widgets.tick import Tick
from satchel.runtime.commands.add import Added

_MOST_SKIPPED = 6
_BETWEEN_MS = 80


class KnowledgeTab(Tab):
    """Files are dropped anywhere on it."""

    def __init__(self, shell: Shell, work: KnowledgeWork) -> None:
        super().__init__(shell)
        self.work = work
        self._english_only = True
        self._banner: Banner | None = None
        self._cut: object = None
        self.setAcceptDrops(True)
        self.column.setSpacing(12)
        self.column.addWidget(self._drop_place())
        self._banners = QVBoxLayout()
        self.column.addLayout(self._banners)
        self.column.addLayout(self._ticks())
        self.table = FileTable(shell.appearance)
        self.table.remove_wanted.connect(self._remove)
        self.column.addWidget(self.table)
        self.column.addLayout(self._foot())
        self.search = SearchBox(shell, work)
        self.column.addWidget(self.search)
        self.more = RetrievalSettings(shell.appearance)
        self.more.changed.connect(self._edit_retrieval)
        self.more.embedder_changed.connect(lambda name: self._edit_knowledge("embedder", name))
        self.column.addWidget(self.more)
        self.column.addStretch(1)
        # Steps come many times a second, and a folder may hold thousands of files.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_BETWEEN_MS)
        self._soon.timeout.connect(self._show_files)
        work.changed.connect(lambda: None if self._soon.isActive() else self._soon.start())
        work.added.connect(self._on_added)
        work.could_not_add.connect(self._on_not_added)
        work.failed.connect(lambda failure: self._tell(failure_banner(shell.appearance, failure, work.refresh)))

    def show_draft(self, draft: Draft) -> None:
        knowledge = draft.assistant.knowledge
        for tick, value in ((self.trusted, knowledge.trusted), (self.public, knowledge.public)):
            tick.blockSignals(True)
            tick.setCheckState(
                Qt.CheckState.PartiallyChecked if isinstance(value, list) and value
                else Qt.CheckState.Checked if value else Qt.CheckState.Unchecked
            )  # fmt: skip
            tick.blockSignals(False)
        self._english_only = knowledge.embedder == "default"
        self.more.show_settings(draft.assistant.retrieval, knowledge.embedder)
        self.search.retrieval = draft.assistant.retrieval
        self._show_files()

    def follow(self, document: Document) -> None:
        super().follow(document)
        self._cut = _cut_by(document.draft)
        document.saved.connect(self._on_saved)

    def complain(self, key: str, why: str) -> None:
        self.more.complain(key, why)
        if key.startswith("retrieval"):
            self.more.unfold()

    def close_down(self) -> None:
        self.search.close_down()

    def choose_files(self) -> None:
        """Let the person pick files; they are copied in."""
        chosen, _ = QFileDialog.getOpenFileNames(self, translate("Knowledge", "Choose files"))
        if chosen:
            self.work.add([Path(name) for name in chosen])

    def choose_folder(self, *, link: bool) -> None:
        """Let the person pick a folder, to copy what is in it or to link it."""
        if chosen := QFileDialog.getExistingDirectory(self, translate("Knowledge", "Choose a folder")):
            self.work.add([Path(chosen)], link=link)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            restyle(self.drop_place, wanted=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        restyle(self.drop_place, wanted=False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        restyle(self.drop_place, wanted=False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.work.add(paths)

    def _drop_place(self) -> Card:
        self.drop_place = Card(padding=14)
        self.drop_place.setProperty("drop", True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(IconLabel(self.shell.appearance, "upload"))
        row.addWidget(label(translate("Knowledge", "Drop files or folders here, or"), "muted"))
        self.choose = Button(self.shell.appearance, translate("Knowledge", "choose…"), role="link")
        menu = QMenu(self.choose)
        for says, act in (
            (translate("Knowledge", "Files…"), self.choose_files),
            (translate("Knowledge", "A folder, copied…"), lambda: self.choose_folder(link=False)),
            (translate("Knowledge", "A folder that stays where it is…"), lambda: self.choose_folder(link=True)),
        ):
            action = QAction(says, menu)
            action.triggered.connect(lambda _checked=False, run=act: run())
            menu.addAction(action)
        self.choose.setMenu(menu)
        row.addWidget(self.choose)
        kinds = ElidedLabel(translate("Knowledge", "PDF, Word, slides, sheets, EPUB, web pages, text, code"), "faint")
        kinds.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(kinds, 1)
        self.drop_place.column.addLayout(row)
        return self.drop_place

    def _ticks(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        self.trusted = Tick(self.shell.appearance, translate("Knowledge", "I trust what these files say"))
        self.public = Tick(self.shell.appearance, translate("Knowledge", "Nothing in these files is secret"))
        for tick, key, about in (
            (
                self.trusted,
                "trusted",
                translate("Knowledge", "It may act after reading them without asking you each time."),
            ),
            (
                self.public,
                "public",
                translate("Knowledge", "It may use what it read there in searches and calls to the places you allow."),
            ),
        ):
            row = QHBoxLayout()
            row.setSpacing(12)
            row.addWidget(tick)
            row.addWidget(label(about, "secondary", wrap=True), 1)
            column.addLayout(row)
            tick.clicked.connect(lambda checked, of=key: self._edit_knowledge(of, checked))
        return column

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        self.said = label("", "secondary")
        row.addWidget(self.said)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(140)
        row.addWidget(self.bar)
        row.addStretch(1)
        appearance = self.shell.appearance
        self.cancel = Button(appearance, translate("Knowledge", "Stop reading"), role="link", clicked=self.work.cancel)
        self.again = Button(appearance, translate("Knowledge", "Read now"), role="link", clicked=self.work.refresh)
        row.addWidget(self.cancel)
        row.addWidget(self.again)
        return row

    def _show_files(self) -> None:
        overview = self.work.overview
        rows = rows_of(overview, english_only=self._english_only)
        self.table.show_rows(rows)
        self.table.setVisible(bool(rows))
        step = work_words(overview.step) if overview.step is not None else None
        if step is not None:
            self.said.setText(words_of(step))
        elif rows:
            self.said.setText(summary(rows, overview.index))
        else:
            self.said.setText(translate("Knowledge", "It knows no files yet: it answers from its instructions alone."))
        self.bar.setVisible(step is not None and bool(step.total))
        if step is not None and step.total:
            self.bar.setRange(0, step.total)
            self.bar.setValue(step.done)
        self.cancel.setVisible(overview.step is not None)
        self.again.setVisible(overview.step is None and any(row.state == "waiting" for row in rows))
        self.search.setVisible(overview.index is not None and bool(overview.index.path))

    def _remove(self, row: Row) -> None:
        assert self.document is not None
        knowledge = self.document.draft.assistant.knowledge
        if row.origin == "link":
            links = [link for link in knowledge.links if link != row.name]
            self._edit_knowledge("links", links)
            said = translate("Knowledge", "{name} is linked no more; the folder stays as it is.", name=row.name)
            self.shell.notify(said, action=translate("Knowledge", "Undo"), act=self.document.undo)
        elif row.origin == "pack":
            self._edit_knowledge("from_pack", [name for name in knowledge.from_pack if name != row.name])
            said = translate("Knowledge", "{name} is removed.", name=row.name)
            self.shell.notify(said, action=translate("Knowledge", "Undo"), act=self.document.undo)
        else:
            self.work.remove(row.name)
            said = translate("Knowledge", "{name} is removed from the assistant.", name=row.name)
            undo = translate("Knowledge", "Undo")
            self.shell.notify(said, action=undo, act=lambda: self.work.bring_back(row.name))

    def _edit_knowledge(self, key: str, value: object) -> None:
        if self.document is not None:
            self.document.edit_part("knowledge", key, **{key: value})
            self.show_draft(self.document.draft)

    def _edit_retrieval(self, key: str, value: object) -> None:
        if self.document is not None:
            self.document.edit_part("retrieval", key, **{key: value})
            self.search.retrieval = self.document.draft.assistant.retrieval
            self.search.search()

    def _on_saved(self, draft: Draft) -> None:
        """Read anew where what was saved changes what is read."""
        if (cut := _cut_by(draft)) != self._cut:
            self._cut = cut
            self.work.refresh()

    def _on_added(self, added: Added) -> None:
        taken = sum(file.state in {"added", "replaced", "linked"} for file in added.files)
        skipped = [file for file in added.files if file.state == "skipped"]
        same = sum(file.state == "unchanged" for file in added.files)
        said = counted(taken, translate("Knowledge", "{n} file taken"), translate("Knowledge", "{n} files taken"))
        if same:
            said += translate("Knowledge", ", {n} were there already", n=same)
        if not skipped:
            if taken != 1 or same:
                self.shell.notify(said)
            self._dismiss()
            return
        said += translate("Knowledge", ", {n} not", n=len(skipped))
        lines = [f"{file.name}: {file.reason}" for file in skipped[:_MOST_SKIPPED]]
        if len(skipped) > _MOST_SKIPPED:
            lines.append(translate("Knowledge", "and {n} more", n=len(skipped) - _MOST_SKIPPED))
        self._tell(Banner(self.shell.appearance, said, detail="\n".join(lines), tone="quiet"))

    def _on_not_added(self, failure: Failure, paths: list[Path]) -> None:
        if failure.code == "knowledge-file-exists":
            replace = (translate("Knowledge", "Replace"), lambda: self.work.add(paths, replacing=True))
            detail = translate("Knowledge", "Nothing was changed.")
            self._tell(Banner(self.shell.appearance, failure.message, detail=detail, actions=[replace]))
        else:
            self._tell(failure_banner(self.shell.appearance, failure, lambda: self.work.add(paths)))

    def _tell(self, banner: Banner) -> None:
        self._dismiss()
        self._banner = banner
        self._banners.addWidget(banner)

    def _dismiss(self) -> None:
        if self._banner is not None:
            self._banner.hide()
            self._banner.deleteLater()
            self._banner = None


def _cut_by(draft: Draft) -> object:
    """Return what the files' reading depends on."""
    retrieval = draft.assistant.retrieval
    return retrieval.passage_tokens, retrieval.overlap_tokens, draft.assistant.knowledge
