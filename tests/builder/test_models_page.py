from __future__ import annotations

import pytest
from helpers.local_hub import local_hub
from helpers.tiny_gguf import write_gguf
from PySide6.QtWidgets import QAbstractButton

from satchel.builder.models_page.model_rows import download_words, installed_rows, machine_words, offer_rows
from satchel.runtime.commands.models_link import UnusableModelError, is_linked, link_model, unlink_model
from satchel.runtime.commands.models_list import ListedModel, ModelList, StarterState, Suggestion, UnfinishedPull
from satchel.runtime.engine.devices import Device, Machine, Memory
from satchel.runtime.paths import Home
from satchel.runtime.settings import Settings, load_settings, save_settings

GB = 10**9


def machine(*devices, offloads=True):
    return Machine(devices=devices, memory=Memory(16 * GB, 32 * GB), cores=8, offloads=offloads)


def listed_model(name, **changes):
    values = {"source": "satchel", "path": f"/m/{name}.gguf", "bytes": 4 * GB, "quantisation": "Q4_K_M"}
    values |= {"architecture": "llama", "parameters": 7 * GB, "context": 32768, "fits": "yes", "why": "needs"}
    return ListedModel(name=name, **(values | {"planned_context": 8192} | changes))


def model_list(models=(), unfinished=(), catalogue=()):
    return ModelList(
        models=models,
        left_out=0,
        unfinished=unfinished,
        starter=StarterState(installed=True, how=""),
        folder="/m",
        catalogue_made="2026-11-24",
        catalogue_how="",
        catalogue=catalogue,
    )


def suggestion(name, **changes):
    values = {"reference": f"hub:o/{name}/{name}.gguf", "parameters": "4B", "gigabytes": 2.5, "licence": "apache-2.0"}
    values |= {"context": 32768, "good_at": "talk", "fits": "yes", "here": False}
    return Suggestion(name=name, title=name.title(), **(values | changes))


def test_each_model_says_where_it_is_from_and_what_this_computer_makes_of_it(tmp_path):
    home = Home(tmp_path / "data", tmp_path / "cache", tmp_path / "settings")
    models = (
        listed_model("starter", source="starter"),
        listed_model("mine", pulled=True, default=True),
        listed_model("other", source="ollama", fits="tight", gpu_layers=0),
        listed_model("huge", fits="no", bytes=60 * GB),
        listed_model("fast", gpu_layers=33, planned_context=16384),
    )
    gpu = Device("CUDA0", "RTX 4060", "gpu", "CUDA", 6 * GB, 8 * GB)
    rows = {row.model.name: row for row in installed_rows(model_list(models), machine(gpu), home)}
    assert (rows["starter"].title, rows["starter"].words) == ("Starter 135M", "small talk and simple tools only")
    assert (rows["mine"].origin, rows["mine"].removal, rows["mine"].in_use) == ("downloaded by Satchel", "remove", True)
    assert (rows["other"].origin, rows["other"].removal) == ("found in Ollama", "")
    assert rows["other"].words == "memory is tight, slow; 8k context"
    assert (rows["huge"].words, rows["huge"].fraction) == ("needs more memory than this computer has", 1.0)
    assert rows["fast"].words == "33 layers on the GPU, 16k context"
    assert rows["fast"].fraction == pytest.approx(4.4 / 6)
    assert [row.title for row in installed_rows(model_list(models), None, home, "ollama")] == ["other"]


def test_the_computer_is_told_with_its_gpu_or_without():
    assert machine_words(machine())[0] == "8 cores, 32.0 GB of memory"
    gpu = Device("CUDA0", "RTX 4060", "gpu", "CUDA", 6 * GB, 8 * GB)
    assert machine_words(machine(gpu)) == (
        "RTX 4060 · 8.0 GB",
        "6.0 GB free on it, and 32.0 GB of memory. The engine uses the GPU.",
    )
    assert "cannot use the GPU" in machine_words(machine(gpu, offloads=False))[1]
    assert machine_words(None)[1] == "The engine could not be asked."


def test_begun_downloads_come_first_and_what_is_here_is_not_offered():
    catalogue = (suggestion("alpha"), suggestion("beta", here=True), suggestion("gamma", fits="no"))
    begun = UnfinishedPull(reference="hub:o/alpha/alpha.gguf", bytes=GB, size=3 * GB)
    rows = offer_rows(model_list(unfinished=(begun,), catalogue=catalogue))
    assert [(row.title, row.resumes) for row in rows] == [("Alpha", True), ("Gamma", False)]
    assert rows[0].about == "1.0 GB of 3.0 GB are here"
    assert rows[1].about == "talk · 2.5 GB · 32k context · licence: apache-2.0"
    assert rows[1].fits == "too large for this computer"


def test_how_far_a_download_is_is_told_with_its_speed():
    assert download_words(0, 100, 0.1, None) == "0 B of 105 MB"
    assert download_words(50, 100, 5.0, 5.0) == "52.4 MB of 105 MB · 10.5 MB/s · about 5 s left"


