"""Write `runtime/knowledge/embedders/wordpiece_characters.py` from the `tokenizers` library itself.

    python packs/models/embedder/make_character_tables.py

BERT's normaliser asks each character whether it is a control character, a mark or punctuation. The library carries
Unicode tables of its own age, Python's `unicodedata` others that change from version to version, so the answers are
taken down once. `tests/runtime/knowledge/embedders/test_wordpiece.py` compares every code point with the library.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

DESTINATION = Path(__file__).parents[3] / "runtime/knowledge/embedders/wordpiece_characters.py"
SURROGATES = range(0xD800, 0xE000)
RANGES_A_LINE = 8

HEADER = '''"""Which characters BERT's normaliser drops or sets apart, as the `tokenizers` library has them.

Written by packs/models/embedder/make_character_tables.py. Hexadecimal code points, ends inclusive.
"""

from __future__ import annotations

'''


def main() -> None:
    """Ask for every code point and write the module."""
    clean = _normaliser(clean_text=True)
    strip = _normaliser(strip_accents=True)
    chinese = _normaliser(handle_chinese_chars=True)
    split = pre_tokenizers.BertPreTokenizer()
    tables = {
        "CONTROLS": _ranges(lambda c: clean.normalize_str(f"a{c}b") == "ab"),
        "MARKS": _ranges(lambda c: strip.normalize_str(f"a{c}b") == "ab"),
        "CHINESE": _ranges(lambda c: chinese.normalize_str(f"a{c}b") == f"a {c} b"),
        "PUNCTUATION": _ranges(lambda c: [piece for piece, _ in split.pre_tokenize_str(f"a{c}b")] == ["a", c, "b"]),
    }
    DESTINATION.write_text(HEADER + "\n".join(_lines(tables)) + "\n", encoding="utf-8")


def _normaliser(**only: bool) -> normalizers.BertNormalizer:
    steps = dict.fromkeys(("clean_text", "strip_accents", "handle_chinese_chars", "lowercase"), False)
    return normalizers.BertNormalizer(**(steps | only))


def _ranges(holds: Callable[[str], bool]) -> list[str]:
    codes = (code for code in range(sys.maxunicode + 1) if code not in SURROGATES and holds(chr(code)))
    ranges = []
    for _, group in itertools.groupby(enumerate(codes), key=lambda pair: pair[1] - pair[0]):
        members = [code for _, code in group]
        ranges.append(f"{members[0]:x}" if len(members) == 1 else f"{members[0]:x}-{members[-1]:x}")
    return ranges


def _lines(tables: dict[str, list[str]]) -> Iterable[str]:
    for name, ranges in tables.items():
        yield f"{name} = ("
        for start in range(0, len(ranges), RANGES_A_LINE):
            chunk = " ".join(ranges[start : start + RANGES_A_LINE])
            yield f'    "{chunk}{" " if start + RANGES_A_LINE < len(ranges) else ""}"'
        yield ")"


main()
