"""Log probabilities of one position, from the raw logits of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEAR = 12.0
"""Logits this far below the best hold less than 1e-5 of its probability: the likeliest few are always nearer."""


def log_probabilities(
    logits: NDArray[np.float32], token: int, alternatives: int
) -> tuple[float, list[tuple[int, float]]]:
    """Return the log probability of `token`, and of the likeliest `alternatives` tokens, falling, as (token, value).

    `logits` is float32 [vocabulary]. Equal logits are ordered by token. About 60 µs for 49,152 tokens.
    """
    best = logits.max()
    normaliser = float(best) + float(np.log(np.exp(logits - best).sum(dtype=np.float64)))
    chosen = float(logits[token]) - normaliser
    if not alternatives:
        return chosen, []
    near: NDArray[Any] = np.flatnonzero(logits >= best - _NEAR)
    if len(near) < min(alternatives, len(logits)):
        near = np.argpartition(-logits, min(alternatives, len(logits)) - 1)[:alternatives]
        near.sort()
    order = near[np.argsort(-logits[near], kind="stable")[:alternatives]]
    return chosen, [(int(other), float(logits[other]) - normaliser) for other in order]
