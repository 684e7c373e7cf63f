"""Chats with tools in the window: a model that says what a test wrote, run by the real engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from helpers.project_folders import write_project
from helpers.scripted_gguf import write_scripted_gguf
from helpers.windows import Driver

from satchel.builder.chat.conversation import Opening

UNPACKED = 'unpacked_from = "' + "c" * 64 + '"\n'
SAMPLING = "\n[sampling]\ntemperature = 0.0\nmax_tokens = 64\n"


@pytest.fixture
def open_tool_chat(driver: Driver, tmp_path: Path) -> Callable[..., Driver]:
    """Return what opens a chat with an assistant that was received and calls a tool once in each answer."""

    def open_one(
        tool: str,
        arguments: Mapping[str, object],
        *,
        requests: Sequence[str] = (),
        after: str = "It is done.",
        received: bool = True,
        files: Mapping[str, str] | None = None,
    ) -> Driver:
        settings = 'author = "Wilma"\n' + (UNPACKED if received else "") + SAMPLING
        settings += f"\n[tools.{tool}]\nrequests = {json.dumps(list(requests))}\n"
        folder = write_project(tmp_path / "assistant", settings=settings, files=files)
        call = ("<tool_call>", json.dumps({"name": tool, "arguments": arguments}), "</tool_call>")
        model = write_scripted_gguf(tmp_path / "tiny.gguf", call, after_tools=(after,))
        driver.shell.open("chat")
        driver.page.view.open(Opening(str(folder), None, str(model)))
        driver.until(lambda: driver.page.view.assistant is not None)
        return driver

    return open_one


@pytest.fixture
def open_reading_chat(driver: Driver, tmp_path: Path) -> Callable[..., Driver]:
    """Return what opens a chat with an assistant that has files, and a model that answers with a text."""

    def open_one(answer: str, files: Mapping[str, str]) -> Driver:
        folder = write_project(tmp_path / "reader", settings=SAMPLING, files=files)
        model = write_scripted_gguf(tmp_path / "reader.gguf", (answer,))
        driver.shell.open("chat")
        driver.page.view.open(Opening(str(folder), None, str(model)))
        driver.until(lambda: driver.page.view.assistant is not None)
        return driver

    return open_one
