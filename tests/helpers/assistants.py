"""Hypothesis strategies for whole assistants, as anybody may have written them down."""

from __future__ import annotations

from helpers.project_folders import ASSISTANT_ID
from hypothesis import strategies as st

from satchel.runtime.project.schema import Adapter, Assistant, Knowledge, ModelPreference, Retrieval, Sampling, Tool

LINE = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), max_size=20)
LINES = LINE | st.just("one\ntwo\t\n")
SETTING = LINE | st.integers(-(2**53), 2**53) | st.booleans() | st.lists(LINE, max_size=2)
TEMPERATURES = st.floats(0, 5).map(lambda value: round(value, 6))
TOOLS = st.builds(
    Tool, settings=st.dictionaries(LINE.filter(bool), SETTING, max_size=2), requests=st.lists(LINE, max_size=2)
)
ASSISTANTS = st.builds(
    Assistant,
    id=st.just(ASSISTANT_ID),
    name=LINE.filter(bool),
    author=LINE,
    description=LINES,
    greeting=LINES,
    starters=st.lists(LINE, max_size=3),
    examples=st.integers(0, 32),
    retrieval=st.builds(Retrieval, k=st.integers(1, 100), gate=st.sampled_from(["auto", "off", 0.0, 0.5, 1.0])),
    sampling=st.builds(
        Sampling,
        temperature=TEMPERATURES,
        seed=st.none() | st.integers(0, 2**32 - 1),
    ),
    knowledge=st.builds(
        Knowledge,
        links=st.lists(LINE.filter(bool), max_size=2),
        trusted=st.booleans() | st.lists(LINE, max_size=2),
        embedder=LINE,
    ),
    models=st.lists(st.builds(ModelPreference, name=LINE, family=LINE), max_size=2),
    adapter=st.none() | st.builds(Adapter, sha256=st.just("a" * 64), source=LINE),
    tools=st.dictionaries(
        LINE.filter(bool),
        TOOLS,
        max_size=2,
    ),
)
