"""Pages of one assistant's files, read in a process beside the window; one after another."""

from __future__ import annotations

import threading
from pathlib import Path

from satchel.runtime.commands.aside import Aside
from satchel.runtime.commands.show_page import PageRequest, ShownPage
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.paths import Home


class PagesAside:
    """May be called from any thread: the process takes one page at a time."""

    def __init__(self, home: Home, verified: VerifiedPack, folder: Path | None) -> None:
        self._verified, self._folder = verified, folder
        self._aside = Aside(home)
        self._one_at_a_time = threading.Lock()

    def show(self, request: PageRequest) -> ShownPage:
        """Return a page; raises what `PageDesk.show` and the process's death do."""
        with self._one_at_a_time:
            return self._aside.show_page(self._verified, self._folder, request)

    def close(self) -> None:
        """End the process."""
        with self._one_at_a_time:
            self._aside.close()
