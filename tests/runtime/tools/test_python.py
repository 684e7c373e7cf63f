"""The code tool: state, files, plots, and code that does not behave."""

from __future__ import annotations

import threading

import pytest

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.labels import HIGHEST, LOWEST, PERSON_ALONE, WEB, Integrity, Label
from satchel.runtime.sandbox.probes import Probed, SandboxState, find_sandbox
from satchel.runtime.tools.base import Cancellation
from satchel.runtime.tools.python import Python
from satchel.runtime.tools.runner import CallLabels, ToolRunner

ALLOWED = Allow("a test says so")


@pytest.fixture(scope="module")
def sandbox():
    state = find_sandbox()
    if state.confinement is None:
        pytest.skip(state.in_words)
    return state


class Chat:
    """One chat's code tool, called as the turn calls it."""

    def __init__(self, sandbox):
        self.tool = Python(sandbox)
        self.runner = ToolRunner([self.tool])

    def run(self, code, **rest):
        return self.runner.run(self.runner.prepare(ToolCall("python", {"code": code})), ALLOWED, **rest)

    def says(self, code):
        outcome = self.run(code)
        assert outcome.failure == ""
        return outcome.result.text


@pytest.fixture
def chat(sandbox):
    one = Chat(sandbox)
    yield one
    one.runner.close()


def test_variables_imports_and_functions_stay_within_a_chat(chat):
    assert chat.says("import math\ndef area(r): return math.pi * r**2\nx = 2") == "(nothing was printed)"
    assert chat.says("round(area(x), 3)") == "12.566"
    assert chat.says("print(x); x + 1") == "2\n3"
    assert chat.says("_ * 2") == "6"


def test_another_chat_sees_none_of_it(chat, sandbox):
    chat.says("secret = 1; open('secret.txt', 'w').write('x')")
    other = Chat(sandbox)
    try:
        assert "NameError" in other.says("secret")
        assert other.says("import os; os.listdir('.')") == "[]"
    finally:
        other.runner.close()


def test_an_error_is_a_trace_of_the_code_alone(chat):
    text = chat.says("def f():\n    return 1 / 0\nf()")
    assert text.startswith('Traceback (most recent call last):\n  File "<code 1>", line 3, in <module>\n    f()\n')
    assert text.endswith("ZeroDivisionError: division by zero")
    assert "interpreter_worker" not in text


def test_a_file_that_is_written_comes_back_once(chat):
    outcome = chat.run("open('out/table.csv' if False else 'table.csv', 'w').write('a,b')")
    assert [(one.name, one.media_type, one.content) for one in outcome.result.artefacts] == [
        ("table.csv", "text/csv", b"a,b")
    ]
    assert chat.run("1").result.artefacts == ()
    assert [one.content for one in chat.run("open('table.csv', 'a').write('!')").result.artefacts] == [b"a,b!"]


def test_a_link_that_is_planted_brings_nothing_back(chat, tmp_path):
    (tmp_path / "secret").write_text("secret")
    outcome = chat.run(f"import os; os.symlink({str(tmp_path / 'secret')!r}, 'out.txt'); os.symlink('/', 'root')")
    assert outcome.result.artefacts == ()


def test_a_plot_comes_back_as_a_picture(chat):
    pytest.importorskip("matplotlib")
    outcome = chat.run("import matplotlib.pyplot as plt\nfor n in (1, 2): plt.figure(); plt.plot([1, n])")
    pictures = outcome.result.artefacts
    assert [(one.name, one.media_type) for one in pictures] == [
        ("figure-1-1.png", "image/png"),
        ("figure-1-2.png", "image/png"),
    ]
    assert all(one.content.startswith(b"\x89PNG") for one in pictures)
    assert chat.run("1").result.artefacts == ()


def test_numpy_and_pandas_work_inside(chat):
    pytest.importorskip("pandas")
    assert chat.says("import numpy as np; int(np.linalg.det(np.eye(3)))") == "1"
    assert chat.says("import pandas as pd; int(pd.DataFrame({'a': [1, 2]}).a.sum())") == "3"


