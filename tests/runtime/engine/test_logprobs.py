"""Log probabilities against a reference in higher precision."""

from __future__ import annotations

import numpy as np
import pytest

from satchel.runtime.engine.logprobs import log_probabilities


def _reference(logits: np.ndarray) -> np.ndarray:
    exact = logits.astype(np.float64)
    return exact - exact.max() - np.log(np.exp(exact - exact.max()).sum())


@pytest.mark.parametrize("scale", [0.01, 1.0, 5.0, 30.0])
@pytest.mark.parametrize("size", [1, 7, 1000, 49_152])
def test_values_and_order_are_those_of_the_reference(scale: float, size: int) -> None:
    logits = (np.random.default_rng(size).normal(0, scale, size)).astype(np.float32)
    reference = _reference(logits)
    token = size // 2
    chosen, others = log_probabilities(logits, token, 5)
    assert chosen == pytest.approx(reference[token], abs=1e-4)
    best = np.argsort(-reference, kind="stable")[:5]
    assert [other for other, _ in others] == best.tolist()
    assert [value for _, value in others] == pytest.approx(reference[best], abs=1e-4)


def test_equal_logits_come_in_the_order_of_tokens() -> None:
    _, others = log_probabilities(np.zeros(100, np.float32), 3, 4)
    assert [token for token, _ in others] == [0, 1, 2, 3]
    assert others[0][1] == pytest.approx(-np.log(100), abs=1e-5)


def test_one_certain_token_leaves_the_others_in_order() -> None:
    logits = np.full(50, -30, np.float32)
    logits[[7, 9, 11]] = 100, -20, -25
    chosen, others = log_probabilities(logits, 9, 3)
    assert chosen == pytest.approx(-120, abs=1e-3)
    assert [token for token, _ in others] == [7, 9, 11]


def test_masked_tokens_and_no_alternatives_are_fine() -> None:
    logits = np.array([1.0, -np.inf, 0.5], np.float32)
    chosen, others = log_probabilities(logits, 1, 0)
    assert chosen == -np.inf
    assert others == []
    assert [token for token, _ in log_probabilities(logits, 0, 10)[1]] == [0, 2, 1]
