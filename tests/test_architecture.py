"""The rules of the house, read from the sources' syntax trees: who may import what, and what must not be there."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from helpers.python_processes import run_python
from helpers.source_tree import PARTS, ROOT, imported_modules, module_name, python_files, tracked_files

MIB = 1 << 20
MOST_LINES = 500
SOURCES = {".py", ".c", ".h", ".cu", ".cpp", ".sh", ".cmake"}

# What a part may import of ours, besides itself.
MAY_IMPORT = {"kernels": set(), "runtime": {"kernels"}, "builder": {"runtime"}, "packs": set()}

# Too slow or too large for the start of a command, or wanted by one format or verb alone: imported where they are used.
NOT_AT_START = frozenset(
    {
        *("torch", "transformers", "sentence_transformers", "tokenizers", "safetensors", "openvino", "optimum", "onnx"),
        *("llama_cpp", "gguf", "jinja2", "pypdf", "pypdfium2", "docx", "pptx", "openpyxl", "lxml", "selectolax"),
        *("charset_normalizer", "py3langid", "bm25s", "pandas", "matplotlib", "scipy", "sklearn", "PIL"),
        *("rapidocr", "onnxruntime", "cv2"),
        *("tqdm", "tomlkit", "platformdirs", "httpx", "requests", "fastapi", "uvicorn", "starlette"),
    }
)
# Modules whose classes derive from such a library's; no verb's start may reach them.
PARTS_OF_LIBRARIES = {"satchel.runtime.engine.template_limits": "jinja2"}
QT = ("PySide6", "shiboken6", "PyQt6", "PyQt5", "PySide2")


@functools.cache
def text_of(path: Path) -> str:
    """Return a tracked file's text; empty for what is no text."""
    content = (ROOT / path).read_bytes()
    return "" if b"\0" in content else content.decode(errors="replace")


def told(problems: Iterable[str]) -> str:
    return "\n".join(sorted(problems))


def imports_of_ours(part: str) -> Iterable[tuple[Path, int, str]]:
    """Yield file, line and part for each import of `satchel.PART` or, wrongly, of a part's bare folder name."""
    for path in python_files(part):
        for line, name in imported_modules(path):
            first, *rest = name.split(".")
            if first == "satchel":
                yield path, line, rest[0] if rest else "satchel"


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_each_part_imports_only_what_lies_below_it(part):
    def allowed(path: Path) -> set[str]:
        # Scripts that train and make models use the runtime that these are for.
        makes = part == "packs" and ("training" in path.parts or path.name.startswith("make"))
        return {part, *MAY_IMPORT[part], *(("runtime",) if makes else ())}

    assert not told(
        f"{path}:{line} imports satchel.{name}"
        for path, line, name in imports_of_ours(part)
        if name not in allowed(path)
    )


def test_parts_are_imported_by_their_full_names():
    assert not told(
        f"{path}:{line} imports {name}"
        for part in PARTS
        for path in python_files(part)
        for line, name in imported_modules(path)
        if name.split(".")[0] in {"runtime", "kernels", "builder", "packs"}
    )


def test_the_runtime_has_modules_to_check():
    checked = {name for path in python_files("runtime") for _, name in imported_modules(path)}

    assert "satchel.runtime.errors.SatchelError" in checked
    assert "tomlkit" in checked


def test_qt_is_imported_in_the_builder_alone():
    assert not told(
        f"{path}:{line} imports {name}"
        for part in ("runtime", "kernels", "packs")
        for path in python_files(part)
        for line, name in imported_modules(path)
        if name.startswith(QT)
    )


def test_heavy_libraries_are_imported_inside_the_functions_that_need_them():
    assert not told(
        f"{path}:{line} imports {name} at its start"
        for part in ("runtime", "kernels")
        for path in python_files(part)
        for line, name in imported_modules(path, at_start=True)
        if (library := name.split(".")[0]) in NOT_AT_START and PARTS_OF_LIBRARIES.get(module_name(path)) != library
    )


def test_no_verbs_start_reaches_a_module_that_is_part_of_a_heavy_library():
    files = {module_name(path): path for path in python_files("runtime")}
    waiting = [name for name in files if name.startswith("satchel.runtime.cli.")]
    reached = set(waiting)
    while waiting:
        for _, name in imported_modules(files[waiting.pop()], at_start=True):
            for module in {name, name.rpartition(".")[0]} & files.keys() - reached:
                reached.add(module)
                waiting.append(module)

    assert "satchel.runtime.worker.process" in reached
    assert not reached & PARTS_OF_LIBRARIES.keys()


def test_kernels_is_no_package_that_would_hide_hugging_faces_kernels():
    """A top-level package of that name is what transformers would find in its place."""
    assert not (ROOT / "kernels/__init__.py").exists()


