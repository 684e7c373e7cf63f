"""Log probabilities from llama-cpp-python's own high-level class, in a process of its own.

In this one its import would take llama.cpp's only logger away from the engine under test.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from helpers.python_processes import run_python
from numpy.typing import NDArray

_CODE = """
import json, sys
from llama_cpp import Llama
given = json.loads(sys.argv[1])
prompt, answer = given["prompt"], given["answer"]
batch = given["batch"]
llama = Llama(given["path"], n_ctx=given["context"], n_batch=batch, n_ubatch=batch, n_threads=2, n_threads_batch=2,
              logits_all=True, flash_attn=False, verbose=False)
llama.eval(prompt)
for token in answer[:-1]:
    llama.eval([token])
llama.scores[len(prompt) - 1 : len(prompt) - 1 + len(answer)].astype("float32").tofile(given["out"])
"""


def reference_logprobs(
    path: Path, prompt: Sequence[int], answer: Sequence[int], out: Path, *, context: int, batch: int
) -> NDArray[np.float64]:
    """Return log softmax of the logits before each token of an answer: float64 [len(answer), vocabulary]."""
    given = {"path": str(path), "prompt": list(prompt), "answer": list(answer), "out": str(out)}
    done = run_python(_CODE, json.dumps({**given, "context": context, "batch": batch}))
    assert done.returncode == 0, done.stderr
    logits = np.fromfile(out, np.float32).reshape(len(answer), -1).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
