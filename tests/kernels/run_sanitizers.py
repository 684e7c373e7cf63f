"""Build the kernels with the address and undefined-behaviour sanitizers, and run their tests on that library.

    python tests/kernels/run_sanitizers.py

NumPy's arrays come from malloc, which the address sanitizer fences: a scan that reads one byte past a row ends here.
Exits with pytest's code; with 0 and a line that says so where there is no GCC or Clang to build with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".cache" / "kernels-sanitized"


def find_runtime(compiler: str) -> Path:
    """Return the address sanitizer's runtime; it must be loaded before anything else in the process."""
    name = "libasan.so" if "clang" not in Path(compiler).name else "libclang_rt.asan-x86_64.so"
    done = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).resolve()


def build() -> Path:
    """Return the sanitized library, built again where a source is newer."""
    configure = ["cmake", "-S", str(ROOT / "kernels"), "-B", str(BUILD), "-DSATCHEL_SANITIZE=address,undefined"]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", str(BUILD), "--parallel", "2"], check=True, stdout=subprocess.DEVNULL)
    return BUILD / "satchel_kernels.so"


def main() -> int:
    """Return the exit code."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None or shutil.which("cmake") is None or not sys.platform.startswith("linux"):
        sys.stderr.write("sanitizers: not run: they need Linux, CMake and GCC or Clang\n")
        return 0
    os.environ["CC"] = compiler
    library = build()
    environment = {
        **os.environ,
        "LD_PRELOAD": str(find_runtime(compiler)),
        # Python's own allocations live until it exits; they are not ours to report.
        "ASAN_OPTIONS": "detect_leaks=0:strict_string_checks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "SATCHEL_KERNELS": str(library),
    }
    # -s: the sanitizer writes its report to stderr and ends the process; captured, it would be lost with it.
    tests = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests/kernels"]
    # The GPU's kernels are not in this library, and a compiler of 900 MB would be watched for nothing.
    tests += ["--ignore", "tests/kernels/triton"]
    return subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