def test_a_file_is_used_where_it_lies_and_stays_there_when_it_is_taken_out(tmp_path):
    home = Home(tmp_path / "data", tmp_path / "cache", tmp_path / "settings")
    for folder in ("usb", "other"):
        (tmp_path / folder).mkdir()
    file = write_gguf(tmp_path / "usb" / "Tiny.gguf")
    link = link_model(file, home)
    assert link_model(file, home) == link
    assert is_linked(link, home)
    other = write_gguf(tmp_path / "other" / "Tiny.gguf")
    link_model(tmp_path / "other", home)
    assert len(list(home.models.rglob("*.gguf"))) == 2
    unlink_model(link, home)
    assert file.exists()
    assert other.exists()
    assert not link.is_symlink()
    (tmp_path / "no.gguf").write_bytes(b"GGUF nothing")
    for nothing in (tmp_path / "no.gguf", tmp_path):
        with pytest.raises(UnusableModelError):
            link_model(nothing, home)


@pytest.fixture
def hub():
    with local_hub() as running:
        yield running


@pytest.fixture
def models(driver, person, hub):
    save_settings(person.settings, Settings(hub_endpoints=(hub.url,)))
    driver.shell.open("models")
    driver.until(lambda: driver.page._seen is not None)
    return driver


def test_a_model_is_added_used_and_taken_out(models, person, tmp_path):
    (tmp_path / "usb").mkdir()
    file = write_gguf(tmp_path / "usb" / "Tiny-1B.gguf")
    models.page.add(file)
    models.until(lambda: models.has(QAbstractButton, "Use Tiny-1B"))
    models.click("Use Tiny-1B")
    models.until(lambda: any(line.row.in_use for line in models.page.table.lines))
    assert load_settings(person.settings).default_model == "Tiny-1B"
    models.click("Take Tiny-1B out of the list")
    models.until(lambda: not any(line.row.title == "Tiny-1B" for line in models.page.table.lines))
    assert file.exists()
    models.idle()


def offer(models, title):
    """Return the line of the one model of the catalogue that is called so."""
    models.page.search.setText(title)
    models.until(lambda: len(models.page.offers) == 1 and models.page.offers[0].button.isVisible())
    return models.page.offers[0]


def test_a_model_is_downloaded_shown_and_deleted_and_nothing_is_asked_of_the_network_before(
    models, hub, person, tmp_path
):
    content = write_gguf(tmp_path / "tiny.gguf").read_bytes()
    hub.add("granite-3.3-2b-instruct-Q4_K_M.gguf", content, "ibm-granite/granite-3.3-2b-instruct-GGUF")
    line = offer(models, "granite 3.3 2B")
    assert hub.paths("hub") == []
    models.click("Download", line)
    models.until(lambda: any(row.row.removal == "remove" for row in models.page.table.lines))
    (kept,) = person.models.rglob("*.gguf")
    assert kept.read_bytes() == content
    models.page.search.clear()
    models.until(lambda: models.has(QAbstractButton, "Delete granite-3.3-2b-instruct-Q4_K_M"))
    models.click("Delete granite-3.3-2b-instruct-Q4_K_M")
    models.click("Undo", models.window.notices.shown)
    models.until(lambda: models.has(QAbstractButton, "Delete granite-3.3-2b-instruct-Q4_K_M"))
    models.click("Delete granite-3.3-2b-instruct-Q4_K_M")
    models.window.notices.settle()
    models.until(lambda: not kept.exists())
    models.idle()


def test_what_is_not_on_the_hub_is_told_and_can_be_tried_again(models):
    line = offer(models, "granite 3.3 2B")
    models.click("Download", line)
    models.until(lambda: models.has(QAbstractButton, "Retry"))
    assert line.button.isEnabled()
    models.idle()


def test_a_download_is_stopped_and_goes_on_where_it_was(models, hub, person, tmp_path):
    content = write_gguf(tmp_path / "tiny.gguf").read_bytes()
    hub.add("granite-3.3-2b-instruct-Q4_K_M.gguf", content, "ibm-granite/granite-3.3-2b-instruct-GGUF")
    hub.rules.stall_after = 100
    line = offer(models, "granite 3.3 2B")
    models.click("Download", line)
    models.until(lambda: line.is_running and line.stop.isVisible())
    line.stop.click()
    models.until(lambda: not line.is_running)
    hub.rules.stall_after = None
    hub.release()
    assert not list(person.models.rglob("*.gguf"))
    models.click("Download", line)
    models.until(lambda: list(person.models.rglob("*.gguf")))
    models.idle()


def test_the_plan_is_shown_with_its_sums(models):
    models.click("Show the plan and its sums")
    models.until(models.page._plan.isVisible)
    assert "computer:" in models.page._plan.text()
    models.click("Hide the plan")
    assert not models.page._plan.isVisible()
