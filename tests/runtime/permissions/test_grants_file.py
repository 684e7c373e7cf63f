from __future__ import annotations

import json
import stat
from dataclasses import replace

import pytest

from satchel.runtime.permissions.calls import Call
from satchel.runtime.permissions.capabilities import parse_capability, parse_requests
from satchel.runtime.permissions.errors import GrantsError
from satchel.runtime.permissions.grants import Choice, Grant, Grants
from satchel.runtime.permissions.grants_file import GrantsFile, KeptPower, Subject
from satchel.runtime.permissions.standing import make_standing_approval

SIGNED = Subject("id-1", author_key="KEY", pack_id="a" * 64)
UNSIGNED = Subject("id-1", pack_id="a" * 64)
OWN = Subject("id-1")
FETCH = Grant("web", parse_capability("net.fetch a.org"))
READ = Grant("files", parse_capability("fs.read"))
CLOCK = Grant("clock")
REQUESTS = parse_requests([("web", ["net.fetch a.org"]), ("files", ["fs.read"]), ("clock", [])])


@pytest.fixture
def file(tmp_path):
    return GrantsFile(tmp_path / "settings")


def remember(file, *powers, choice=Choice.ALWAYS, subject=SIGNED, requests=REQUESTS):
    file.answered(subject, "Tutor", requests, powers, choice)


def test_without_a_file_nothing_is_granted_and_none_is_made(file):
    found = file.load(SIGNED, REQUESTS)

    assert found.grants == Grants()
    assert not found.widened
    assert not file.path.exists()
    assert file.everything() == {}


def test_always_and_never_come_back_and_are_the_owners_alone(file):
    remember(file, FETCH, CLOCK)
    remember(file, READ, choice=Choice.NEVER)

    found = file.load(SIGNED, REQUESTS)
    assert found.grants == Grants(allowed=frozenset({FETCH, CLOCK}), never=frozenset({READ}))
    assert not found.widened
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    kept = file.everything()["signed id-1 KEY"]
    assert kept.name == "Tutor"
    assert kept.always == (KeptPower("clock"), KeptPower("web", "net.fetch https://a.org"))


@pytest.mark.parametrize("choice", [Choice.ONCE, Choice.CHAT])
def test_once_and_this_chat_are_kept_nowhere(file, choice):
    remember(file, FETCH, choice=choice)

    assert not file.path.exists()


def test_the_later_always_takes_back_a_never_and_a_never_stands_beside_an_always(file):
    remember(file, FETCH, choice=Choice.NEVER)
    remember(file, FETCH)
    assert file.load(SIGNED, REQUESTS).grants == Grants(allowed=frozenset({FETCH}))
    remember(file, FETCH, choice=Choice.NEVER)
    found = file.load(SIGNED, REQUESTS).grants
    assert found.never == {FETCH}
    assert found.forbidding("web", [FETCH.capability]) == FETCH


@pytest.mark.parametrize(
    "other",
    [
        replace(SIGNED, author_key="OTHER"),
        replace(SIGNED, assistant_id="id-2"),
        UNSIGNED,
        OWN,
    ],
)
def test_another_key_assistant_or_unsigned_file_is_asked_about_anew(file, other):
    remember(file, FETCH)

    assert file.load(other, REQUESTS).grants == Grants()


def test_a_signed_pack_keeps_its_answers_through_versions_and_an_unsigned_one_does_not(file):
    remember(file, FETCH)
    remember(file, FETCH, subject=UNSIGNED)

    assert file.load(replace(SIGNED, pack_id="b" * 64), REQUESTS).grants.allowed == {FETCH}
    assert file.load(UNSIGNED, REQUESTS).grants.allowed == {FETCH}
    assert file.load(replace(UNSIGNED, pack_id="b" * 64), REQUESTS).grants == Grants()


@pytest.mark.parametrize(
    ("lines", "widened"),
    [
        ([("web", ["net.fetch"]), ("files", ["fs.read"]), ("clock", [])], KeptPower("web", "net.fetch")),
        ([("web", ["net.fetch a.org", "net.fetch b.org"])], KeptPower("web", "net.fetch https://b.org")),
        ([("mail", [])], KeptPower("mail")),
        ([("clock", ["net.fetch a.org"])], KeptPower("clock", "net.fetch https://a.org")),
    ],
)
def test_a_wider_set_is_asked_about_again_and_meanwhile_only_never_counts(file, lines, widened):
    remember(file, FETCH)
    remember(file, READ, choice=Choice.NEVER)

    found = file.load(SIGNED, parse_requests(lines))

    assert found.widened == {widened}
    assert found.grants == Grants(never=frozenset({READ}))


