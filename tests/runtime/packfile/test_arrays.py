from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy

from satchel.runtime.packfile import names
from satchel.runtime.packfile.arrays import ARRAY_TYPES, HEADER_BYTES, ArrayHeaderError, build_header, parse_shape

SHAPES = st.one_of(st.tuples(st.integers(0, 2**31)), st.tuples(st.integers(0, 2**31), st.integers(0, 16_384)))
DESCRS = st.sampled_from(sorted({array_type.descr for array_type in ARRAY_TYPES.values()}))


@given(DESCRS, SHAPES)
def test_our_header_is_the_one_that_numpy_writes(descr, shape):
    written = io.BytesIO()
    npy.write_array_header_1_0(written, {"descr": descr, "fortran_order": False, "shape": shape})
    assert build_header(descr, shape) == written.getvalue()


@given(DESCRS, SHAPES)
def test_numpy_reads_our_header(descr, shape):
    content = io.BytesIO(build_header(descr, shape))
    assert npy.read_magic(content) == (1, 0)
    assert npy.read_array_header_1_0(content) == (shape, False, np.dtype(descr))
    assert content.tell() == HEADER_BYTES


@pytest.mark.parametrize("name", ARRAY_TYPES)
def test_the_shape_of_each_array_is_read_back(name):
    array_type = ARRAY_TYPES[name]
    shape = (7,) if array_type.columns is None else (7, array_type.columns or 384)
    size = HEADER_BYTES + 7 * (shape[1] if len(shape) > 1 else 1) * array_type.item_bytes
    assert parse_shape(build_header(array_type.descr, shape), array_type, size) == shape


@pytest.mark.parametrize(
    ("header", "size", "reason"),
    [
        (build_header("<u4", (3, 5)), 128 + 3 * 5 * 4 - 1, "does not fit"),
        (build_header("<u4", (3, 4)), 128 + 3 * 4 * 4, "u4 [n, 5] is expected"),
        (build_header("<u8", (3, 5)), 128 + 3 * 5 * 8, "u4 [n, 5] is expected"),
        (build_header("<u4", (15,)), 128 + 15 * 4, "u4 [n, 5] is expected"),
        (build_header("<u4", (3, 5)).replace(b"False", b"True "), 188, "canonical"),
        (build_header("<u4", (3, 5)).replace(b"(3, 5)", b"(03,5)"), 188, "canonical"),
        (build_header("<u4", (3, 5)).replace(b" \n", b"\n\n"), 188, "canonical"),
        (build_header("<u4", (3, 5)).replace(b"\x01\x00", b"\x02\x00"), 188, "canonical"),
        (build_header("<u4", (3, 5))[:100], 100, "too short"),
        (bytes(128), 128, "canonical"),
    ],
)
def test_a_header_that_is_not_the_one_expected_is_refused(header, size, reason):
    with pytest.raises(ArrayHeaderError, match="(?i)" + reason.replace("[", r"\[")):
        parse_shape(header, ARRAY_TYPES[names.PASSAGES], size)
