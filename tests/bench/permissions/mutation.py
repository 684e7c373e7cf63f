"""Mutation testing of the permissions: change the code in one place and see whether a test notices.

`python tests/bench/permissions/mutation.py [MODULE …] [--json FILE]`, once and not in the suite. Each mutant runs the
tests in a fork, first those of its own module, last the traces against the reference monitor; the files on the disk
are never touched. Survivors are printed with their line.
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import importlib.machinery
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import hypothesis.stateful
import msgspec
import pytest

ROOT = Path(__file__).parents[3]
MODULES = ("broker", "grants", "plan", "calls", "standing", "provenance", "labels", "capabilities")
SECONDS = 30
_OWN_TESTS = {"calls": ("test_grants.py",)}
_PAIRS: tuple[tuple[type[ast.AST], type[ast.AST]], ...] = (
    *((ast.Eq, ast.NotEq), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.In, ast.NotIn), (ast.Is, ast.IsNot)),
    *((ast.And, ast.Or), (ast.Add, ast.Sub), (ast.BitOr, ast.BitAnd)),
)
_SWAPS = dict(_PAIRS) | {second: first for first, second in _PAIRS}
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Yield line, what was changed, and the changed tree."""
    skipped = {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    skipped |= {id(child) for node in ast.walk(tree) if id(node) in skipped for child in ast.walk(node)}
    for node in ast.walk(tree):  # annotations, and `frozen` and `slots`, change nothing that a right program does
        for field in ("annotation", "returns"):
            if (annotation := getattr(node, field, None)) is not None:
                skipped |= {id(child) for child in ast.walk(annotation)}
        for declared in (*getattr(node, "decorator_list", ()), *getattr(node, "keywords", ())):
            if isinstance(node, ast.ClassDef):
                skipped |= {id(child) for child in ast.walk(declared)}
    numbered = list(ast.walk(tree))
    for number, node in enumerate(numbered):
        if id(node) in skipped:
            continue
        for what, change in changes(node):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[number])
            yield getattr(node, "lineno", 0), what, ast.fix_missing_locations(changed)


def changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    """Yield what can be changed in one node."""
    yield from _of_operators(node)
    yield from _of_conditions(node)
    yield from _of_values(node)


def _of_operators(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if swap := _SWAPS.get(type(operator)):
                yield f"{type(operator).__name__} -> {swap.__name__}", functools.partial(_put, "ops", place, swap)
    if isinstance(node, (ast.BoolOp, ast.BinOp)) and (swap := _SWAPS.get(type(node.op))):
        yield f"{type(node.op).__name__} -> {swap.__name__}", functools.partial(_put, "op", None, swap)
    if isinstance(node, ast.BoolOp):
        for place in range(len(node.values)):
            yield f"without part {place}", functools.partial(_without, place)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not not", functools.partial(_negate, "operand")


def _of_conditions(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    if isinstance(node, (ast.If, ast.IfExp)):
        yield "if not", functools.partial(_negate, "test")
    if isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            yield "without if", functools.partial(_drop, "ifs", place)
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "return None", functools.partial(_constant, "value", None)
    if isinstance(node, ast.AugAssign):
        yield "no change", functools.partial(_nothing_added)


def _of_values(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    if isinstance(node, ast.Name) and node.id in _NAMES:
        yield f"{node.id} -> {_NAMES[node.id]}", functools.partial(_rename, _NAMES[node.id])
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield "other truth", functools.partial(_constant, None, not node.value)
    elif isinstance(node.value, int):
        yield "one more", functools.partial(_constant, None, node.value + 1)
    elif isinstance(node.value, str):
        yield "other text", functools.partial(_constant, None, f"{node.value}MUTANT")


def _nothing_added(node: ast.AST) -> None:
    node.value = ast.Tuple([], ast.Load())


def _rename(name: str, node: ast.AST) -> None:
    node.id = name


def _put(field: str, place: int | None, swap: type[ast.AST], node: ast.AST) -> None:
    if place is None:
        setattr(node, field, swap())
    else:
        getattr(node, field)[place] = swap()


def _drop(field: str, place: int, node: ast.AST) -> None:
    del getattr(node, field)[place]


def _without(place: int, node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    neutral = isinstance(node.op, ast.And)
    node.values[place] = ast.Constant(neutral)


def _negate(field: str, node: ast.AST) -> None:
    setattr(node, field, ast.UnaryOp(ast.Not(), getattr(node, field)))


def _constant(field: str | None, value: object, node: ast.AST) -> None:
    if field is None:
        node.value = value
    else:
        setattr(node, field, ast.Constant(value))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def survives(module: str, tree: ast.Module) -> bool:
    """Run the tests on a mutant, those of its own module first; True when none of them notices."""
    tests = ROOT / "tests/runtime/permissions"
    own = [tests / name for name in _OWN_TESTS.get(module, (f"test_{module}.py",))]
    rest = sorted(path for path in tests.glob("test_*.py") if path not in own and "traces" not in path.name)
    return all(_passes(module, tree, files) for files in (own, rest, [tests / "test_traces.py"]))


def _passes(module: str, tree: ast.Module, files: Iterable[Path]) -> bool:
    """Run some tests in a fork; one that hangs is one that notices."""
    child = os.fork()
    if child == 0:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of its own time: the machine may be busy
        signal.alarm(20 * SECONDS)
        _silence()
        _load_instead(ROOT / f"runtime/permissions/{module}.py", tree)
        # Neither plugins nor the suite's settings: what is tested is pure, and each mutant costs a start.
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        options = ["-x", "-q", "-c", os.devnull, "--noconftest", "--rootdir", str(ROOT), "-p", "no:cacheprovider"]
        options += ["--import-mode=importlib", "-o", f"pythonpath={ROOT / 'tests'}"]
        status = 1
        try:
            status = int(pytest.main([*options, *map(str, files)]))
        finally:
            os._exit(status != 0)
    _, status = os.waitpid(child, 0)
    return status == 0


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _load_instead(path: Path, tree: ast.Module) -> None:
    known = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> object:
        if name.startswith("satchel.") and Path(loader.path).resolve() == path:
            return compile(tree, str(path), "exec")
        return known(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment]  # in this fork alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    os.chdir(ROOT)
    assert hypothesis.stateful
    assert msgspec
    rows = []
    for module in parsed.modules:
        source = (ROOT / f"runtime/permissions/{module}.py").read_text()
        started = time.perf_counter()
        made, survivors = 0, []
        assert survives(module, ast.parse(source)), "the tests fail without any mutant"
        for line, what, tree in mutants(ast.parse(source)):
            made += 1
            if survives(module, tree):
                survivors.append(f"{module}.py:{line}: {what}: {source.splitlines()[line - 1].strip()}")
                print(f"  survives: {survivors[-1]}", flush=True)
        score = 100 * (made - len(survivors)) / made
        seconds = time.perf_counter() - started
        rows.append({"module": module, "mutants": made, "survivors": survivors, "score": round(score, 1)})
        print(f"{module:14} {made:4} mutants {len(survivors):3} survive {score:6.1f}% {seconds:6.0f} s", flush=True)
    if parsed.json:
        parsed.json.write_text(json.dumps(rows, indent=1))
    sys.exit(any(row["score"] < 95 for row in rows))


if __name__ == "__main__":
    main()
