from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys, os, socket, subprocess, urllib.request
import satchel.runtime.knowledge.extract.registry
from satchel.runtime.knowledge.extract.confinement import confine
confine()
try:
    {action}
except PermissionError as error:
    print("refused", error)
else:
    print("done")
"""


def outcome(action: str) -> str:
    command = [sys.executable, "-c", PROGRAM.format(action=action)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "action",
    [
        "open('/etc/passwd')",
        "open(os.path.join(sys.prefix, 'new'), 'w')",
        "os.remove('/tmp/nothing')",
        "subprocess.run(['true'])",
        "os.system('true')",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "os.fork()",
    ],
)
def test_a_parser_in_python_can_neither_open_nor_start_nor_connect(action: str) -> None:
    assert outcome(action).startswith("refused a parser may not")


@pytest.mark.parametrize(
    "action",
    [
        "from satchel.runtime.knowledge.language import detect_language; detect_language('Das ist ein Satz.')",
        "import lxml.etree, selectolax.lexbor, pypdf, pypdfium2, html.entities",
    ],
)
def test_code_can_still_be_imported(action: str) -> None:
    assert outcome(action) == "done\n"
