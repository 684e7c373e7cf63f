"""Triton's decorators, typed: triton ships no types, and untyped decorators hide those of what they decorate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import triton


def jit(function: Callable[..., Any]) -> Any:
    """Return the function as a kernel, or as a part of kernels; with TRITON_INTERPRET=1, one that runs in NumPy."""
    return triton.jit(function)


def at_compile_time(function: Callable[..., Any]) -> Any:
    """Return the function so that kernels call it while they are compiled, with constants."""
    return triton.constexpr_function(function)
