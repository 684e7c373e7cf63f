"""One file from a hub-shaped server: whole, resumed, changed meanwhile, wrong, gated, cut off, on a full disk."""

from __future__ import annotations

import errno
import hashlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.local_hub import REPOSITORY, LocalHub

from satchel.runtime.errors import CancelledError
from satchel.runtime.models import partial
from satchel.runtime.models.download import Fetched, fetch, require_space
from satchel.runtime.models.errors import (
    ChecksumMismatchError,
    GatedModelError,
    HubFailedError,
    HubUnreachableError,
    InterruptedDownloadError,
    NotEnoughSpaceError,
    NotOnHubError,
)
from satchel.runtime.models.hub import HubReference, RemoteFile, look_up
from satchel.runtime.models.transfer import Endpoint

NAME = "tiny-Q8_0.gguf"
CONTENT = random.Random(4).randbytes(3_000_001)


@pytest.fixture
def destination(tmp_path) -> Path:
    return tmp_path / "maker" / NAME


@pytest.fixture
def file(hub, endpoint) -> RemoteFile:
    hub.add(NAME, CONTENT)
    (found,) = look_up(HubReference(REPOSITORY, NAME), [endpoint]).files
    return found


@pytest.fixture
def pull(destination, endpoint) -> Callable[..., Fetched]:
    """Return what fetches without waiting between attempts, and notes what a person is told."""

    def run(file: RemoteFile, *endpoints: Endpoint, notes: list[str] | None = None, **options) -> Fetched:
        told = [] if notes is None else notes
        return fetch(
            file, destination, endpoints or (endpoint,), note=told.append, **{"pause": lambda _: None, **options}
        )

    return run


def parts_of(hub: LocalHub) -> list[str]:
    return [asked.headers.get("Range", "whole") for asked in hub.asked if asked.server == "cdn"]


def leave_partial(hub: LocalHub, pull, file: RemoteFile, count: int) -> None:
    """Break a download off after `count` bytes, for good."""
    hub.rules.cut_after = [count, 0, 0, 0]
    with pytest.raises(InterruptedDownloadError):
        pull(file)
    hub.rules.cut_after = []
    hub.asked.clear()


def test_a_file_comes_whole_through_the_redirect_and_leaves_nothing_beside_it(file, pull, destination, hub):
    fetched = pull(file)

    assert destination.read_bytes() == CONTENT
    assert fetched == Fetched(destination, hub.url.removeprefix("http://"), 0)
    assert [path.name for path in destination.parent.iterdir()] == [NAME]
    assert hub.paths("hub")[-1] == f"/{REPOSITORY}/resolve/{hub.commit()}/{NAME}"


def test_progress_tells_mebibytes_of_the_whole(file, pull):
    told = []
    pull(file, progress=lambda *step: told.append(step))

    assert told[0] == (f"pulling {NAME}, MiB", 0, 2)
    assert told[-1] == (f"pulling {NAME}, MiB", 2, 2)


def test_a_connection_that_breaks_off_is_taken_up_where_it_ended(file, pull, destination, hub):
    hub.rules.cut_after = [1_000_000, 500_000]
    pull(file)

    assert destination.read_bytes() == CONTENT
    assert parts_of(hub) == ["whole", "bytes=1000000-", "bytes=1500000-"]


def test_what_an_interrupted_run_left_is_kept_told_and_gone_on_from(file, pull, destination, hub):
    hub.rules.cut_after = [1_234_567, 0, 0, 0]
    with pytest.raises(InterruptedDownloadError, match=r"broke off after 1\.18 MiB of 2\.86 MiB") as caught:
        pull(file)

    assert caught.value.advice == "Run the command again: it goes on from there."
    assert not destination.exists()
    hub.rules.cut_after = []
    hub.asked.clear()
    told = []
    fetched = pull(file, progress=lambda *step: told.append(step))

    assert fetched.resumed_from == 1_234_567
    assert parts_of(hub) == ["bytes=1234567-"]
    assert destination.read_bytes() == CONTENT
    assert told[0][0] == f"checking what came of {NAME}, MiB"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, CancelledError])
def test_a_person_who_cancels_keeps_what_came(file, pull, destination, stop):
    def cancel(_stage: str, done: int, _total: int | None) -> None:
        if done:
            raise stop

    with pytest.raises(stop):
        pull(file, progress=cancel)
    left = destination.with_name(NAME + ".partial").read_bytes()

    assert 0 < len(left) < len(CONTENT)
    assert CONTENT.startswith(left)
    assert pull(file).resumed_from == len(left)
    assert destination.read_bytes() == CONTENT


