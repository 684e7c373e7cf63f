"""The checkout's own sources: which files there are, what each imports and when."""

from __future__ import annotations

import ast
import functools
import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("builder", "runtime", "kernels", "packs", "tests")


@functools.cache
def tracked_files() -> tuple[Path, ...]:
    """Return what git tracks, relative to the checkout; all files where it is no git checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
        return tuple(name for name in names if (ROOT / name).is_file())
    return tuple(path.relative_to(ROOT) for part in PARTS for path in (ROOT / part).rglob("*") if path.is_file())


def python_files(part: str) -> list[Path]:
    """Return the tracked Python files under a folder, relative to the checkout."""
    return [path for path in tracked_files() if path.parts[0] == part and path.suffix == ".py"]


def module_name(path: Path) -> str:
    """`runtime/worker/__init__.py` is `satchel.runtime.worker`."""
    parts = path.with_suffix("").parts
    return ".".join(("satchel", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imported_modules(path: Path, *, at_start: bool = False) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything that a file imports; with `at_start` only what importing the file runs.

    Relative imports are resolved; `from a import b` yields `a.b`, because `b` may be a module.
    """
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in _statements(ast.parse((ROOT / path).read_bytes()), at_start=at_start):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def import_all_errors() -> None:
    """Import every module of the runtime that defines errors, so that the classes can be listed."""
    for path in python_files("runtime"):
        tree = ast.parse((ROOT / path).read_bytes())
        if any(isinstance(node, ast.ClassDef) and node.name.endswith("Error") for node in tree.body):
            importlib.import_module(module_name(path))


def _statements(tree: ast.AST, *, at_start: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if at_start and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if at_start and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _statements(node, at_start=at_start)