def test_tests_are_no_packages():
    assert not [path for path in python_files("tests") if path.name == "__init__.py"]


def test_the_top_level_holds_nothing_else():
    top = {path.parts[0] for path in tracked_files()}

    assert {name for name in top if not name.startswith(".")} <= {"README.md", "pyproject.toml", *PARTS}


def test_tracked_files_stay_below_64_mib():
    assert sum((ROOT / path).stat().st_size for path in tracked_files()) < 64 * MIB


def test_no_file_has_a_name_that_says_nothing():
    meaningless = re.compile(r"(utils?|helpers?|managers?|common|misc)(\.|\Z)")

    assert not [
        str(path)
        for path in tracked_files()
        if any(meaningless.match(name) for name in path.parts) and path.parts[:2] != ("tests", "helpers")
    ]


def test_no_source_file_has_more_than_500_lines():
    assert not told(
        f"{path}: {lines} lines"
        for path in tracked_files()
        if path.suffix in SOURCES and (lines := text_of(path).count("\n")) > MOST_LINES
    )


def test_no_file_sends_a_person_to_the_empty_project_of_our_name():
    """`satchel` on the index is somebody else's empty project, and our own name is not published yet."""
    wrong = re.compile(r"(pip3?|pipx|uv|uvx)" + r" (pip )?(install|run|add)?\s*(-\S+ )*[`'\"]?" + "satchel" + r"\b")

    assert not told(
        f"{path}: {found[0]}" for path in tracked_files() if (found := wrong.search(text_of(path))) is not None
    )


def test_no_file_names_a_folder_of_one_machine():
    folders = ("/ro" + "ot/", "/wo" + "rk/", "/op" + "t/", "/ho" + "me/", "/Us" + "ers/")
    wrong = re.compile(rf"(?<![\w.~/-])({'|'.join(folders)})[a-z]")

    assert not told(
        f"{path}: {text_of(path)[found.start() : found.end() + 30]!r}"
        for path in tracked_files()
        if (found := wrong.search(text_of(path))) is not None
    )


def test_no_test_sleeps():
    def sleeps(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep", "asyncio.sleep"}

    assert not told(
        f"{path}:{node.lineno}"
        for path in python_files("tests")
        if "bench" not in path.parts
        for node in ast.walk(ast.parse(text_of(path)))
        if sleeps(node)
    )


def test_whoever_silences_a_linter_says_what_and_why():
    silenced = re.compile(r"# (?:noqa|type: ignore)\b(?P<rules>: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|\[[a-z, -]+\])?(?P<why>.*)")

    assert not told(
        f"{path}:{number}: {line.strip()}"
        for part in PARTS
        for path in python_files(part)
        for number, line in enumerate(text_of(path).split("\n"), 1)
        if (found := silenced.search(line)) is not None and not (found["rules"] and found["why"].strip(" -#"))
    )


def modules_after(*arguments: str) -> dict[str, str]:
    """Return the modules, with their files, that `satchel ARGUMENTS` has imported when it ends."""
    program = (
        "import sys\n"
        "from satchel.runtime.cli.main import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "for name, module in sorted(sys.modules.items()):\n"
        "    print('module', name, getattr(module, '__file__', None), file=sys.stderr)\n"
    )
    finished = run_python(program, *arguments)
    assert finished.returncode == 0, finished.stderr
    rows = [line.split(" ", 2) for line in finished.stderr.splitlines() if line.startswith("module ")]
    return {name: file for _, name, file in rows}


def test_the_first_help_imports_nothing_but_the_standard_library():
    bare = run_python("import sys; print(*sys.modules)").stdout.split()
    loaded = {name: file for name, file in modules_after("--help").items() if name not in bare}

    ours = {name for name in loaded if name.split(".")[0] == "satchel"}
    assert ours == {"satchel", "satchel.runtime", "satchel.runtime.cli", "satchel.runtime.cli.main"}
    assert not [name for name, file in loaded.items() if "site-packages" in file]
    assert not {"asyncio", "ctypes", "email", "inspect", "sqlite3", "ssl", "subprocess", "unittest"} & set(loaded)


def test_the_help_of_a_light_verb_imports_neither_arrays_nor_engines():
    loaded = modules_after("new", "--help")

    assert "satchel.runtime.project.template" in loaded
    assert not {"numpy", "sqlite3", "ctypes", *NOT_AT_START} & set(loaded)


def test_no_verbs_module_imports_a_heavy_library():
    program = """
import importlib, sys
from satchel.runtime.cli.main import VERBS
for _, module, _ in VERBS:
    importlib.import_module(f"satchel.runtime.cli.{module}")
print(*sys.modules)
"""
    finished = run_python(program)

    assert finished.returncode == 0, finished.stderr
    assert not NOT_AT_START & set(finished.stdout.split())