@pytest.mark.parametrize(
    "lines",
    [
        [("web", ["net.fetch a.org"])],
        [("files", ["fs.read notes"]), ("web", [])],
        [],
    ],
)
def test_a_narrower_set_is_not_asked_about(file, lines):
    remember(file, FETCH)

    found = file.load(SIGNED, parse_requests(lines))
    assert not found.widened
    assert found.grants.allowed == {FETCH}


def test_an_answer_to_the_wider_set_does_not_bring_the_old_ones_back(file):
    remember(file, FETCH, CLOCK)
    wider = parse_requests([*(("web", ["net.fetch"]), ("files", ["fs.read"]), ("clock", []))])
    remember(file, READ, requests=wider)

    found = file.load(SIGNED, wider)
    assert not found.widened
    assert found.grants.allowed == {READ}


def test_standing_approvals_are_for_one_pack_id(file):
    call = Call("web", {"url": "x"})
    approval = make_standing_approval(name="daily", pack_id=SIGNED.pack_id, call=call, until=9, now=0)
    later = make_standing_approval(name="daily", pack_id=SIGNED.pack_id, call=call, until=99, now=0)
    remember(file, FETCH)
    file.approve_standing(SIGNED, "Tutor", REQUESTS, approval)
    file.approve_standing(SIGNED, "Tutor", REQUESTS, later)

    assert file.load(SIGNED, REQUESTS).grants.standing == (later,)
    assert file.load(SIGNED, REQUESTS).grants.allowed == {FETCH}
    assert file.load(replace(SIGNED, pack_id="b" * 64), REQUESTS).grants.standing == ()
    remember(file, READ)
    assert file.load(SIGNED, REQUESTS).grants.standing == (later,)


def test_answers_can_be_taken_back_one_by_one_or_all(file):
    key = SIGNED.key
    remember(file, FETCH, CLOCK)
    remember(file, READ, choice=Choice.NEVER)
    approval = make_standing_approval(name="daily", pack_id=SIGNED.pack_id, call=Call("web", {}), until=9, now=0)
    file.approve_standing(SIGNED, "Tutor", REQUESTS, approval)

    assert file.revoke(key, power=KeptPower("clock"))
    assert not file.revoke(key, power=KeptPower("clock"))
    assert file.revoke(key, power=KeptPower("files", "fs.read"))
    assert file.revoke(key, standing="daily")
    assert not file.revoke(key, standing="daily")
    assert file.load(SIGNED, REQUESTS).grants == Grants(allowed=frozenset({FETCH}))
    assert not file.revoke("signed nobody X")
    assert file.revoke(key)
    assert file.everything() == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "truncated"),
        (b"[]", "expected `object`"),
        (b'{"format": 2, "assistants": {}}', "invalid enum|expected"),
        (b'{"format": 1, "more": 1}', "unknown field"),
        (b'{"assistants": {"x": {"name": "y", "always": [{"tool": "t", "capability": "root"}]}}}', "no capability"),
        (b"\xff\xfe", "malformed|invalid|utf"),
        (b" " * ((16 << 20) + 1), "larger"),
    ],
)
def test_a_damaged_file_grants_nothing_and_says_so(file, content, reason):
    file.path.parent.mkdir()
    file.path.write_bytes(content)

    for use in (lambda: file.load(SIGNED, REQUESTS), file.everything, lambda: remember(file, FETCH)):
        with pytest.raises(GrantsError, match=f"(?i){reason}") as caught:
            use()
        assert str(file.path) in caught.value.message
        assert caught.value.exit_code == 53
    assert file.path.read_bytes() == content


def test_a_folder_in_its_place_is_said(file):
    file.path.mkdir(parents=True)

    with pytest.raises(GrantsError, match="directory"):
        file.everything()


def test_the_file_can_be_read_by_people(file):
    remember(file, FETCH)

    text = file.path.read_text()
    assert text.count("\n") > 5
    assert json.loads(text)["format"] == 1


def test_a_standing_approval_alone_counts_and_brings_no_older_answers_back(file):
    approval = make_standing_approval(name="daily", pack_id=SIGNED.pack_id, call=Call("web", {}), until=9, now=0)
    file.approve_standing(SIGNED, "Tutor", REQUESTS, approval)
    assert file.load(SIGNED, REQUESTS).grants == Grants(standing=(approval,))

    remember(file, FETCH)
    wider = parse_requests([*(("web", ["net.fetch"]), ("files", ["fs.read"]), ("clock", []))])
    file.approve_standing(SIGNED, "Tutor", wider, approval)
    assert file.load(SIGNED, wider).grants == Grants(standing=(approval,))
