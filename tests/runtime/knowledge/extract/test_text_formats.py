from __future__ import annotations

from pathlib import Path

import pytest
from helpers.extractor_conformance import ExtractorConformance, extract

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import EmptyDocumentError
from satchel.runtime.knowledge.extract.delimited import sniff_delimiter


class TestMarkdown(ExtractorConformance):
    SUFFIX = ".md"
    MEDIA_TYPE = "text/markdown"

    def write_sample(self, path: Path) -> Path:
        path.write_text(f"# Small moons\n\n{self.SENTENCE}\n")
        return path


class TestDelimited(ExtractorConformance):
    SUFFIX = ".csv"
    MEDIA_TYPE = "text/csv"
    HAS_HEADINGS = False

    def write_sample(self, path: Path) -> Path:
        path.write_text(f"Planet,Note\nMars,{self.SENTENCE}\nVenus,None\n")
        return path


class TestPlainText(ExtractorConformance):
    SUFFIX = ".txt"
    MEDIA_TYPE = "text/plain"
    HAS_HEADINGS = False

    def write_sample(self, path: Path) -> Path:
        path.write_text(f"Small moons\n\n{self.SENTENCE}\n")
        return path


class TestSourceCode(ExtractorConformance):
    SUFFIX = ".py"
    MEDIA_TYPE = "text/x-python"
    HEADING = "def small_moons"

    def write_sample(self, path: Path) -> Path:
        path.write_text(f'def small_moons():\n    """{self.SENTENCE}"""\n')
        return path


def read(tmp_path: Path, name: str, text: str) -> ExtractedText:
    (tmp_path / name).write_bytes(text.encode())
    return extract(tmp_path / name)


def headings(extracted: ExtractedText) -> list[tuple[str, int]]:
    return [(extracted.text[h.start : h.end], h.level) for h in extracted.headings]


def test_markdown_is_kept_as_it_is_written(tmp_path: Path) -> None:
    text = "---\ntitle: Moons\n---\n\n# A *title*\n\n- [link](x)\n\n```\n# code\n```\n"
    assert read(tmp_path, "a.md", text).text == text


def test_both_spellings_of_markdown_headings_are_found(tmp_path: Path) -> None:
    text = "# One #\n\nTwo\n===\n\nThree, on\ntwo lines\n---\n\n   ### Four\n#hashtag\n####### seven\n#\n"
    assert headings(read(tmp_path, "a.md", text)) == [
        ("# One #", 1), ("Two", 1), ("Three, on\ntwo lines", 2), ("   ### Four", 3),
    ]  # fmt: skip


def test_what_only_looks_like_a_markdown_heading_is_none(tmp_path: Path) -> None:
    text = (
        "```sh\n# comment\n```\n\n~~~\n# also\n```\n~~~\n\ntext\n\n---\n\n- item\n---\n\n    # code\n\n| a |\n|---|\n"
    )
    assert headings(read(tmp_path, "a.md", text)) == []


def test_the_title_in_front_matter_is_a_heading_and_its_comments_are_not(tmp_path: Path) -> None:
    text = '---\n# comment\ntitle: "Moons of Mars"\ndraft: true\n---\nText\n'
    assert headings(read(tmp_path, "a.md", text)) == [("Moons of Mars", 1)]


def test_a_long_line_of_marks_takes_no_time(tmp_path: Path) -> None:
    assert headings(read(tmp_path, "a.md", "# " + " \t#" * 200_000 + "x\n")) != []


@pytest.mark.parametrize(
    ("text", "suffix", "delimiter"),
    [
        ("a,b\n1,2\n", ".csv", ","),
        ("a;b\n1,5;2,5\n", ".csv", ";"),
        ("a\tb, c\n1\t2\n", ".csv", "\t"),
        ("a|b\n1|2\n", ".csv", "|"),
        ('name,quote\nx,"a; b; c; d"\ny,"e; f"\n', ".csv", ","),
        ("sep=;\na;b\n", ".csv", ";"),
        ("one\ntwo\n", ".tsv", "\t"),
    ],
)
def test_the_delimiter_is_found(text: str, suffix: str, delimiter: str) -> None:
    assert sniff_delimiter(text, suffix=suffix) == delimiter


def test_a_row_of_a_table_explains_itself(tmp_path: Path) -> None:
    text = '\ufeffsep=;\r\nName;Größe;Note\r\nMars;0,5;"zwei\r\nZeilen; und mehr"\r\nVenus;;\r\n'
    assert read(tmp_path, "a.csv", text).text == (
        "Name; Größe; Note\nName: Mars; Größe: 0,5; Note: zwei Zeilen; und mehr\nName: Venus"
    )


def test_an_open_quote_does_not_crash(tmp_path: Path) -> None:
    assert "never closed" in read(tmp_path, "a.csv", 'a,b\n1,"never closed\n2,3\n').text


@pytest.mark.parametrize(
    ("name", "code", "found"),
    [
        ("a.py", "class A:\n    async def b(self): ...\nx = 1\n", [("class A:", 1), ("    async def b(self): ...", 2)]),
        (
            "a.rs",
            "pub(crate) fn go<T>() {\n}\nimpl A for B {\n",
            [("pub(crate) fn go<T>() {", 1), ("impl A for B {", 1)],
        ),
        ("a.go", "func (s *S) Run() error {\n\treturn nil\n}\n", [("func (s *S) Run() error {", 1)]),
        (
            "a.ts",
            "export default class A {\n}\nexport interface B {\n",
            [("export default class A {", 1), ("export interface B {", 1)],
        ),
        (
            "a.c",
            "#include <x.h>\nstatic int add(int a, int b) {\n  if (a) {\n",
            [("static int add(int a, int b) {", 1)],
        ),
        ("a.sql", "CREATE TABLE moons (id int);\nselect 1;\n", [("CREATE TABLE moons (id int);", 1)]),
        ("a.toml", "[project]\nname = 1\n[[tool.x]]\n", [("[project]", 1), ("[[tool.x]]", 1)]),
        ("a.tex", "\\section{One}\ntext\n\\subsection*{Two}\n", [("\\section{One}", 1), ("\\subsection*{Two}", 2)]),
        ("a.json", '{"class a": 1}\n', []),
    ],
)
def test_definitions_are_headings(tmp_path: Path, name: str, code: str, found: list[tuple[str, int]]) -> None:
    extracted = read(tmp_path, name, code)
    assert extracted.text == code
    assert headings(extracted) == found


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.csv"])
def test_a_file_of_white_space_is_empty(tmp_path: Path, name: str) -> None:
    with pytest.raises(EmptyDocumentError, match=rf"{name} is empty: it holds nothing but white space"):
        read(tmp_path, name, " \r\n\t\n")


def test_controls_and_invisible_tags_are_cleaned_away(tmp_path: Path) -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    text = "words " * 50 + f"a\x7fb\x1b[31mc\r\nd\re\u2028f\x0cg\ufeff{hidden}h\u200f"
    assert read(tmp_path, "a.md", text).text == "words " * 50 + "ab[31mc\nd\ne\nf\ngh\u200f"
