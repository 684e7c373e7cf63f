"""Whole characters, and stop strings across the borders of tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.engine.base import TokenPiece
from satchel.runtime.engine.text_stream import SampledToken, TextStream


def _run(pieces: list[bytes], stops: tuple[str, ...] = ()) -> tuple[list[TokenPiece], bool]:
    stream = TextStream(stops)
    out: list[TokenPiece] = []
    for number, piece in enumerate(pieces):
        out += stream.push(SampledToken(number, piece, -0.1 * number, ()))
        if stream.stopped:
            break
    return out + stream.finish(), stream.stopped


def _text(pieces: list[TokenPiece]) -> str:
    return "".join(piece.text for piece in pieces)


def test_a_character_in_three_tokens_comes_whole_with_the_last_one() -> None:
    moon = "🌙".encode()
    pieces, _ = _run([b"a", moon[:1], moon[1:3], moon[3:], b"b"])
    assert [piece.text for piece in pieces] == ["a", "", "", "🌙", "b"]
    assert [piece.token_id for piece in pieces] == [0, 1, 2, 3, 4]


def test_broken_bytes_are_shown_as_replacement_characters_but_a_character_only_begun_is_no_text() -> None:
    assert _text(_run([b"\xff", b"a", b"\xe2\x82"])[0]) == "\ufffda"
    assert _text(_run([b"\xff", b"a", b"\xe2\x82"], ("STOP",))[0]) == "\ufffda"


def test_every_token_without_stops_comes_at_once() -> None:
    stream = TextStream()
    assert [p.text for p in stream.push(SampledToken(1, b"x", 0.0, ()))] == ["x"]


def test_a_stop_across_tokens_ends_the_text_before_it() -> None:
    pieces, stopped = _run([b"The tide", b" ris", b"es.\n", b"\nUs", b"er: hi", b"more"], ("\n\nUser:",))
    assert stopped
    assert _text(pieces) == "The tide rises."
    assert [piece.token_id for piece in pieces] == [0, 1, 2]


def test_what_only_begins_like_a_stop_comes_after_all() -> None:
    stream = TextStream(("STOP",))
    first = stream.push(SampledToken(0, b"go ST", 0.0, ()))
    assert first == []
    second = stream.push(SampledToken(1, b"EP", 0.0, ()))
    assert [piece.text for piece in second] == ["go ST", "EP"]


def test_what_waits_for_a_stop_comes_at_the_end() -> None:
    assert _text(_run([b"a", b"ST"], ("STOP",))[0]) == "aST"


def test_the_first_of_several_stops_counts() -> None:
    pieces, stopped = _run([b"one two three"], ("three", "two"))
    assert (stopped, _text(pieces)) == (True, "one ")


@given(
    st.text(alphabet="ab\n🌙é", max_size=30),
    st.lists(st.text(alphabet="ab\n🌙", min_size=1, max_size=3), max_size=3),
    st.lists(st.integers(1, 5), min_size=1, max_size=60),
)
def test_the_text_is_everything_before_the_first_stop_however_it_is_cut(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    encoded, pieces, at = text.encode(), [], 0
    for size in cuts:
        pieces.append(encoded[at : at + size])
        at += size
    pieces.append(encoded[at:])
    out, stopped = _run(pieces, tuple(stops))
    ends = [text.find(stop) for stop in stops if stop in text]
    # Stops are looked for as tokens come: of two that overlap, the one that is complete first.
    completed = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    assert stopped == bool(ends)
    if not ends:
        assert _text(out) == text
    else:
        assert _text(out) in {text[:start] for _, start in completed}
    assert len({piece.token_id for piece in out}) == len(out)
