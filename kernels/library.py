"""The compiled library (see c/api.h), loaded with ctypes, which lets go of the GIL in every call."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable
from ctypes import c_char_p, c_int32, c_int64, c_void_p
from pathlib import Path

API_VERSION = 2
"""SK_API_VERSION of c/api.h."""
SCAN_I8, SCAN_BITS = 0, 1
WRONG_TERM = -2
"""SK_WRONG_TERM."""
SEARCH = struct.Struct("=7q2i")
"""struct sk_search. Packed by hand: a ctypes.Structure takes as long to fill as a small scan."""
BM25 = struct.Struct("=2q2d4q")
"""struct sk_bm25_query."""
FILE_NAMES = ("satchel_kernels.so", "satchel_kernels.dylib", "satchel_kernels.dll")


def find_library(folders: Iterable[Path]) -> Path | None:
    """Return the first library file in these folders."""
    candidates = (folder / name for folder in folders for name in FILE_NAMES)
    return next((path for path in candidates if path.is_file()), None)


def load_library(path: Path) -> ctypes.CDLL:
    """Return the library with its functions declared.

    Raises:
        OSError: the file is no library for this machine, or speaks another version of the interface.
    """
    library = ctypes.CDLL(str(path))
    try:
        version = int(library.sk_api_version())
    except AttributeError:
        version = 0
    if version != API_VERSION:
        raise OSError(f"{path}: interface {version}, expected {API_VERSION}; build it again")
    library.sk_backend_at.argtypes, library.sk_backend_at.restype = [c_int32], c_void_p
    library.sk_backend_name.argtypes, library.sk_backend_name.restype = [c_void_p], c_char_p
    library.sk_backend_supported.argtypes = [c_void_p]
    library.sk_quantise.argtypes = [c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_void_p, c_void_p]
    library.sk_derive_bits.argtypes = [c_void_p, c_char_p]
    library.sk_search.argtypes = [c_void_p, c_char_p, c_char_p]
    library.sk_rescore.argtypes = [c_void_p, c_char_p, c_void_p, c_int64, c_void_p, c_int64, c_void_p]
    library.sk_bm25.argtypes = [c_void_p, c_char_p, c_char_p]
    return library
