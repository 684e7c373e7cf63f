"""What goes over the pipes: any value comes back as it was, and bytes that are no frame never do."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.worker.frames import BrokenFrameError, read_frame, write_frame

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def framed(*values: object) -> bytes:
    pipe = io.BytesIO()
    for value in values:
        write_frame(pipe, value)
    return pipe.getvalue()


@given(st.lists(VALUES.filter(lambda value: value is not None), max_size=4))
def test_frames_come_back_as_they_were_until_the_pipe_ends(values):
    pipe = io.BytesIO(framed(*values))

    assert [read_frame(pipe) for _ in values] == values
    assert read_frame(pipe) is None


def test_a_pipe_that_ends_in_the_middle_of_a_frame_has_ended():
    whole = framed({"text": "half"})

    for length in range(len(whole)):
        assert read_frame(io.BytesIO(whole[:length])) is None


def test_an_absurd_length_is_refused_before_anything_is_read():
    pipe = io.BytesIO(struct.pack("<I", (1 << 30) + 1) + b"x" * 100)

    with pytest.raises(BrokenFrameError):
        read_frame(pipe)

    assert pipe.tell() == 4


@given(st.binary(max_size=64))
def test_random_bytes_are_a_value_an_end_or_a_broken_frame(content):
    pipe = io.BytesIO(content)
    try:
        while read_frame(pipe) is not None:
            pass
    except BrokenFrameError:
        pass

    assert pipe.tell() <= len(content)
