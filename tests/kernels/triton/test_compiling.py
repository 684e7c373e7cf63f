"""What the interpreter does not see: that the kernels compile for GPUs, and that a program's memory is there.

Triton compiles without a GPU. In a child, because this process's kernels are decorated for the interpreter.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.python_processes import child_environment

# Not imported here: whoever imports it first in a process decides whether it compiles or interprets.
pytestmark = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed (Linux alone has wheels)")

MOST_SHARED = 99 * 1024
"""Bytes of shared memory that a program may have on every GPU from Ampere on (CUDA's guide, compute capabilities)."""

CHILD = """
import json, sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from satchel.kernels.triton import queries, ranking, rescore, scan_bits, scan_rows
from satchel.kernels.triton.launch import cut_tile

def shared_bytes(kernel, pointers, constants, fused):
    kinds = {name: "*" + kind for name, kind in pointers.items()}
    names = kernel.arg_names
    signature = {n: kinds.get(n, "constexpr" if n in constants else "i32") for n in names}
    source = ASTSource(
        kernel,
        signature,
        {(names.index(name),): value for name, value in constants.items()},
        {(i,): [["tt.divisibility", 16]] for i, name in enumerate(names) if name in kinds},
    )
    options = {"num_warps": 4, "enable_fp_fusion": fused}
    return triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32), options=options).metadata.shared

shared = {}
ROWS = dict(row_scales="fp32", scales="fp32", allowed="u8", keys="i64")
for kind, size, dimension, count, kept in json.loads(sys.argv[2]):
    rows = max(64, kept)
    tile = cut_tile(dimension, count, rows, bytes_a_step=128, item_size=size)
    constants = dict(dimension=dimension, step=tile.step, tile_rows=rows, tile_queries=tile.queries, kept=kept,
                     unrolled=tile.unrolled, filtered=True)
    pointers = dict(ROWS, rows=kind, levels=kind)
    shared[f"{kind} {constants}"] = shared_bytes(scan_rows.scan_rows, pointers, constants, True)
BITS = dict(bits="i64", factors="fp32", planes="i64", steps="fp32", offsets="fp32", allowed="u8", keys="i64")
for dimension, kept in ((33, 16), (384, 256)):
    constants = dict(dimension=dimension, words=-(-dimension // 64), tile_rows=256, kept=kept, filtered=True)
    shared[f"bits {constants}"] = shared_bytes(scan_bits.scan_bits, BITS, constants, False)
PLANES = dict(high="i8", low="i8", row_scales="fp32", queries="fp32", candidates="i64", keys="i64")
constants = dict(dimension=384, step=32, tile_rows=64, kept=16)
shared["rescore"] = shared_bytes(rescore.rescore, PLANES, constants, True)
RANKING = dict(keys="i64", scores="fp32", numbers="i64")
shared["finish"] = shared_bytes(ranking.finish, RANKING, dict(kept=16, parts_padded=1024), False)
CUT = dict(queries="fp32", scales="fp32")
shared["i8"] = shared_bytes(queries.cut_i8, dict(CUT, levels="i8"), dict(dimension=384, padded=512), False)
shared["f16"] = shared_bytes(queries.cut_f16, dict(CUT, levels="fp16"), dict(dimension=384, padded=512), False)
CUT = dict(queries="fp32", centre="fp32", planes="i64", steps="fp32", offsets="fp32")
shared["cut bits"] = shared_bytes(queries.cut_bits, CUT, dict(dimension=384, words=6, words_padded=8), False)
print(json.dumps(shared))
"""

SHAPES = {
    # Ampere and Hopper; rows' type and its bytes, dimension, queries, rows kept.
    80: [("i8", 1, 384, 1, 16), ("fp16", 2, 384, 64, 16)],
    90: [("fp16", 2, 1024, 1, 16), ("i8", 1, 1024, 64, 64), ("i8", 1, 33, 17, 256)],
}


@pytest.mark.parametrize("capability", SHAPES)
def test_every_kernel_compiles_and_fits_the_shared_memory(capability: int, tmp_path: Path) -> None:
    environment = child_environment({"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)})
    command = [sys.executable, "-c", CHILD, str(capability), json.dumps(SHAPES[capability])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert {kernel: size for kernel, size in json.loads(done.stdout).items() if size > MOST_SHARED} == {}
