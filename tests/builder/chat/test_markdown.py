from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.builder.chat.highlighting import spans
from satchel.builder.chat.markdown import Block, split_blocks, with_marks

ANSWER = """\
A craft needs this:

```python
def f():
    return 1
```

| a | b |
|---|---|
| 1 | 2 |

The end."""


def test_prose_code_and_tables_are_pieces_of_their_own():
    assert split_blocks(ANSWER) == [
        Block("prose", "A craft needs this:"),
        Block("code", "def f():\n    return 1", "python"),
        Block("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        Block("prose", "The end."),
    ]


def test_code_that_is_still_arriving_is_code_already():
    assert split_blocks("So:\n```js\nlet a") == [Block("prose", "So:"), Block("code", "let a", "js")]
    assert split_blocks("```") == [Block("code", "")]


def test_a_fence_ends_at_one_of_its_own_kind_and_length():
    assert split_blocks("````md\n```\nx\n```\n````") == [Block("code", "```\nx\n```", "md")]
    assert split_blocks("~~~\na\n```\n~~~") == [Block("code", "a\n```")]


def test_a_line_with_a_bar_is_no_table():
    assert split_blocks("a | b\nc | d") == [Block("prose", "a | b\nc | d")]


@given(st.text(alphabet="`~| -a\n", max_size=60))
def test_no_text_is_too_odd_and_each_beginning_of_one_can_be_shown(text):
    for end in range(len(text)):
        for block in split_blocks(text[:end]):
            assert block.kind in {"prose", "code", "table"}


def test_marks_of_sources_become_links_and_others_stay():
    linked = with_marks("Eleven [1], see [1, 2] and [7].", {1, 2})
    assert linked.count("(source:1)") == 2
    assert linked.count("(source:2)") == 1
    assert "[7]" in linked


def test_marks_in_code_and_links_stay_as_they_are():
    assert with_marks("`a[1]` and [1](https://example.org)", {1}) == "`a[1]` and [1](https://example.org)"


def test_pictures_become_links_that_say_what_they_are():
    assert with_marks("![a chart](https://example.org/c.png)", ()) == "[a chart](https://example.org/c.png)"
    assert with_marks("![](file:///etc/passwd)", ()) == "[file:///etc/passwd](file:///etc/passwd)"


@pytest.mark.parametrize(
    ("line", "language", "found"),
    [
        ('return "a"  # why', "python", [("return", "keyword"), ('"a"', "text"), ("# why", "comment")]),
        ("let x = 0x1f; // hex", "js", [("let", "keyword"), ("0x1f", "number"), ("// hex", "comment")]),
        ("SELECT 1 -- all", "sql", [("SELECT", "keyword"), ("1", "number"), ("-- all", "comment")]),
        ('"not ended', "c", [('"not ended', "text")]),
        ("return 1", "text", []),
    ],
)
def test_colours_of_code(line, language, found):
    assert [(line[start : start + length], kind) for start, length, kind in spans(line, language)] == found
