from __future__ import annotations

import re
from pathlib import Path

from helpers.python_processes import run_python

import satchel.runtime.packfile

README = Path(satchel.runtime.packfile.__file__).with_name("README.md")


def test_the_example_in_the_readme_runs(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(example.splitlines()) <= 40
    done = run_python(example, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "tutor.pack").exists()


def test_the_readme_tells_of_every_file():
    text = README.read_text(encoding="utf-8")
    for path in README.parent.glob("*.py"):
        told = f"`{path.name}`" in text or (path.stem.endswith("_check") and "`*_check.py`" in text)
        assert told or path.name in {"__init__.py", "errors.py", "array_reader.py", "requests.py"}, path.name