def test_a_file_that_is_given_can_be_read_and_its_label_stays_with_all_that_comes_out(chat):
    chat.tool.give("data/given.csv", b"1,2", LOWEST)
    outcome = chat.run("open('data/given.csv').read()", labels=CallLabels({}, HIGHEST))
    assert outcome.result.text == "1,2"
    assert outcome.result.artefacts == ()
    assert outcome.label == LOWEST
    assert chat.run("'nothing of it'", labels=CallLabels({}, HIGHEST)).label == LOWEST


def test_what_went_into_a_variable_labels_what_comes_out_later(chat):
    person = Label(Integrity.USER, PERSON_ALONE)
    chat.run("x = 'from a page'", labels=CallLabels({}, WEB))
    assert chat.run("x", labels=CallLabels({}, person)).label == WEB.joined(person)


def test_code_that_never_ends_is_interrupted_and_its_variables_are_kept(chat):
    chat.says("x = 7")
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    outcome = chat.run("while True: pass", cancellation=cancellation)
    timer.join()
    assert outcome.failure == "cancelled"
    assert chat.says("x") == "7"


def test_code_that_will_not_be_interrupted_is_ended_and_the_next_call_starts_anew(chat):
    chat.says("x = 7")
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    code = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    outcome = chat.run(code, cancellation=cancellation)
    timer.join()
    assert outcome.failure in ("cancelled", "interpreter-died")
    assert "NameError" in chat.says("x")


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(3)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.kill(os.getpid(), 9)",
        "import os\nfor handle in range(3, 20):\n    try: os.write(handle, b'garbage\\n')\n    except OSError: pass",
        (
            "import os\nwhile True:\n    for handle in range(3, 20):\n"
            "        try: os.write(handle, b'x' * 65536)\n        except OSError: pass"
        ),
    ],
)
def test_an_interpreter_that_dies_or_talks_nonsense_is_an_error_and_the_next_call_works(chat, code):
    outcome = chat.run(code)
    assert outcome.failure == "interpreter-died", outcome.result.text
    assert "variables and files are gone" in outcome.result.text
    assert chat.says("1 + 1") == "2"


def test_printing_for_ever_is_capped_and_counted(chat):
    text = chat.says("for _ in range(100_000): print('x' * 100)")
    assert len(text) < 20_000
    assert text.endswith("more characters were printed]")


@pytest.mark.parametrize(
    "code",
    ["import os; os.fork()", "import subprocess; subprocess.run(['/bin/true'])", "import socket; socket.socket()",
     "open('/etc/passwd')", "open('/usr/x', 'w')", "bytearray(8 << 30)"],
)  # fmt: skip
def test_what_the_sandbox_forbids_is_an_error_in_the_code(chat, code):
    assert "Error" in chat.says(code)


def test_filling_the_disk_is_an_error_in_the_code_or_its_end(chat):
    outcome = chat.run("for n in range(1000): open(f'f{n}', 'wb').write(bytes(10 << 20))")
    assert "No space left" in outcome.result.text or outcome.failure == "interpreter-died"
    assert chat.run("1 + 1").result.text == "2"


def test_exit_in_the_code_keeps_the_variables(chat):
    chat.says("x = 1")
    assert "ended itself" in chat.says("exit()")
    assert chat.says("x") == "1"


def test_where_the_sandbox_is_off_the_tool_is_off_and_says_why():
    state = SandboxState((), "there is none for darwin; it needs Linux")
    chat = Chat(state)
    assert chat.tool.problem == "the sandbox is off: there is none for darwin; it needs Linux"
    outcome = chat.run("1")
    assert outcome.failure == "tool-off"
    assert "needs Linux" in outcome.result.text


def test_it_works_by_landlock_alone_too(sandbox):
    from satchel.runtime.sandbox.confinement import Confinement

    if not sandbox.require().landlock_abi:
        pytest.skip("this kernel has no Landlock")
    chat = Chat(SandboxState((Probed(Confinement(None, sandbox.require().landlock_abi), ""),)))
    try:
        assert chat.says("x = 1\nopen('a.txt', 'w').write('x')") == "1"
        assert chat.says("x") == "1"
    finally:
        chat.runner.close()
