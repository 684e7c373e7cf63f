"""A line of a model that can be fetched: what it is, the question about its licence, how far the download is."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.models_page.model_rows import OfferRow, download_words
from satchel.builder.operations import Failure, Operation, Step, Task
from satchel.builder.shell import Shell
from satchel.builder.sizes import size_words
from satchel.builder.widgets.banner import Banner, failure_banner
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.labels import label
from satchel.runtime.commands.models_pull import Offer, PulledReport, find_offer, pull_model
from satchel.runtime.commands.models_remove import remove_model
from satchel.runtime.settings import load_settings


class OfferLine(QWidget):
    """Nothing is asked of the network before "Download"; a licence that is not free has to be accepted first."""

    finished = Signal()
    """The model is here."""
    dropped = Signal()
    """What had come of it is deleted."""

    def __init__(self, shell: Shell, row: OfferRow) -> None:
        super().__init__()
        self._shell, self.row = shell, row
        self._running: Operation | None = None
        self._banner: Banner | None = None
        self._began = 0.0
        self.setProperty("role", "plain")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(15, 10, 15, 10)
        self._column.setSpacing(8)
        across = QHBoxLayout()
        across.setSpacing(12)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(row.title, "strong"))
        words.addWidget(label(row.about, "secondary", wrap=True))
        across.addLayout(words, 1)
        if row.fits:
            across.addWidget(Chip(shell.appearance, row.fits, tone=row.tone))
        says = translate("Models", "Go on") if row.resumes else translate("Models", "Download")
        self.button = Button(shell.appearance, says, icon="download", clicked=self.start)
        across.addWidget(self.button)
        if row.resumes:
            self.drop = IconButton(
                shell.appearance, "x", translate("Models", "Delete what is here of {name}", name=row.title)
            )
            self.drop.clicked.connect(self._drop)
            across.addWidget(self.drop)
        self._column.addLayout(across)
        self._progress_place = self._make_progress()
        self._column.addWidget(self._progress_place)
        self._progress_place.hide()

    @property
    def is_running(self) -> bool:
        """Whether it is being fetched."""
        return self._running is not None

    def start(self) -> None:
        """Ask the hub what it is, exactly."""
        home, reference = self._shell.home, self.row.reference
        self._dismiss()
        self.button.setEnabled(False)
        self._shell.operations.run(
            lambda _task: find_offer(reference, home, load_settings(home.settings)),
            owner=self,
            name="look up model",
            succeeded=self._on_offer,
            failed=self._on_failed,
        )

    def cancel(self) -> None:
        """Stop; what has come stays, and the next download goes on from there."""
        if self._running is not None:
            self._running.cancel()

    def _on_offer(self, offer: Offer) -> None:
        if offer.is_free or offer.here is not None:
            self._fetch(offer, accepted=False)
            return
        text = translate(
            "Models", "{name} stands under the licence “{licence}”.", name=self.row.title, licence=offer.licence
        )
        detail = translate(
            "Models",
            "Read it at {page}; {size} would be fetched.",
            page=offer.model.page,
            size=size_words(offer.model.size),
        )
        accept = (translate("Models", "Accept and download"), lambda: self._fetch(offer, accepted=True))
        self.button.setEnabled(True)
        self._tell(Banner(self._shell.appearance, text, detail=detail, actions=[accept]))

    def _fetch(self, offer: Offer, *, accepted: bool) -> None:
        home = self._shell.home
        self._dismiss()
        self._began = time.monotonic()

        def work(task: Task) -> PulledReport:
            settings = load_settings(home.settings)
            return pull_model(offer, home, settings, accept_licence=accepted, progress=task.progress)

        self.button.hide()
        self._progress_place.show()
        self._said.setText(translate("Models", "beginning …"))
        self._bar.setRange(0, 0)
        self._running = self._shell.operations.run(
            work, owner=self, name="download", succeeded=self._on_done, failed=self._on_failed, progressed=self._on_step
        )
        self._running.finished.connect(self._on_finished)

    def _on_step(self, step: Step) -> None:
        self._bar.setRange(0, step.total or 0)
        self._bar.setValue(step.done if step.total else 0)
        seconds = time.monotonic() - self._began
        self._said.setText(download_words(step.done, step.total or 0, seconds, step.seconds_left))

    def _on_done(self, report: PulledReport) -> None:
        said = translate("Models", "{name} is here.", name=self.row.title)
        self._shell.notify(f"{said} {report.problem}".strip())
        self.finished.emit()

    def _on_failed(self, failure: Failure) -> None:
        self._tell(failure_banner(self._shell.appearance, failure, self.start))
        self.button.setEnabled(True)

    def _on_finished(self) -> None:
        self._running = None
        self._progress_place.hide()
        self.button.show()
        self.button.setEnabled(True)

    def _drop(self) -> None:
        home, name = self._shell.home, self.row.reference.rpartition("/")[2].removesuffix(".gguf")
        self._shell.operations.run(
            lambda _task: remove_model(name, home),
            owner=self,
            name="drop download",
            succeeded=lambda _removed: self.dropped.emit(),
            failed=self._on_failed,
        )

    def _make_progress(self) -> QWidget:
        place = QWidget()
        place.setProperty("role", "plain")
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(300)
        row.addWidget(self._bar, alignment=Qt.AlignmentFlag.AlignVCenter)
        self._said = label("", "secondary")
        row.addWidget(self._said, 1)
        stop = translate("Models", "Stop downloading {name}", name=self.row.title)
        self.stop = IconButton(self._shell.appearance, "x", stop, clicked=self.cancel)
        row.addWidget(self.stop)
        return place

    def _tell(self, banner: Banner) -> None:
        self._dismiss()
        self._banner = banner
        self._column.addWidget(banner)

    def _dismiss(self) -> None:
        if self._banner is not None:
            self._banner.hide()
            self._banner.deleteLater()
            self._banner = None
