"""Source code and configuration: kept as written; definitions are its headings."""

from __future__ import annotations

import re
from pathlib import PurePath

from satchel.runtime.knowledge.documents import ExtractedText, Heading
from satchel.runtime.knowledge.extract.plain_text import decode_visible
from satchel.runtime.knowledge.extract.protocol import Source, Step

LANGUAGES = {
    ".py": "python", ".pyi": "python", ".pyx": "cython", ".ipynb": "json", ".r": "r", ".jl": "julia", ".m": "matlab",
    ".c": "c", ".h": "c", ".cc": "c++", ".cpp": "c++", ".cxx": "c++", ".hpp": "c++", ".hh": "c++", ".cu": "cuda",
    ".cs": "csharp", ".java": "java", ".kt": "kotlin", ".kts": "kotlin", ".scala": "scala", ".groovy": "groovy",
    ".go": "go", ".rs": "rust", ".zig": "zig", ".swift": "swift", ".dart": "dart", ".d": "d", ".nim": "nim",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript", ".ts": "typescript",
    ".tsx": "typescript", ".vue": "vue", ".svelte": "svelte", ".css": "css", ".scss": "css", ".less": "css",
    ".php": "php", ".rb": "ruby", ".pl": "perl", ".pm": "perl", ".lua": "lua", ".tcl": "tcl", ".el": "lisp",
    ".lisp": "lisp", ".clj": "clojure", ".scm": "scheme", ".rkt": "racket", ".hs": "haskell", ".ml": "ocaml",
    ".mli": "ocaml", ".fs": "fsharp", ".ex": "elixir", ".exs": "elixir", ".erl": "erlang", ".sh": "shell",
    ".bash": "shell", ".zsh": "shell", ".fish": "shell", ".ps1": "powershell", ".bat": "batch", ".sql": "sql",
    ".f90": "fortran", ".f": "fortran", ".for": "fortran", ".pas": "pascal", ".ada": "ada", ".adb": "ada",
    ".vb": "basic", ".bas": "basic", ".asm": "assembly", ".s": "assembly", ".v": "verilog", ".sv": "verilog",
    ".vhd": "vhdl", ".sol": "solidity", ".proto": "protobuf", ".graphql": "graphql", ".tf": "terraform",
    ".cmake": "cmake", ".gradle": "groovy", ".mk": "make", ".json": "json", ".jsonl": "json", ".ndjson": "json",
    ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".ini": "ini", ".cfg": "ini", ".conf": "ini",
    ".properties": "ini", ".env": "ini", ".xml": "xml", ".xsd": "xml", ".xsl": "xml", ".svg": "xml", ".tex": "latex",
    ".bib": "bibtex", ".diff": "diff", ".patch": "diff",
}  # fmt: skip
"""Suffix -> language."""

# A definition in nearly any language: perhaps some modifiers, a keyword, a name. Wrong for a few lines of prose in
# comments at most, and a heading too many costs nothing but a border between passages.
_DEFINITION = re.compile(
    r"""^(?P<indent>[ \t]*)
    (?:(?:export|default|public|private|protected|internal|static|abstract|final|sealed|async|unsafe|inline|virtual
        |override|partial|open|data|pub(?:\([a-z]+\))?|extern(?:[ ]"C")?|local|const(?=[ ]fn))[ \t]+){0,6}
    (?:def|class|fn|func|fun|function|sub|interface|trait|impl|struct|enum|union|module|namespace|protocol|object
        |record|defmodule|defp|defun|defn|data|type|procedure|subroutine|package|message|service|contract
        |create[ ]+(?:or[ ]+replace[ ]+)?(?:table|view|function|procedure|index))
    [ \t]+(?:\([^()\n]{1,80}\)[ \t]*)?[\w$.:<>'"`*&!?-]{1,120}[^\n]{0,200}$""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
_C_FUNCTION = re.compile(
    r"^(?![ \t#/*])[\w*&<>:,~ \t]{1,120}[ \t*&]~?\w+(?:::~?\w+)*\([^;{}\n]{0,300}\)[^;\n]{0,60}\{[ \t]*$", re.MULTILINE
)
_LATEX_SECTION = re.compile(
    r"^[ \t]*\\(?P<kind>chapter|section|subsection|subsubsection)\*?\{[^\n]{1,200}\}", re.MULTILINE
)
_INI_SECTION = re.compile(r"^\[{1,2}[^\]\n]{1,120}\]{1,2}[ \t]*$", re.MULTILINE)

_WITHOUT_DEFINITIONS = {"json", "yaml", "xml", "css", "diff", "bibtex", "make", "batch"}
_LATEX_LEVELS = {"chapter": 1, "section": 1, "subsection": 2, "subsubsection": 3}


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the code as it is written; the media type names the language that the suffix stands for."""
    decoded = decode_visible(source)
    language = LANGUAGES.get(PurePath(source.name).suffix.lower(), "plain")
    headings = find_definitions(decoded.text, language)
    step(1, 1)
    return ExtractedText(f"text/x-{language}", decoded.text, headings=headings, notes=decoded.notes)


def find_definitions(text: str, language: str) -> tuple[Heading, ...]:
    """Return the lines that define something: level 1 at the margin, level 2 where they are indented."""
    if language in _WITHOUT_DEFINITIONS:
        return ()
    if language in {"ini", "toml"}:
        return tuple(Heading(match.start(), match.end(), 1) for match in _INI_SECTION.finditer(text))
    if language == "latex":
        return tuple(
            Heading(match.start(), match.end(), _LATEX_LEVELS[match["kind"]]) for match in _LATEX_SECTION.finditer(text)
        )
    found = {match.start(): (match.end(), 2 if match["indent"] else 1) for match in _DEFINITION.finditer(text)}
    if language in {"c", "c++", "cuda", "java", "csharp"}:
        for match in _C_FUNCTION.finditer(text):
            found.setdefault(match.start(), (match.end(), 1))
    return tuple(Heading(start, end, level) for start, (end, level) in sorted(found.items()))