def test_the_version_of_the_partial_bytes_is_named_to_the_server(file, pull, hub):
    leave_partial(hub, pull, file, 1000)
    pull(file)

    (asked,) = [asked for asked in hub.asked if asked.server == "cdn"]
    assert asked.headers["If-Range"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'


def test_a_server_with_another_version_by_now_sends_all_again(file, pull, destination, hub):
    leave_partial(hub, pull, file, 1000)
    hub.rules.etag = '"another"'
    notes: list[str] = []
    pull(file, notes=notes)

    assert destination.read_bytes() == CONTENT
    assert "from its beginning again" in notes[0]


def test_a_weak_version_is_not_asked_for(file, pull, hub, destination):
    hub.rules.etag = 'W/"weak"'
    leave_partial(hub, pull, file, 1000)
    pull(file)

    assert "If-Range" not in hub.asked[-1].headers
    assert destination.read_bytes() == CONTENT


def test_a_file_that_changed_on_the_hub_is_begun_again(file, pull, destination, hub, endpoint):
    leave_partial(hub, pull, file, 1_000_000)
    hub.add(NAME, CONTENT[::-1])
    (changed,) = look_up(HubReference(REPOSITORY, NAME), [endpoint]).files
    notes: list[str] = []
    fetched = pull(changed, notes=notes)

    assert destination.read_bytes() == CONTENT[::-1]
    assert fetched.resumed_from == 0
    assert notes == [f"{NAME} has changed on the hub since its download began: it begins again."]


def test_a_file_that_changes_between_asking_and_fetching_is_not_there_any_more(file, pull, hub):
    hub.add(NAME, b"another")

    with pytest.raises(NotOnHubError, match="such file in maker/Tiny-GGUF"):
        pull(file)


@pytest.mark.parametrize("damage", ["none", "longer", "no state", "broken state", "no partial"])
def test_odd_remains_cost_time_and_never_the_file(file, pull, destination, hub, damage):
    leave_partial(hub, pull, file, 1000)
    left, state = destination.with_name(NAME + ".partial"), destination.with_name(NAME + ".partial.json")
    match damage:
        case "longer":
            left.write_bytes(CONTENT + b"more")
        case "no state":
            state.unlink()
        case "broken state":
            state.write_bytes(b'{"size": -1}')
        case "no partial":
            left.unlink()
    fetched = pull(file)

    assert destination.read_bytes() == CONTENT
    assert fetched.resumed_from == (1000 if damage == "none" else 0)


def test_a_partial_that_is_whole_needs_no_more_bytes(file, pull, destination, hub):
    leave_partial(hub, pull, file, 1000)
    destination.with_name(NAME + ".partial").write_bytes(CONTENT)
    pull(file)

    assert destination.read_bytes() == CONTENT
    assert parts_of(hub) == []


def test_a_server_without_ranges_sends_all_again(file, pull, destination, hub):
    leave_partial(hub, pull, file, 1000)
    hub.rules.ignores_ranges = True
    notes: list[str] = []
    pull(file, notes=notes)

    assert destination.read_bytes() == CONTENT
    assert len(notes) == 1


def test_a_wrong_part_is_never_put_behind_a_right_one(file, pull, destination, hub):
    leave_partial(hub, pull, file, 1000)
    hub.rules.wrong_range = True
    pull(file)

    assert destination.read_bytes() == CONTENT
    assert parts_of(hub) == ["bytes=1000-", "whole"]


def test_wrong_bytes_are_thrown_away_with_both_hashes(file, pull, destination, hub):
    hub.rules.corrupts = True
    with pytest.raises(ChecksumMismatchError, match=f"SHA-256 [0-9a-f]{{64}}, not {file.sha256}") as caught:
        pull(file)

    assert "name another in `hub_endpoints`" in caught.value.advice
    assert list(destination.parent.iterdir()) == []


@pytest.mark.parametrize(("length", "told"), [(12, "it sends 12 bytes as"), (3_000_002, "it sends 3000002 bytes as")])
def test_a_page_in_the_files_place_is_told_by_its_length(file, pull, hub, length, told):
    hub.rules.length = length

    with pytest.raises(HubFailedError, match=told):
        pull(file)


def test_the_token_reaches_the_hub_and_not_the_cdn(file, pull, destination, hub):
    hub.rules.token = "hf_secret"
    pull(file, Endpoint(hub.url, "hf_secret"))

    assert destination.read_bytes() == CONTENT
    assert [asked.headers.get("Authorization") for asked in hub.asked[-2:]] == ["Bearer hf_secret", None]


def test_a_gated_file_says_where_its_terms_are(file, pull, hub):
    hub.rules.token = "hf_secret"

    with pytest.raises(GatedModelError, match=r"only to those who accepted its terms \(401\)") as caught:
        pull(file)

    assert caught.value.advice.startswith(f"Open {hub.url}/maker/Tiny-GGUF, accept the terms there")
    assert "HF_TOKEN" in caught.value.advice
    assert caught.value.exit_code == 67


@pytest.mark.parametrize("redirect", ["file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:x"])
def test_a_redirect_out_of_http_is_refused(file, pull, hub, redirect):
    hub.rules.redirect = redirect

    with pytest.raises(HubFailedError, match=r"it redirects .*(none of HTTP|not safe)"):
        pull(file)


def test_a_redirect_in_a_circle_ends(file, pull, hub):
    hub.rules.redirect = f"/{REPOSITORY}/resolve/{file.commit}/{NAME}"

    with pytest.raises(HubFailedError, match="redirects in a circle"):
        pull(file)


def test_a_mirror_goes_on_when_the_hub_breaks_off(file, pull, destination, hub, mirror):
    mirror.add(NAME, CONTENT)
    hub.rules.cut_after = [1000]
    fetched = pull(file, Endpoint(hub.url), Endpoint(mirror.url))

    assert destination.read_bytes() == CONTENT
    assert fetched.endpoint == mirror.url.removeprefix("http://")
    assert parts_of(mirror) == ["bytes=1000-"]
    assert "If-Range" not in mirror.asked[-1].headers


@pytest.mark.parametrize("error", [(500, ""), (429, ""), (404, "EntryNotFound")])
def test_a_mirror_helps_where_the_hub_fails(file, pull, hub, mirror, error):
    mirror.add(NAME, CONTENT)
    hub.rules.file_error = error
    fetched = pull(file, Endpoint(hub.url), Endpoint(mirror.url))

    assert fetched.path.read_bytes() == CONTENT


def test_two_servers_that_lose_what_the_other_brings_are_given_up(file, pull, hub, mirror):
    mirror.add(NAME, CONTENT)
    mirror.rules.ignores_ranges = True
    hub.rules.cut_after, mirror.rules.cut_after = [1000] * 50, [500] * 50

    with pytest.raises(InterruptedDownloadError):
        pull(file, Endpoint(hub.url), Endpoint(mirror.url))
    assert len(parts_of(hub)) + len(parts_of(mirror)) < 12


def test_a_hub_that_fails_for_good_is_told_with_its_status(file, pull, hub):
    hub.rules.file_error = (503, "")
    waited: list[float] = []
    with pytest.raises(HubFailedError, match="it answered with the status 503"):
        pull(file, pause=waited.append)

    assert waited == [1.0, 2.0]


def test_without_a_network_the_address_is_told(file, pull):
    with pytest.raises(HubUnreachableError, match=r"127\.0\.0\.1:9 cannot be reached: it refuses the connection"):
        pull(file, Endpoint("http://127.0.0.1:9"))


def test_a_disk_that_is_too_full_is_known_before_the_first_byte(tmp_path):
    free = shutil.disk_usage(tmp_path).free

    with pytest.raises(NotEnoughSpaceError, match=r"free, and x\.gguf needs .* more") as caught:
        require_space(tmp_path / "not/there/yet", free, "x.gguf")

    assert "SATCHEL_HOME" in caught.value.advice
    require_space(tmp_path, 0, "x.gguf")


def test_a_disk_that_fills_up_meanwhile_keeps_what_came(file, pull, destination, monkeypatch):
    class FullDisk:
        """A real file on a disk with room for a megabyte: the one thing that no test can have for real."""

        def __init__(self, real) -> None:
            self._real = real

        def write(self, block: bytes) -> int:
            if self._real.tell() > 1 << 20:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._real.write(block)

        def __getattr__(self, name: str):
            return getattr(self._real, name)

    open_really = partial.PartialFile.open

    def open_full(self, progress) -> bool:
        kept = open_really(self, progress)
        self._file = FullDisk(self._file)
        return kept

    with monkeypatch.context() as patched:
        patched.setattr(partial.PartialFile, "open", open_full)
        with pytest.raises(NotEnoughSpaceError, match=NAME) as caught:
            pull(file)

    assert "what was already fetched is kept" in caught.value.advice
    assert pull(file).resumed_from > 1 << 20
    assert destination.read_bytes() == CONTENT
