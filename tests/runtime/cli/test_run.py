"""`satchel run`: what goes to standard output, what to standard error, and the exit codes."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from helpers.harbour import write_harbour
from helpers.packs import write_plain_pack
from helpers.project_folders import write_files, write_project
from helpers.python_processes import run_satchel, start_python
from helpers.scripted_gguf import write_scripted_gguf
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.cli.main import main
from satchel.runtime.engine import starter
from satchel.runtime.packfile.names import FILES
from satchel.runtime.paths import HOME_VARIABLE
from satchel.runtime.permissions.errors import NobodyToAskError
from satchel.runtime.session.history import History

FUEL = "Where is diesel sold?"
pytestmark = pytest.mark.usefixtures("warm_home")
ASK = "import sys; from satchel.runtime.cli.main import main; sys.exit(main(['run', *sys.argv[1:]]))"


def the_object(text: str) -> dict[str, object]:
    """Return the one JSON object that standard output holds."""
    assert text.count("\n") == 1
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def the_error(text: str) -> dict[str, object]:
    (key,) = the_object(text)
    assert key == "error"
    error = the_object(text)["error"]
    assert isinstance(error, dict)
    assert sorted(error) == ["code", "exit_code", "message", "remedy"]
    return error


def test_the_answer_comes_first_and_then_its_source(capsys, harbour):
    assert main(["run", str(harbour.pack), *FUEL.split(), "--model", "reader"]) == 0

    said = capsys.readouterr()
    answer, empty, place, quoted, *_ = said.out.split("\n")
    assert "eastern pier" in answer
    assert (empty, place) == ("", "  [1] handbook.pdf, p. 2")
    assert quoted.strip().startswith("“Diesel is sold at the eastern pier")
    assert "no language model spoke" in said.err


def test_json_has_every_key_of_the_contract(capsys, harbour):
    assert main(["run", str(harbour.pack), FUEL, "--json"]) == 0

    result = the_object(capsys.readouterr().out)
    assert list(result) == [
        *("answer", "found", "mode", "grounded", "sources", "tool_calls", "artefacts", "warnings", "model", "pack_id"),
        *("usage", "timings_ms"),
    ]
    assert (result["found"], result["mode"], result["model"], result["grounded"]) == (True, "quote", "reader", None)
    assert (result["tool_calls"], result["artefacts"]) == ([], [])
    assert result["pack_id"] == harbour.pack_id
    assert result["usage"] == {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "context_tokens": 0}
    source = result["sources"][0]
    assert list(source) == ["n", "file", "page", "start", "end", "text", "score"]
    assert (source["n"], source["file"], source["page"]) == (1, "handbook.pdf", 2)
    assert result["answer"] in source["text"]
    assert all(list(warning) == ["kind", "text"] for warning in result["warnings"])
    assert all(isinstance(value, float) for value in result["timings_ms"].values())


def test_a_sources_offsets_delimit_its_text_in_what_inspect_prints(capsys, harbour):
    main(["run", str(harbour.pack), FUEL, "--json"])
    source = the_object(capsys.readouterr().out)["sources"][0]

    main(["inspect", str(harbour.pack), "--text", source["file"]])

    assert capsys.readouterr().out[source["start"] : source["end"]] == source["text"]


def test_what_the_files_do_not_hold_is_said_with_exit_code_0(capsys, harbour):
    assert main(["run", str(harbour.pack), "Who painted the Mona Lisa in Florence?", "--json"]) == 0

    result = the_object(capsys.readouterr().out)
    assert (result["found"], result["answer"], result["sources"]) == (False, "The files do not hold the answer.", [])


def test_a_language_model_answers_and_says_who_it_is(capsys, harbour):
    assert main(["run", str(harbour.pack), FUEL, "--json", "--model", "starter", "--context", "1024"]) == 0

    result = the_object(capsys.readouterr().out)
    assert (result["mode"], result["model"]) == ("model", "starter")
    assert result["answer"]
    assert result["usage"]["context_tokens"] == 1024
    assert result["usage"]["completion_tokens"] > 0
    assert {"load", "prefill", "decode", "first_word", "total"} <= set(result["timings_ms"])


def test_events_are_lines_of_json_as_they_come(capsys, harbour):
    assert main(["run", str(harbour.pack), FUEL, "--events"]) == 0

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "progress"
    assert kinds[-1] == "finished"
    assert {"retrieved", "token", "cited"} <= set(kinds)
    assert events[-1]["answer"] == "".join(event["text"] for event in events if event["event"] == "token")


@pytest.mark.parametrize("given", [[], ["-"]])
def test_the_question_may_come_from_standard_input(capsys, harbour, type_in, given):
    type_in(f"{FUEL}\n")

    assert main(["run", str(harbour.pack), *given, "--json"]) == 0

    assert the_object(capsys.readouterr().out)["sources"][0]["file"] == "handbook.pdf"


def test_input_that_is_no_text_is_a_question_all_the_same(capsys, harbour, type_in):
    type_in(b"Where is diesel sold\xff?")

    assert main(["run", str(harbour.pack), "--json"]) == 0
    assert "answer" in the_object(capsys.readouterr().out)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_question_is_wrong_use(capsys, harbour, type_in, text):
    type_in(text)

    assert main(["run", str(harbour.pack), "--json"]) == 2
    assert "the question is empty" in the_error(capsys.readouterr().out)["message"]


def test_options_may_stand_anywhere_among_the_words(capsys, harbour, warm_home):
    assert main(["run", "--no-history", str(harbour.pack), "Where", "is", "--json", "diesel", "sold?"]) == 0

    assert the_object(capsys.readouterr().out)["found"] is True
    assert not warm_home.data.exists()


def test_a_folder_and_an_installed_name_answer_as_the_pack_does(capsys, harbour):
    main(["install", str(harbour.pack)])
    capsys.readouterr()

    answers = []
    for reference in (harbour.pack, harbour.folder, "harbour guide"):
        assert main(["run", str(reference), FUEL, "--json"]) == 0
        answers.append(the_object(capsys.readouterr().out))

    assert answers[0]["answer"] == answers[1]["answer"] == answers[2]["answer"]
    assert [answer["pack_id"] for answer in answers] == [harbour.pack_id, "", harbour.pack_id]
    assert answers[0]["sources"] == answers[1]["sources"] == answers[2]["sources"]


def test_a_fresh_machine_needs_nothing_but_the_folder(tmp_path):
    folder = write_harbour(tmp_path / "harbour")

    asked = run_satchel(["run", folder, FUEL, "--json"], extra={HOME_VARIABLE: str(tmp_path / "fresh")})

    assert asked.returncode == 0, asked.stderr
    assert the_object(asked.stdout)["sources"][0]["file"] == "handbook.pdf"
    assert asked.stderr == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["nobody", FUEL], ("assistant-missing", 18)),
        (["PACK", FUEL, "--model", "no-such-model"], ("model-missing", 42)),
        (["PACK", FUEL, "--model", "NOT_A_MODEL"], ("not-a-gguf", 43)),
        (["PACK", FUEL, "--gpu-layers", "²"], ("usage", 2)),
        *((["PACK", FUEL, "--temperature", number], ("usage", 2)) for number in ("99", "-1", "nan")),
        (["PACK", FUEL, "--seed", "-1"], ("usage", 2)),
        (["PACK", FUEL, "--context", "-1"], ("usage", 2)),
        (["PACK", FUEL, "--timeout", "0"], ("usage", 2)),
        (["PACK", FUEL, "--timeout", "soon"], ("usage", 2)),
        (["PACK", FUEL, "--events"], ("usage", 2)),
        (["PACK", "--batch", "none.jsonl"], ("usage", 2)),
        (["NOT_A_PACK", FUEL], ("not-a-pack", 30)),
    ],
)
def test_every_failure_is_one_object_with_its_exit_code(capsys, harbour, tmp_path, given, told):
    write_files(tmp_path, {"no.gguf": "hello", "no.pack": "hello"})
    places = {"PACK": harbour.pack, "NOT_A_PACK": tmp_path / "no.pack", "NOT_A_MODEL": tmp_path / "no.gguf"}

    assert main(["run", *(str(places.get(word, word)) for word in given), "--json"]) == told[1]

    error = the_error(capsys.readouterr().out)
    assert (error["code"], error["exit_code"]) == told


def test_an_assistant_that_is_not_there_is_told_with_the_place_where_it_was_looked_for(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert main(["run", "nobody", FUEL]) == 18
    assert f"There is no assistant nobody: no folder or file {tmp_path / 'nobody'}, and no" in capsys.readouterr().err


def test_files_of_a_folder_that_cannot_be_read_are_told_with_the_answer(capsys, tmp_path):
    files = {"knowledge/gate.txt": "The gate opens at nine.", "knowledge/cut.pdf": ""}
    folder = write_project(tmp_path / "tutor", files=files)

    assert main(["run", str(folder), "When does the gate open?"]) == 0
    assert "note: left out cut.pdf is empty" in capsys.readouterr().err
    assert main(["run", str(folder), "When does the gate open?", "--json"]) == 0
    warning, *_ = the_object(capsys.readouterr().out)["warnings"]
    assert warning["kind"] == "unread-file"
    write_files(folder, {f"knowledge/{number}.pdf": "" for number in range(5)})
    assert main(["run", str(folder), "When does the gate open?"]) == 0
    assert "note: left out 3 more; `satchel index` lists all files" in capsys.readouterr().err


def test_the_starter_without_its_extra_names_the_command(capsys, harbour, monkeypatch):
    monkeypatch.setattr(starter, "_DISTRIBUTION", "satchel-no-such-distribution")

    assert main(["run", str(harbour.pack), FUEL, "--model", "starter"]) == 60

    assert "In the checkout run: pip install '.[starter]'" in capsys.readouterr().err


def test_past_its_time_it_is_124(capsys, harbour_folder, stranger, monkeypatch):
    """The time covers reading the files of a folder that nobody has indexed yet."""
    monkeypatch.setenv(HOME_VARIABLE, str(stranger.data.parent))

    assert main(["run", str(harbour_folder), FUEL, "--timeout", "0.05", "--json"]) == 124

    error = the_error(capsys.readouterr().out)
    assert error["code"] == "out-of-time"
    assert error["message"].startswith("It took longer than the 0.05 s it was given")


def test_a_batch_prints_a_line_for_each_and_tells_how_many_failed(capsys, tmp_path):
    model = write_gguf(tmp_path / "tiny.gguf", TinyModel(context=256))
    folder = write_project(tmp_path / "tutor", settings="[sampling]\nmax_tokens = 4\n")
    write_files(
        tmp_path,
        {"q.jsonl": json.dumps({"id": "long", "question": "tide " * 2000}) + '\n{"question": "tide?"}\n'},
    )

    code = main(["run", str(folder), "--batch", str(tmp_path / "q.jsonl"), "--model", str(model)])

    said = capsys.readouterr()
    failed, answered = map(json.loads, said.out.splitlines())
    assert code == 1
    assert (failed["line"], failed["id"], failed["error"]["code"]) == (1, "long", "context-too-small")
    assert answered["line"] == 2
    assert answered["result"]["model"] == "tiny"
    assert "error" not in answered
    assert "1 questions failed" not in said.err
    assert "1 question failed; its line says why." in said.err


@pytest.mark.parametrize(
    ("origin", "decision", "code"),
    [("", "allow", 0), (f'unpacked_from = "{"a" * 64}"\n', "deny", NobodyToAskError.exit_code)],
)
def test_a_batch_gives_tools_their_folders_and_has_its_own_exit_code_where_one_would_have_asked(
    capsys, tmp_path, origin, decision, code
):
    call = ("<tool_call>", '{"name": "files_list", "arguments": {"folder": "notes"}}', "</tool_call>")
    model = write_scripted_gguf(tmp_path / "scripted.gguf", call, after_tools=("Well.",))
    folder = write_project(tmp_path / "tutor", settings=f'{origin}[tools.files]\nrequests = ["fs.read notes"]\n')
    write_files(tmp_path, {"q.jsonl": '{"question": "What is there?"}\n', "notes/tides.md": "High at noon."})
    batch = ["--batch", str(tmp_path / "q.jsonl"), "--folder", str(tmp_path / "notes")]

    assert main(["run", str(folder), *batch, "--model", str(model)]) == code

    (tool_call,) = json.loads(capsys.readouterr().out)["result"]["tool_calls"]
    assert tool_call["decision"] == decision
    assert ("tides.md" in tool_call["result"]) == (decision == "allow")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--folder", "a/notes", "--write-folder", "b/notes"], 'two folders are called "notes"'),
        (["--folder", "a/notes", "--folder", "b/notes"], 'two folders are called "notes"'),
        (["--write-folder", "/"], "by no name"),
        (["--folder", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_folders_of_one_name_or_of_none_are_refused(capsys, tmp_path, monkeypatch, given, says):
    write_files(tmp_path, {"a/notes/1.md": "1", "b/notes/2.md": "2"})
    monkeypatch.chdir(tmp_path)

    assert main(["run", "tutor", FUEL, *given]) == 2
    assert says in capsys.readouterr().err


def test_a_batch_in_which_all_goes_well_is_0(capsys, harbour, tmp_path):
    write_files(tmp_path, {"q.jsonl": f'{{"question": "{FUEL}"}}\n'})

    assert main(["run", str(harbour.pack), "--batch", str(tmp_path / "q.jsonl")]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["result"]["found"] is True
    assert said.err == ""


@pytest.mark.parametrize("with_it", [["--json"], ["--events"], ["a question"]])
def test_a_batch_goes_with_nothing_that_would_print_otherwise(capsys, harbour, tmp_path, with_it):
    write_files(tmp_path, {"q.jsonl": f'{{"question": "{FUEL}"}}\n'})

    assert main(["run", str(harbour.pack), "--batch", str(tmp_path / "q.jsonl"), *with_it]) == 2
    assert "--batch" in capsys.readouterr().err


def test_ctrl_c_ends_an_answer_with_130_and_one_object(tmp_path, home):
    folder = write_project(
        tmp_path / "tutor", settings="[sampling]\nmax_tokens = 4000\ntemperature = 0\nrepeat_penalty = 1\n"
    )
    question = "Write all numbers from 1 to 2000, each on a line of its own."
    with start_python(ASK, str(folder), question, "--model", "starter", "--context", "4096", "--events") as asked:
        try:
            assert asked.stdout is not None
            while json.loads(asked.stdout.readline())["event"] != "token":
                pass
            asked.send_signal(signal.SIGINT)
            rest, told = asked.communicate(timeout=20)
        finally:
            asked.kill()

    assert asked.returncode == 130
    assert "Traceback" not in told
    assert all(json.loads(line) for line in rest.splitlines())
    with History(home.history) as history:
        assert history.search("numbers")[0].text == question


def test_an_undecodable_folder_and_question_are_taken_as_they_are(tmp_path, harbour):
    folder = tmp_path / "caf\udce9"
    shutil.copytree(harbour.folder, folder)

    asked = run_satchel(
        ["run", folder, "Where is diesel sold \udcff?", "--json"], extra={HOME_VARIABLE: str(harbour.home.data.parent)}
    )

    assert asked.returncode == 0, asked.stderr
    assert the_object(asked.stdout)["found"] is True


def test_a_pack_without_knowledge_says_that_it_has_no_files(capsys, tmp_path):
    pack = write_plain_pack(tmp_path / "a.pack")
    assert FILES not in Path(pack).read_bytes().decode(errors="replace")

    assert main(["run", str(pack), FUEL]) == 0
    assert capsys.readouterr().out.startswith("I have no files to answer from, and no language model is in use.")
