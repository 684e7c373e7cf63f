"""An assistant and its manifest say the same."""

from __future__ import annotations

import pytest
from helpers.assistants import ASSISTANTS
from helpers.project_folders import ASSISTANT_ID
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.packfile import canonical
from satchel.runtime.packfile.documents import decode_manifest
from satchel.runtime.project.schema import Assistant, Tool
from satchel.runtime.project.sealing import decimal, seal, unseal


@given(ASSISTANTS)
def test_every_assistant_that_loads_can_be_sealed_and_comes_back(assistant):
    manifest = seal(assistant, examples=32, embedder=None, analyser=None)

    read = decode_manifest(canonical.encode(manifest))

    assert read == manifest
    assert unseal(read, knowledge=assistant.knowledge) == assistant


def test_no_more_examples_are_promised_than_there_are():
    assistant = Assistant(id=ASSISTANT_ID, name="x", examples=4)

    assert seal(assistant, examples=2, embedder=None, analyser=None).examples == 2


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (-0.0, "0"), (1.0, "1"), (0.2, "0.2"), (1e-6, "0.000001"), (5, "5"), (10.0, "10")]
)
def test_a_number_has_one_spelling(value, text):
    assert decimal(value) == text


@given(st.floats(0, 5))
def test_a_number_comes_back_to_six_places(value):
    assert float(decimal(value)) == pytest.approx(value, abs=5.1e-7)


def test_the_order_of_tools_in_the_file_does_not_change_the_manifest():
    one = Assistant(id=ASSISTANT_ID, name="x", tools={"a": Tool(), "b": Tool()})
    other = Assistant(id=ASSISTANT_ID, name="x", tools={"b": Tool(), "a": Tool()})

    assert seal(one, examples=0, embedder=None, analyser=None) == seal(other, examples=0, embedder=None, analyser=None)
