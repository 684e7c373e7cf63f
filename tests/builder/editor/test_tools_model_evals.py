from __future__ import annotations

import hashlib

import pytest
from helpers.project_folders import write_project
from helpers.tiny_gguf import write_gguf
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from satchel.builder.editor.case_list import new_case, with_expected, with_question
from satchel.builder.editor.export_plan import file_name
from satchel.builder.editor.model_choices import choices, chosen, preference
from satchel.builder.editor.tools_list import made, may_write, setting_of, tool_kinds, touches, with_writing
from satchel.runtime.commands.inspect import inspect
from satchel.runtime.commands.models_list import ListedModel, ModelList, StarterState
from satchel.runtime.evals.cases import Case, Expectation, ExpectedTool
from satchel.runtime.permissions.errors import CapabilityError
from satchel.runtime.project.folder import load_project
from satchel.runtime.project.schema import Assistant, Tool
from satchel.runtime.session.toolbox import _makers

KINDS = {kind.name: kind for kind in tool_kinds()}
CASES = (
    '{"id":"flood","question":"When does the harbour flood?","expect":{"file":"tides.md","contains":["north wind"]}}\n'
    '{"id":"fee","question":"When does the harbour flood?","expect":{"contains":["20 euros"]},"tags":["money"]}\n'
)


def test_every_tool_that_this_version_makes_is_on_the_list():
    # The makers' table is made anew for each chat; what it names does not depend on whose.
    assert set(KINDS) == set(_makers(None, None))


def test_a_ticked_tool_asks_for_what_it_needs_and_no_more():
    assert made(KINDS["calculator"]) == Tool()
    assert made(KINDS["python"]).requests == ["code.run"]
    web = made(KINDS["web_fetch"], "example.org, *.example.net")
    assert web.requests == ["net.fetch https://example.org", "net.fetch https://*.example.net"]
    assert setting_of(KINDS["web_fetch"], web) == "example.org, *.example.net"
    assert touches(KINDS["web_fetch"], None) == "May read web pages from anywhere."
    own = made(KINDS["web_search"], "https://searx.example.org")
    assert (own.settings, own.requests) == (
        {"searxng": "https://searx.example.org"},
        ["net.search https://searx.example.org"],
    )
    assert made(KINDS["web_search"]).requests == ["net.search ddgs"]
    files = with_writing(made(KINDS["files"], "Notes"), allowed=True)
    assert may_write(files)
    assert made(KINDS["files"], "Notes, Letters", files).requests == [
        "fs.read Notes",
        "fs.read Letters",
        "fs.write Notes",
        "fs.write Letters",
    ]
    servers = made(KINDS["mcp"], "https://mcp.example.org, npx -y a-server")
    assert servers.requests == ["mcp.connect https://mcp.example.org", "mcp.spawn npx -y a-server"]
    assert setting_of(KINDS["mcp"], servers) == "https://mcp.example.org, npx -y a-server"
    with pytest.raises(CapabilityError):
        made(KINDS["web_fetch"], "not a host/")


def model(name, **changes):
    values = {"source": "satchel", "path": f"/m/{name}.gguf", "bytes": 10**9, "quantisation": "Q4_K_M"}
    values |= {"architecture": "llama", "parameters": 4 * 10**9, "context": 32768, "fits": "yes", "why": "fits"}
    return ListedModel(name=name, **(values | changes))


