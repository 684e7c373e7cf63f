"""Nothing beyond an array is read: its last byte lies before a page that may not be touched.

The address sanitizer cannot see masked vector loads; the processor can. In a child, because the failure is SIGSEGV.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers.kernel_inputs import native_backends

CHILD = """
import ctypes, dataclasses, mmap, sys
import numpy as np
from helpers.kernel_inputs import make_postings, make_rows
from satchel.kernels import ops

libc = ctypes.CDLL(None, use_errno=True)
kept = []

def fenced(array):
    size = -(-array.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    pages = mmap.mmap(-1, size + mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    assert libc.mprotect(ctypes.c_void_p(start + size), mmap.PAGESIZE, 0) == 0
    kept.append(pages)
    moved = np.frombuffer(pages, np.uint8, array.nbytes, size - array.nbytes).view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved

backend = sys.argv[1]
for count in (1, 7, 8, 9, 16, 17, 33):
    allowed = fenced(np.full(-(-count // 8), 255, np.uint8))
    for dimension in (1, 7, 15, 17, 31, 33, 63, 65, 129, 384):
        rows = fenced(make_rows(count, dimension))
        queries = fenced(make_rows(3, dimension, seed=1))
        planes = ops.quantise(rows, backend=backend)
        planes = ops.QuantisedRows(fenced(planes.high), fenced(planes.low), fenced(planes.scale))
        bits = ops.derive_bits(planes.high, planes.low, planes.scale, backend=backend)
        bits = ops.BitRows(fenced(bits.bits), fenced(bits.factors), fenced(bits.centre))
        for filtered in (None, allowed):
            ops.search(planes, queries, 5, allowed=filtered, backend=backend)
            ops.search(dataclasses.replace(planes, bits=bits), queries, 5, allowed=filtered, backend=backend)
for passages in (1, 17, 8192, 8200):
    sound = make_postings(passages, 12)
    postings = ops.Postings(
        fenced(sound.offsets), fenced(sound.passages), fenced(sound.counts), fenced(sound.lengths)
    )
    ops.bm25_topk(postings, [0, 1, 5, 11], 10, backend=backend)
print("sound")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mprotect through libc")
@pytest.mark.parametrize("backend", native_backends())
def test_nothing_is_read_past_the_arrays_ends(backend: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CHILD, backend]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout.strip()) == (0, "sound"), done.stderr
