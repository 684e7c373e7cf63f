"""A grammar holds what the model says: from the start, or from the trigger of a tool call on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.generations import GREEDY, Generation, collect, user
from helpers.scripted_gguf import write_scripted_gguf

from satchel.runtime.engine.base import Grammar, LoadSpec, SamplingSettings
from satchel.runtime.engine.errors import GrammarError
from satchel.runtime.engine.llama import LlamaEngine

ASK = [user("What is the tide in Husum?")]
CALL = r"""
root   ::= "<tool_call>" "{\"name\": \"tide\", \"arguments\": " object "}" "</tool_call>"
object ::= "{\"place\": \"" [a-zA-Z ]{1,12} "\"}"
"""
TOOL_CALL = Grammar(CALL, ("<tool_call>",))


def _say(
    engine: LlamaEngine, folder: Path, script: list[str], grammar: Grammar | None, **control: list[str]
) -> Generation:
    engine.load(LoadSpec(path=str(write_scripted_gguf(folder / "scripted.gguf", script, **control))))
    return collect(engine.generate(ASK, GREEDY, max_tokens=100, grammar=grammar))


def _is_call(text: str) -> bool:
    """Whether a text is a call as the grammar asks for it."""
    if not (text.startswith("<tool_call>") and text.endswith("</tool_call>")):
        return False
    call = json.loads(text.removeprefix("<tool_call>").removesuffix("</tool_call>"))
    return call["name"] == "tide" and list(call["arguments"]) == ["place"]


def test_until_the_trigger_comes_the_model_speaks_freely(engine, tmp_path):
    script = ["The tide ", "{in} ", "<tool ", "is high."]

    said = _say(engine, tmp_path, script, TOOL_CALL)

    assert said.text == "The tide {in} <tool is high."
    assert said.exactly == _say(engine, tmp_path, script, None).exactly


def test_from_the_trigger_on_the_grammar_holds(engine, tmp_path):
    said = _say(engine, tmp_path, ["Let me see. ", "<tool_call>", "no JSON", " at all"], TOOL_CALL)

    assert said.text.startswith("Let me see. <tool_call>")
    assert _is_call(said.text.removeprefix("Let me see. "))
    assert said.ended.reason == "stop"


def test_a_sound_call_is_let_through_as_the_model_says_it(engine, tmp_path):
    script = ["<tool_call>", '{"name": "tide", "arguments": {"place": "', "Husum", '"}}', "</tool_call>"]

    assert _say(engine, tmp_path, script, TOOL_CALL).text == "".join(script)


TRIGGERS = ("<tool_call>", "[TOOL_CALLS]", '{"name"', "<|python_tag|>", "a-b c", "(x)", "a\nb", ".*", "^$", "日本", "→")


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("cut", ["one token", "two tokens", "with text before", "a control token"])
def test_a_trigger_wakes_the_grammar_however_its_letters_are_cut_into_tokens(engine, tmp_path, trigger, cut):
    quoted = trigger.replace('"', '\\"').replace("\n", "\\n")
    half = len(trigger) // 2
    script = {
        "one token": ["So ", trigger],
        "two tokens": ["So " + trigger[:half], trigger[half:]],
        "with text before": ["So ~" + trigger],
        "a control token": ["So ", trigger],
    }[cut]
    control = [trigger] if cut == "a control token" else []

    said = _say(
        engine, tmp_path, [*script, "nonsense"], Grammar(f'root ::= "{quoted}" "yes"', (trigger,)), control=control
    )

    assert said.text == "".join(script) + "yes"


def test_a_token_that_holds_the_trigger_and_goes_on_against_the_grammar_is_not_said(engine, tmp_path):
    grammar = Grammar('root ::= "<tool_call>" "yes"', ("<tool_call>",))

    assert "<tool_call>" not in _say(engine, tmp_path, ["So <tool", "_call>no"], grammar).text
    assert _say(engine, tmp_path, ["So <tool", "_call>ye"], grammar).text == "So <tool_call>yes"


def test_control_tokens_that_the_grammar_asks_for_are_part_of_the_text(engine, tmp_path):
    control = ["<tool_call>", "</tool_call>"]
    grammar = Grammar('root ::= "<tool_call>" "{}" "</tool_call>"', ("<tool_call>",))

    said = _say(engine, tmp_path, ["<tool_call>", "{}", "</tool_call>"], grammar, control=control)

    assert said.text == "<tool_call>{}</tool_call>"


def test_a_control_token_without_a_grammar_is_no_text(engine, tmp_path):
    assert _say(engine, tmp_path, ["a", "<tool_call>", "b"], None, control=["<tool_call>"]).text == "ab"


def test_any_of_several_triggers_wakes_it(engine, tmp_path):
    grammar = Grammar('root ::= ("[A]" | "[B]") "yes"', ("[A]", "[B]"))

    assert _say(engine, tmp_path, ["x", "[B]", "no"], grammar).text == "x[B]yes"
    assert _say(engine, tmp_path, ["x", "[A]", "no"], grammar).text == "x[A]yes"


def test_without_triggers_it_holds_from_the_first_token(engine, tmp_path):
    said = _say(engine, tmp_path, ["Well, ", "yes"], Grammar('root ::= ("yes" | "no") "."'))

    assert said.text in {"yes.", "no."}
    assert said.ended.reason == "stop"


def test_probabilities_are_the_models_own_not_the_grammars(engine, tmp_path):
    free = _say(engine, tmp_path, ["Well"], None)

    held = _say(engine, tmp_path, ["Well"], Grammar('root ::= "no"'))

    assert held.pieces[0].alternatives == free.pieces[0].alternatives
    assert held.pieces[0].logprob < -20 < free.pieces[0].logprob


def test_random_models_keep_a_grammar_at_any_temperature(engine, tiny_path):
    engine.load(LoadSpec(path=str(tiny_path)))
    grammar = Grammar('root ::= "[" [0-9]{1,3} ("," [0-9]{1,3}){1,4} "]"')
    wild = SamplingSettings(temperature=5.0, top_k=0, top_p=1.0, min_p=0.0)

    said = [collect(engine.generate(ASK, wild, max_tokens=60, grammar=grammar, seed=seed)) for seed in range(20)]

    assert all(isinstance(number, int) for one in said for number in _numbers(one.text))
    assert len({one.text for one in said}) == 20
    again = collect(engine.generate(ASK, wild, max_tokens=60, grammar=grammar, seed=3))
    assert again.exactly == said[3].exactly


def _numbers(text: str) -> list[int]:
    assert (text[0], text[-1]) == ("[", "]")
    return [int(number) for number in text[1:-1].split(",")]


@pytest.mark.parametrize(
    ("grammar", "words"),
    [
        (Grammar("this is none"), "no valid GBNF"),
        (Grammar('other ::= "x"'), "no rule `root`"),
        (Grammar('root ::= missing "x"'), "no valid GBNF"),
        (Grammar('root ::= root "x"'), "no valid GBNF"),
        (Grammar('root ::= "x'), "no valid GBNF"),
        (Grammar('root ::= "x"\0'), "NUL"),
        (Grammar('root ::= "x"', ("y",)), "does not begin with the trigger 'y'"),
        (Grammar('root ::= "x"', ("x", "")), "a trigger is empty"),
    ],
)
def test_a_grammar_that_cannot_be_used_is_an_error_and_the_next_answer_works(engine, tiny_path, grammar, words):
    engine.load(LoadSpec(path=str(tiny_path)))

    with pytest.raises(GrammarError, match=words):
        collect(engine.generate(ASK, GREEDY, max_tokens=5, grammar=grammar))

    assert collect(engine.generate(ASK, GREEDY, max_tokens=5)).pieces