def test_a_pack_names_a_model_by_hash_family_and_size():
    named = preference(model("Qwen3-4B-Instruct-2507-Q4_K_M"), "ab" * 32, 4096)
    assert (named.family, named.parameters, named.minimum_context) == ("Qwen3", "4B", 4096)
    assert preference(model("Llama-3.2-1B-Instruct"), "", 0).family == "Llama-3.2"
    assert preference(model("mystery"), "", 0).family == ""
    listed = ModelList(
        models=(model("starter", source="starter"), model("Qwen3-4B")),
        left_out=0,
        unfinished=(),
        starter=StarterState(installed=True, how=""),
        folder="",
        catalogue_made="",
        catalogue_how="",
        catalogue=(),
    )
    assistant = Assistant(id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b", name="A")
    found = choices(listed, assistant)
    assert [choice.title for choice in found] == ["Whatever suits the computer it runs on", "Qwen3-4B"]
    assert chosen(found, assistant) is found[0]
    away = Assistant(id=assistant.id, name="A", models=[preference(model("Gone-7B"), "", 0)])
    assert chosen(choices(listed, away), away).title == "Gone-7B"


def test_a_case_keeps_what_the_form_has_no_field_for_and_gets_an_id_that_says_what_it_asks():
    first = new_case(())
    assert first.id == "case"
    asked = with_question(first, "What is the mooring fee?", (Case("the-mooring-fee", "x", Expectation()),))
    assert asked.id == "is-the-mooring-fee"
    assert with_question(asked, "What was it?", ()).id == asked.id
    rich = Case("a", "b", Expectation(matches="x+", tool=ExpectedTool("clock")), ["t"])
    assert with_expected(rich, page=3).expect == Expectation(page=3, matches="x+", tool=ExpectedTool("clock"))


def test_a_packs_file_is_called_like_its_assistant_on_every_system():
    assert file_name('Tides: "north/south"?') == "Tides north south.pack"
    assert file_name("...") == "assistant.pack"


@pytest.fixture
def folder(tmp_path):
    tides = "# Tides\n\nThe harbour of Varnow floods when a spring tide meets a north wind.\n"
    return write_project(tmp_path / "tides", files={"knowledge/tides.md": tides, "evals/cases.jsonl": CASES})


@pytest.fixture
def editor(driver, folder):
    driver.shell.open("editor", folder=str(folder))
    driver.until(lambda: driver.page.document is not None)
    driver.until(lambda: driver.page.preview.chat.assistant is not None)
    return driver


def saved(driver):
    driver.until(lambda: driver.page.document.is_saved and driver.page.document.state == "saved")


def test_tools_are_ticked_narrowed_and_unticked_in_the_project(editor, folder):
    editor.page.show_tab("tools")
    cards = editor.page.tab("tools").cards
    cards["calculator"].tick.click()
    cards["web_fetch"].tick.click()
    editor.qtbot.keyClicks(cards["web_fetch"].field, "example.org")
    saved(editor)
    tools = load_project(folder).assistant.tools
    assert tools["calculator"] == Tool()
    assert tools["web_fetch"].requests == ["net.fetch https://example.org"]
    assert "read web pages from https://example.org" in cards["web_fetch"]._touches.text()
    cards["calculator"].tick.click()
    saved(editor)
    assert "calculator" not in load_project(folder).assistant.tools
    editor.page.document.undo()
    assert cards["calculator"].tick.isChecked()
    saved(editor)
    editor.idle()


def test_how_words_are_chosen_is_written_and_another_seed_each_time_is_none(editor, folder):
    editor.page.show_tab("model")
    tab = editor.page.tab("model")
    editor.until(lambda: tab.states.state == "full")
    tab.sampling.fields["temperature"].editor.setValue(0.7)
    tab.sampling.fields["seed"].editor.setValue(7)
    saved(editor)
    sampling = load_project(folder).assistant.sampling
    assert (sampling.temperature, sampling.seed) == (0.7, 7)
    tab.sampling.fields["seed"].editor.setValue(-1)
    saved(editor)
    assert load_project(folder).assistant.sampling.seed is None
    assert "no language model on this computer" in tab.plan.text() or "default model" in tab.plan.text()
    editor.idle()


def test_cases_are_run_and_marked_and_a_change_takes_the_mark_away(editor, folder):
    editor.page.show_tab("evals")
    tab = editor.page.tab("evals")
    editor.click("Run them")
    editor.until(lambda: tab._running is None and tab.said.text() == "1 of 2 passed")
    good, bad = tab.cards
    assert good._mark.text().startswith("passed in")
    assert '"20 euros" is not in the answer' in bad._mark.text()
    editor.qtbot.keyClicks(bad.contains, "x")
    assert bad._mark.isHidden()
    bad.contains.clear()
    editor.qtbot.keyClicks(bad.contains, "north wind | spring tide")
    editor.click("Add a case")
    editor.qtbot.keyClicks(tab.cards[-1].question, "Who is the king?")
    tab.cards[-1].refuses.click()
    saved(editor)
    lines = (folder / "evals" / "cases.jsonl").read_text().splitlines()
    assert lines[1] == (
        '{"id":"fee","question":"When does the harbour flood?",'
        '"expect":{"contains":["north wind","spring tide"]},"tags":["money"]}'
    )
    assert '"refuses":true' in lines[2]
    editor.click("Run them")
    editor.until(lambda: tab._running is None and tab.said.text() == "3 of 3 passed")
    editor.click("Remove this case", tab.cards[0])
    saved(editor)
    assert len((folder / "evals" / "cases.jsonl").read_text().splitlines()) == 2


def test_the_assistant_becomes_one_file_with_or_without_its_sources(editor, tmp_path):
    packs = []
    for number, option in enumerate(("whole", "text_only", "whole")):
        editor.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
        sheet = editor.page.sheet
        editor.until(lambda of=sheet: of.whole_size.text().startswith("about"))
        sheet.path.setText(str(tmp_path / f"{number}.pack"))
        getattr(sheet, option).click()
        editor.click("Export", sheet)
        editor.until(lambda of=sheet: of.built is not None)
        packs.append(sheet.built)
        editor.until(lambda: editor.has(QAbstractButton, "Done"))
        editor.click("Done")
    assert packs[0].pack_id == packs[2].pack_id != packs[1].pack_id
    assert inspect(tmp_path / "0.pack").pack_id == packs[0].pack_id
    assert packs[0].size > packs[1].size


def test_an_export_that_cannot_be_written_says_why_and_can_be_tried_again(editor, tmp_path):
    editor.click("Export…")
    sheet = editor.page.sheet
    (tmp_path / "file").write_text("")
    sheet.path.setText(str(tmp_path / "file" / "a.pack"))
    editor.click("Export", sheet)
    editor.until(lambda: editor.has(QAbstractButton, "Retry"))
    editor.key(Qt.Key.Key_Escape)
    editor.idle()


def test_the_model_it_is_made_for_is_named_by_hash_and_the_preview_answers_with_it(driver, folder, person):
    person.models.mkdir(parents=True)
    file = write_gguf(person.models / "Tiny-1B.gguf")
    driver.shell.open("editor", folder=str(folder))
    driver.until(lambda: driver.page.document is not None)
    driver.page.show_tab("model")
    tab = driver.page.tab("model")
    driver.until(lambda: len(tab.buttons) == 2 and driver.page.preview.chat.assistant is not None)
    next(button for button in tab.buttons if button.accessibleName() == "Tiny-1B").click()
    assert tab._context.isVisible()
    tab.context.setValue(512)
    driver.until(lambda: driver.page.document.draft.assistant.models[0].sha256)
    saved(driver)
    (named,) = load_project(folder).assistant.models
    assert (named.name, named.family, named.parameters, named.minimum_context) == ("Tiny-1B", "Tiny", "1B", 512)
    assert named.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert driver.page.preview.chat.is_stale
    driver.page.preview.chat.restart()
    driver.until(lambda: driver.page.preview.chat.assistant is not None)
    assert driver.page.preview.chat.assistant.model == "Tiny-1B"
    driver.idle()
