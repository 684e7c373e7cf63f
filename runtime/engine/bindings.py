"""llama.cpp's C API, without the imports that llama-cpp-python's package makes.

`import llama_cpp` also imports its chat formats, server types and disk cache: measured 80 ms and 270 modules, against
20 ms and 90 for the module of ctypes declarations alone, which is all that Satchel uses.
"""

from __future__ import annotations

import collections
import ctypes
import hashlib
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from satchel.runtime.engine.errors import EngineMissingError

_PACKAGE = "llama_cpp"
# libgomp spins up to 300,000 turns at each of a token's thousand barriers. With any other process on the cores, the
# thread that is waited for does not run, and the spinning takes the very time that it needs. Measured on 2 cores,
# tokens/s of the 135M Starter on 2 threads, idle and then beside other work: 160 and 1 to 14 by default; 154 and 5 to
# 28 with 3,000 turns; 42 and 32 to 57 with none. `threads.py` does the rest: one thread has no barriers.
# Before it aborts, ggml says why and then has gdb print a trace, where there is one: seconds, and words about nothing.
_ENVIRONMENT = {"GOMP_SPINCOUNT": "3000", "GGML_NO_BACKTRACE": "1"}
_LEVEL_INFO, _LEVEL_WARNING, _LEVEL_ERROR, _LEVEL_CONTINUED = 2, 3, 4, 5
_KEPT_LINES = 40
_BACKEND_FUNCTIONS: tuple[tuple[str, list[Any], Any], ...] = (
    ("ggml_backend_dev_count", [], ctypes.c_size_t),
    ("ggml_backend_dev_get", [ctypes.c_size_t], ctypes.c_void_p),
    ("ggml_backend_dev_name", [ctypes.c_void_p], ctypes.c_char_p),
    ("ggml_backend_dev_description", [ctypes.c_void_p], ctypes.c_char_p),
    ("ggml_backend_dev_type", [ctypes.c_void_p], ctypes.c_int),
    (
        "ggml_backend_dev_memory",
        [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t)],
        None,
    ),
    ("ggml_backend_dev_backend_reg", [ctypes.c_void_p], ctypes.c_void_p),
    ("ggml_backend_reg_name", [ctypes.c_void_p], ctypes.c_char_p),
    ("ggml_type_size", [ctypes.c_int], ctypes.c_size_t),
    ("ggml_blck_size", [ctypes.c_int], ctypes.c_int64),
    ("ggml_type_name", [ctypes.c_int], ctypes.c_char_p),
)


def load_llama() -> Any:
    """Return the module `llama_cpp.llama_cpp`: ctypes declarations of llama.h, the library loaded.

    A later `import llama_cpp` in the same process still works, and shares the module and the library.

    Raises:
        EngineMissingError: llama-cpp-python is not installed.
    """
    full_name = f"{_PACKAGE}.llama_cpp"
    if full_name in sys.modules:
        return sys.modules[full_name]
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise EngineMissingError
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    # A bare package stands in while its submodule is imported, so that the real `__init__` never runs.
    stand_in = types.ModuleType(_PACKAGE)
    stand_in.__path__ = list(spec.submodule_search_locations)
    stand_in.__spec__ = spec
    previous = sys.modules.get(_PACKAGE)
    sys.modules[_PACKAGE] = stand_in
    try:
        return importlib.import_module(full_name)
    finally:
        if previous is None:
            del sys.modules[_PACKAGE]
        else:
            sys.modules[_PACKAGE] = previous


def load_ggml() -> dict[str, Any]:
    """Return ggml's backend and type functions by name, declared; llama-cpp-python itself declares none of them."""
    load_llama()
    extensions = importlib.import_module(f"{_PACKAGE}._ctypes_extensions")
    folder = library_folder()
    libraries = [extensions.load_shared_library(name, folder) for name in ("ggml", "ggml-base")]
    functions: dict[str, Any] = {}
    for name, arguments, result in _BACKEND_FUNCTIONS:
        function = next(getattr(library, name) for library in libraries if _exports(library, name))
        function.argtypes, function.restype = arguments, result
        functions[name] = function
    return functions


def library_folder() -> Path:
    """Return the folder that holds libllama and its backends."""
    return Path(load_llama()._base_path)  # noqa: SLF001 - the module keeps the path it loaded from under this name only


def build_identity() -> str:
    """Return a string that changes whenever llama.cpp's libraries do: KV state of one build is not given to another.

    llama.cpp reports "0.5.0-dev" whatever the commit, so the libraries' sizes and times are part of it.
    """
    llama = load_llama()
    from importlib.metadata import version  # 17 ms, and asked for by few

    parts = [version("llama-cpp-python"), llama.llama_version().decode()]
    for library in sorted(library_folder().iterdir()):
        stat = library.stat()
        parts.append(f"{library.name}:{stat.st_size}:{stat.st_mtime_ns}")
    parts.append(llama.llama_print_system_info().decode())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class LogTail:
    """Keeps llama.cpp's last warnings and errors, which say why a load failed; everything else is dropped.

    llama.cpp has one logger a process, so this is made once, by whoever owns the process, and kept until its end.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        """`verbose` keeps what was allocated where too, for `plan.py`'s tests and for bug reports."""
        self._kept: collections.deque[tuple[int, str]] = collections.deque(maxlen=None if verbose else _KEPT_LINES)
        self._lowest_level = _LEVEL_INFO if verbose else _LEVEL_WARNING
        self._level = 0
        self._llama = load_llama()
        # C keeps the pointer: the callback object must live as long as it is set.
        self._callback = self._llama.llama_log_callback(self._take)
        self._llama.llama_log_set(self._callback, None)

    def lines(self) -> list[str]:
        """Return what was kept, oldest first."""
        return [line.strip() for _, line in self._kept if line.strip()]

    def reason(self) -> str:
        """Return the line that tells the cause of a failure best; a warning only where there is no error."""
        errors = [line for level, line in self._kept if level == _LEVEL_ERROR]
        return reason_from(errors or self.lines())

    def clear(self) -> None:
        """Forget what was kept."""
        self._kept.clear()

    def close(self) -> None:
        """Give the logger back to llama.cpp, which writes to standard error."""
        self._llama.llama_log_set(self._llama.llama_log_callback(), None)

    def _take(self, level: int, text: bytes, _data: Any) -> None:
        if level == _LEVEL_CONTINUED:
            if self._kept and self._level >= self._lowest_level:
                level, begun = self._kept.pop()
                self._kept.append((level, begun + text.decode(errors="replace")))
            return
        self._level = level
        if level >= self._lowest_level:
            self._kept.append((level, text.decode(errors="replace")))


def reason_from(lines: Iterable[str]) -> str:
    """Return the line of a log that tells the cause of a failure best, without its function's name.

    llama.cpp logs the cause first and then, level by level, that the caller failed too.
    """
    told = [line.strip() for line in lines if line.strip()]
    causes = [line for line in told if "error" in line or "fail" in line or "unknown" in line]
    line = (causes or told or ["llama.cpp gave no reason"])[0]
    head, colon, rest = line.partition(": ")
    return rest if colon and head.isidentifier() and rest else line


def _exports(library: ctypes.CDLL, name: str) -> bool:
    try:
        getattr(library, name)
    except AttributeError:
        return False
    return True
