from __future__ import annotations

import numpy as np
import pytest

from satchel.runtime.knowledge.reader.calibration import Calibration, any_answers, evidence, right, sigmoid
from satchel.runtime.knowledge.reader.spans import RawSpan

CALIBRATION = Calibration(answers=(0.5, 0.25, -1.0), any_answers=(1.0, 1.0, -1.0, 0.0), right=(0.5, 1.0, 1.0, 0.2))


def span(margin: float, *, sharpness: float = -0.1, answerable: float = 0.0) -> RawSpan:
    return RawSpan(0, 4, margin, sharpness, answerable)


def test_evidence_is_the_weighted_sum_of_margin_and_head():
    assert evidence(CALIBRATION, [span(4.0, answerable=2.0)]) == pytest.approx([1.5])


def test_no_passage_answers_nothing():
    assert any_answers(CALIBRATION, np.array([])) == 0.0


def test_one_sure_passage_among_weak_ones_keeps_the_set_answered():
    assert any_answers(CALIBRATION, np.array([6.0, -4.0, -4.0])) > 0.9
    assert any_answers(CALIBRATION, np.array([-4.0, -4.0, -4.0])) < 0.1


def test_a_sharper_span_with_more_evidence_is_more_likely_right():
    spans = [span(8.0), span(2.0, sharpness=-2.0)]
    first, second = right(CALIBRATION, spans, evidence(CALIBRATION, spans))
    assert first > second


def test_the_logistic_function_neither_overflows_nor_warns():
    assert sigmoid(np.array([-1e5, 0.0, 1e5])) == pytest.approx([0.0, 0.5, 1.0])
