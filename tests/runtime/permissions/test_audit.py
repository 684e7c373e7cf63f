from __future__ import annotations

import json
import stat
import threading

import msgspec
import pytest

from satchel.runtime.errors import SaveError
from satchel.runtime.permissions.audit import AuditLog, entry
from satchel.runtime.permissions.errors import AuditError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def log(folder):
    return AuditLog(folder)


def add(log, *names, assistant="pack a", chat="c1"):
    for name in names:
        happened = msgspec.structs.replace(entry("allowed", assistant, now=1.0), tool=name, chat=chat)
        log.append(happened, {"q": f"secret of {name}"})


def lines(folder, name="audit.jsonl"):
    return (folder / name).read_bytes().splitlines(keepends=True)


def test_what_happened_is_read_newest_first_and_is_the_owners_alone(log, folder):
    add(log, "one", "two")
    add(log, "three", assistant="pack b", chat="c2")

    assert [record.entry.tool for record in log.read()] == ["three", "two", "one"]
    assert [record.entry.tool for record in log.read(most=1)] == ["three"]
    assert [record.entry.tool for record in log.read(assistant="pack a")] == ["two", "one"]
    assert [record.entry.tool for record in log.read(chat="c2")] == ["three"]
    assert log.read()[0].told.arguments == {"q": "secret of three"}
    assert log.verify().records == 3
    assert log.verify().problem == ""
    for path in folder.glob("audit*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_an_empty_log_is_in_order(log):
    assert log.verify().records == 0
    assert log.verify().problem == ""
    assert log.read() == []


def test_an_entry_has_its_time():
    assert entry("asked", "pack a").at > 1e9


def test_long_arguments_are_shortened(log):
    record = log.append(entry("allowed", "pack a"), {"q": "x" * 5000})

    assert len(record.told.arguments["q"]) == 2000
    assert log.append(entry("allowed", "pack a")).told.arguments == {}


def test_another_log_of_the_same_folder_goes_on_with_the_chain(log, folder):
    add(log, "one")
    add(AuditLog(folder), "two")
    add(log, "three")

    assert log.verify().records == 3
    assert log.verify().problem == ""


def changed(folder, change):
    path = folder / "audit.jsonl"
    path.write_bytes(b"".join(change(lines(folder))))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda found: found[:-1], "missing at the end"),
        (lambda _found: [], "missing at the end"),
        (lambda found: found[1:], "number 1 should stand here"),
        (lambda found: [found[0], *found[2:]], "number 2 should stand here"),
        (lambda found: [found[1], found[0], *found[2:]], "number 1 should stand here"),
        (lambda found: [found[0].replace(b'"one"', b'"two"'), *found[1:]], "the one before it was changed"),
        (lambda found: [*found[:-1], found[-1].replace(b'"three"', b'"other"')], "it was replaced"),
        (lambda found: [found[0].replace(b"secret", b"public"), *found[1:]], "what it told was changed"),
        (lambda found: [found[0][:-2], *found[1:]], "is no record"),
        (lambda found: [b'{"n": 1}\n', *found[1:]], "is no record"),
        (lambda found: [*found[:-1], found[-1][:-1]], "missing at the end"),
    ],
)
def test_a_cut_or_an_edit_shows(log, folder, change, problem):
    add(log, "one", "two", "three")
    changed(folder, change)

    assert problem in log.verify().problem


def test_a_missing_or_unreadable_head_shows(log, folder):
    add(log, "one")
    head = folder / "audit.head.json"
    content = head.read_bytes()
    head.unlink()
    assert "audit.head.json is missing" in log.verify().problem
    with pytest.raises(AuditError, match="missing"):
        add(log, "two")
    head.write_bytes(b"{")
    assert "truncated" in log.verify().problem
    head.write_bytes(content)
    assert log.verify().problem == ""


def test_nothing_is_added_to_a_log_that_was_cut(log, folder):
    add(log, "one", "two")
    changed(folder, lambda found: found[:-1])

    with pytest.raises(AuditError, match="lines are missing at its end") as caught:
        add(log, "three")
    assert caught.value.exit_code == 54


def test_a_line_that_a_crash_left_half_written_gives_way(log, folder):
    add(log, "one", "two")
    whole = lines(folder)
    with (folder / "audit.jsonl").open("ab") as file:
        file.write(whole[0][:40])
    assert log.verify().problem == ""
    add(log, "three")

    assert [record.entry.tool for record in log.read()] == ["three", "two", "one"]
    assert log.verify().records == 3
    assert log.verify().problem == ""


def test_full_files_are_set_aside_and_the_oldest_go(folder):
    log = AuditLog(folder, most_bytes=900, most_files=3)
    add(log, *(f"t{number}" for number in range(12)))

    names = sorted(path.name for path in folder.glob("*.jsonl"))
    assert len([name for name in names if name != "audit.jsonl"]) == 2
    assert log.verify().problem == ""
    kept = [record.n for record in log.read()]
    assert kept == list(range(12, 12 - len(kept), -1))
    assert log.verify().records == len(kept) < 12
    head = json.loads((folder / "audit.head.json").read_bytes())
    assert head["first"] == kept[-1]
    (folder / names[0]).unlink()
    assert "should stand here" in log.verify().problem


def test_a_crash_after_a_file_was_set_aside_loses_nothing(folder):
    log = AuditLog(folder)
    add(log, "one", "two")
    (folder / "audit.jsonl").rename(folder / "audit-0000000002.jsonl")
    add(log, "three")

    assert [record.entry.tool for record in log.read()] == ["three", "two", "one"]
    assert log.verify().problem == ""


def test_a_deleted_chats_words_go_and_the_chain_holds(folder):
    log = AuditLog(folder, most_bytes=900)
    for number in range(4):
        add(log, f"a{number}", chat="gone")
        add(log, f"b{number}", chat="stays")
    before = {path.name: path.stat().st_size for path in folder.glob("*.jsonl")}
    log.forget("gone")
    log.forget("gone")

    assert {path.name: path.stat().st_size for path in folder.glob("*.jsonl")} == before
    assert log.verify().records == 8
    assert log.verify().problem == ""
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"secret of a" not in everything
    assert b"secret of b3" in everything
    assert [record.told is None for record in log.read(chat="gone")] == [True] * 4
    add(log, "later")
    assert log.verify().problem == ""


def test_threads_that_append_at_once_make_one_chain(log):
    threads = [threading.Thread(target=add, args=(log, *(f"{name}{n}" for n in range(5)))) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert log.verify().records == 15
    assert log.verify().problem == ""


def test_a_link_in_its_place_is_not_followed(log, folder, tmp_path):
    folder.mkdir()
    (folder / "audit.jsonl").symlink_to(tmp_path / "victim")

    with pytest.raises(SaveError):
        add(log, "one")
    assert not (tmp_path / "victim").exists()
