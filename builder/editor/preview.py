"""The chat at the right: the assistant as the form has it now. Its chats are not among the person's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication

from satchel.builder.chat.chat_view import ChatView
from satchel.builder.chat.conversation import Again, Opened, Opening, Request, Said, Show
from satchel.builder.editor.draft import Draft, answers_differ
from satchel.builder.language import translate
from satchel.builder.shell import Shell
from satchel.builder.widgets.banner import Banner


class Preview(ChatView):
    """Opens the project's folder again before the next answer when the form has changed since."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.folder: Path | None = None
        self._history: Path | None = None
        self._chat_id: str | None = None
        self._model: str | None = None
        self._draft: Draft | None = None
        """As it is in the form."""
        self._answers: Draft | None = None
        """As the session was opened with."""
        self._knowledge_changed = False
        self._waiting: Request | None = None
        self._save: Callable[[], object] = lambda: None
        self._wants_saved = False
        self.chat_changed.connect(lambda chat: setattr(self, "_chat_id", chat.id if chat is not None else None))

    @property
    def is_stale(self) -> bool:
        """Whether what would answer is not what the form says."""
        if self._draft is None or self._answers is None:
            return False
        return self._knowledge_changed or answers_differ(self._draft, self._answers)

    def begin(self, folder: Path, history: Path, draft: Draft, save: Callable[[], object]) -> None:
        """Show an assistant with an empty chat; `save` writes the form into the folder, `note_saved` follows."""
        self.folder, self._history, self._save = folder, history, save
        self._chat_id, self._model, self._waiting = None, None, None
        self._draft = draft
        self._reopen()

    def restart(self) -> None:
        """Begin an empty chat."""
        self._chat_id = None
        self._reopen()

    def answer_with(self, model: str) -> None:
        """Go on with another model."""
        self._model = model
        self._reopen()

    def show_draft(self, draft: Draft) -> None:
        """Show name, greeting and starters as they are now; answers follow with the next question."""
        self._draft = draft
        opened = self._opened
        if opened is None:
            return
        shown = replace(
            opened.assistant,
            name=draft.assistant.name,
            greeting=draft.assistant.greeting,
            starters=tuple(draft.assistant.starters),
        )
        self._picture = draft.avatar
        if shown != opened.assistant:
            self._opened = replace(opened, assistant=shown)
            self.composer.set_assistant(draft.assistant.name)
        if self.list.rows():
            self.list.replace(0)
        self._say_stale()

    def note_knowledge(self) -> None:
        """Know that the files are not what they were."""
        self._knowledge_changed = self._answers is not None
        self._say_stale()

    def note_saved(self) -> None:
        """Go on: the folder says what the form says."""
        if self._wants_saved:
            self._wants_saved = False
            self._open_now()

    def _reopen(self) -> None:
        """Open the folder as the form has it: saved first, where it is not."""
        self._wants_saved = True
        self.composer.setEnabled(False)
        self._save()

    def _open_now(self) -> None:
        if self.folder is None or self._draft is None:
            return
        self._answers, self._knowledge_changed = self._draft, False
        opening = Opening(str(self.folder), self._chat_id, self._model, self._history)
        self.open(opening, self._draft.avatar)

    def _request(self, request: Request) -> None:
        if isinstance(request, Show) or not self.is_stale or self.busy:
            super()._request(request)
            return
        self._dismiss_banner()
        self._waiting = request
        self._reopen()

    def _on_opened(self, opened: Opened) -> None:
        focused = QApplication.focusWidget()
        super()._on_opened(opened)
        if focused is not None and not self.isAncestorOf(focused):
            focused.setFocus()  # whoever writes in the form goes on writing there
        if self._draft is not None:
            self.show_draft(self._draft)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            super()._request(waiting)

    def _on_said(self, said: Said) -> None:
        super()._on_said(said)
        self._say_stale()

    def _say_stale(self) -> None:
        answered = [entry for entry in self.entries if entry.role == "assistant" and entry.id]
        if not self.is_stale or not answered or self.busy:
            if self._banner is not None and self._banner.property("stale"):
                self._dismiss_banner()
            return
        if self._banner is not None:
            return
        last = answered[-1].id
        banner = Banner(
            self._shell.appearance,
            translate("Editor", "You changed the assistant since this answer."),
            tone="quiet",
            actions=[(translate("Editor", "Ask again"), lambda: self._request(Again(last)))],
        )
        banner.setProperty("stale", True)
        self.tell(banner)
