"""The part of a turn that a language model speaks: fit the prompt into the window, stream, cite."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from satchel.runtime.engine.base import (
    ChatMessage,
    Generated,
    LoadSpec,
    ModelInfo,
    Prefill,
    SamplingSettings,
    TokenPiece,
    ToolCall,
)
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.engine.errors import TemplateError
from satchel.runtime.knowledge.answers import FoundPassage
from satchel.runtime.project.schema import Sampling
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.citations import find_citations
from satchel.runtime.session.context import ContextDemand, ContextPlan, plan_context
from satchel.runtime.session.events import (
    Event,
    FinishReason,
    Progress,
    Source,
    Usage,
    Warned,
)
from satchel.runtime.session.idle import IdleTimer
from satchel.runtime.session.offered_tools import OfferedTools
from satchel.runtime.session.pinpoint import pinpoint
from satchel.runtime.session.prompt import (
    FENCES,
    NOT_IN_THE_FILES,
    Exchange,
    example_messages,
    exchange_messages,
    passage_block,
    question_message,
    summarise_dropped,
    system_message,
)
from satchel.runtime.session.quoting import Spoken, passages_as_sources
from satchel.runtime.session.speech import Speech
from satchel.runtime.session.timings import Timings
from satchel.runtime.session.tool_prompt import (
    LEAST_RESULT_TOKENS,
    as_plain_messages,
    call_messages,
    describe_tools,
    fitted,
)

if TYPE_CHECKING:
    from satchel.runtime.session.acting import Acting
    from satchel.runtime.session.chat_labels import ChatLabels
    from satchel.runtime.tools.runner import CallOutcome

_MESSAGE_TOKENS = 8
"""What a chat template puts round each message; measured 5 to 7 on ChatML and Llama 3."""


class LanguageModel:
    """A model that answers for an assistant; loaded at the first answer."""

    def __init__(
        self,
        engine: EngineClient,
        spec: LoadSpec,
        sampling: Sampling,
        *,
        name: str,
        minimum_context: int = 0,
        idle_seconds: float = 0.0,
        notes: Sequence[Warned] = (),
    ) -> None:
        """`name` is how answers say who spoke; the engine belongs to this object from here on.

        `minimum_context` is the window, in tokens, that the assistant's author asks for; after `idle_seconds` without a
        question the model is unloaded (0: never); `notes` are told at the first answer.
        """
        self.name = name
        self._engine = engine
        self._spec = spec
        self._sampling = sampling
        self._minimum_context = minimum_context
        self._notes = list(notes)
        self._idle = IdleTimer(idle_seconds, self._unload)
        self._loaded: ModelInfo | None = None

    def answer(
        self,
        question: str,
        assistant: LoadedAssistant,
        past: Sequence[Exchange],
        passages: Sequence[FoundPassage],
        timings: Timings,
        *,
        acting: Acting | None = None,
        labels: ChatLabels | None = None,
    ) -> Generator[Event, None, Spoken]:
        """Answer one question from the passages that a search found, best first, calling tools where there is `acting`.

        `labels` are those of all that the model is shown; results are added to them.

        Raises:
            ContextTooSmallError: instructions and question alone do not fit; carries the sums.
            EngineError, WorkerDiedError: by their docstrings; the next answer loads the model again.
        """
        with self._idle.used():
            turn = acting.begin(labels) if acting is not None and labels is not None else None
            return (
                yield from self._answer(question, assistant, past, passages, timings, tools=OfferedTools(acting, turn))
            )

    def _answer(
        self,
        question: str,
        assistant: LoadedAssistant,
        past: Sequence[Exchange],
        passages: Sequence[FoundPassage],
        timings: Timings,
        *,
        tools: OfferedTools,
    ) -> Generator[Event, None, Spoken]:
        model = yield from self._load(timings)
        sources = passages_as_sources(passages)
        yield from tools.begin()
        with timings.stage("prompt"):
            messages, plan, pinned = self._compose(question, assistant, past, sources, model=model, tools=tools)
        yield from _left_out(plan, sources)
        shown = sources[: plan.passages_kept]
        said: list[str] = []
        usage = Usage()
        while True:
            speech = Speech(said, opens_thinking=model.opens_thinking, calls_tools=bool(tools.descriptions))
            ended = yield from self._speak(messages, speech, plan, tools, model, fenced=bool(shown), pinned=pinned)
            usage = _added(usage, ended)
            timings.add("prefill", ended.timings.prefill)
            timings.add("decode", ended.timings.decode)
            if not speech.calls or ended.reason == "cancelled":
                break
            if tools.are_used_up:
                yield Warned("tool-limit", "No more calls are made in this turn: it has made as many as one may.")
                break
            room = self._room_for_results(speech, messages, plan)
            if room < LEAST_RESULT_TOKENS:
                yield Warned(
                    "window-full", "No more calls are made in this turn: their results would not fit the window."
                )
                break
            with timings.stage("tools"):
                messages += yield from self._act(speech, tools, messages, model, room=room)
        answer = "".join(said).rstrip()  # its beginning is stripped already: offsets count from there
        cited = [pinpoint(one, answer, passages) for one in find_citations(answer, shown)]
        yield from cited
        found = bool(answer) and not answer.startswith(NOT_IN_THE_FILES.rstrip("."))
        if shown and found and not cited:
            yield Warned("no-source", "The answer names no passage as its source: compare it with the files.")
        for note in ended.notes:
            yield Warned(note.kind, note.text)
        return Spoken(answer, found=found, reason=_reason(ended, answer), mode="model", usage=usage)

    def _speak(
        self,
        messages: Sequence[ChatMessage],
        speech: Speech,
        plan: ContextPlan,
        tools: OfferedTools,
        model: ModelInfo,
        *,
        fenced: bool,
        pinned: int,
    ) -> Generator[Event, None, Generated]:
        """Let the model speak until it ends or calls tools."""
        ended: Generated | None = None
        for item in self._engine.generate(
            messages,
            _settings(self._sampling),
            max_tokens=min(self._sampling.max_tokens, plan.free),
            stop=FENCES if fenced else (),
            grammar=tools.grammar,
            seed=self._sampling.seed,
            tools=_described(tools, model),
            pinned=pinned,
        ):
            match item:
                case Prefill():
                    yield Progress("reading the prompt", item.done, item.total, item.seconds_left)
                case TokenPiece():
                    yield from speech.feed(item)
                case Generated():
                    ended = item
                    yield from speech.end()
        assert ended is not None  # the last item of every generation
        return ended

    def _room_for_results(self, speech: Speech, messages: Sequence[ChatMessage], plan: ContextPlan) -> int:
        """Return how many tokens each result may have, so that an answer fits after them."""
        calls = [call for call in speech.calls if isinstance(call, ToolCall)]
        said = call_messages(speech.text, calls, [""] * len(calls), own_form=False)
        room = plan.window - plan.answer_reserve - plan.tools - self._tokens([*messages, *said])
        return room // len(speech.calls)

    def _act(
        self, speech: Speech, tools: OfferedTools, messages: Sequence[ChatMessage], model: ModelInfo, *, room: int
    ) -> Generator[Event, None, list[ChatMessage]]:
        """Make the calls, and return what the model reads next; each result has at most `room` tokens."""
        outcomes: list[CallOutcome] = []
        for call in speech.calls:
            if tools.are_used_up:
                break
            outcomes.append((yield from tools.act(call)))
        results = [fitted(one.result.text, room, self._engine.count_tokens) for one in outcomes]
        calls = [one.call for one in outcomes]
        further = call_messages(speech.text, calls, results, own_form=model.mentions_tools)
        return further if self._shows_results(messages, further, tools, model) else as_plain_messages(further)

    def _shows_results(
        self, messages: Sequence[ChatMessage], further: list[ChatMessage], tools: OfferedTools, model: ModelInfo
    ) -> bool:
        """Say whether the model's template writes results: some refuse the role `tool`, others pass over it."""
        *before, last = [*messages, *further]
        other = msgspec.structs.replace(last, content=f"{last.content}.")
        described = _described(tools, model)
        try:
            return self._engine.render([*before, last], described) != self._engine.render([*before, other], described)
        except TemplateError:
            return False

    def cancel(self) -> None:
        """Stop the running answer; safe from any thread."""
        self._engine.cancel()

    def close(self) -> None:
        """End the engine's process."""
        self._idle.close()
        self._engine.close()

    def _unload(self) -> None:
        if self._engine.is_loaded:
            self._engine.unload()
            self._loaded = None

    def _load(self, timings: Timings) -> Generator[Event, None, ModelInfo]:
        if self._loaded is None or not self._engine.is_loaded:
            yield Progress("loading the model", 0, 1)
            with timings.stage("load"):
                self._loaded = self._engine.load(self._spec)
            yield Progress("loading the model", 1, 1)
            for note in self._loaded.notes:
                yield Warned(note.kind, note.text)
            if (window := self._loaded.context_tokens) < self._minimum_context:
                text = (
                    f"The window has {window:,} tokens; the assistant was made for {self._minimum_context:,} or more."
                )
                yield Warned("small-context", text)
        while self._notes:
            yield self._notes.pop(0)
        return self._loaded

    def _compose(
        self,
        question: str,
        assistant: LoadedAssistant,
        past: Sequence[Exchange],
        sources: Sequence[Source],
        *,
        model: ModelInfo,
        tools: OfferedTools,
    ) -> tuple[list[ChatMessage], ContextPlan, int]:
        """Return the messages, what was left out of them, and how many of the first are the same in every turn."""
        has_knowledge = assistant.has_knowledge
        told = tools.descriptions
        in_prompt = describe_tools(told) if told and not model.mentions_tools else ""
        head = [system_message(assistant.instructions, has_knowledge=has_knowledge, tools=in_prompt)]
        head = [message for message in head if message.content] + example_messages(assistant.examples)
        bare = question_message(question, (), has_knowledge=has_knowledge)
        exchanges = [exchange_messages([exchange]) for exchange in past]
        demand = ContextDemand(
            instructions=self._tokens(head),
            tools=self._engine.count_tokens(str(told)) if told and not in_prompt else 0,
            question=self._tokens([bare]),
            answer_reserve=self._sampling.max_tokens,
            history=tuple(self._tokens(messages) for messages in exchanges),
            passages=tuple(self._engine.count_tokens(passage_block(source)) + 1 for source in sources),
        )
        plan = plan_context(demand, model.context_tokens)
        dropped, kept = past[: plan.history_dropped], past[plan.history_dropped :]
        earlier = summarise_dropped(dropped, characters=min(600, 2 * (plan.free - plan.answer_reserve)))
        asked = question_message(question, sources[: plan.passages_kept], has_knowledge=has_knowledge, earlier=earlier)
        return [*head, *exchange_messages(kept), asked], plan, len(head)

    def _tokens(self, messages: Sequence[ChatMessage]) -> int:
        return sum(self._engine.count_tokens(message.content) + _MESSAGE_TOKENS for message in messages)


def _left_out(plan: ContextPlan, sources: Sequence[Source]) -> Generator[Event, None, None]:
    if plan.history_dropped:
        count = plan.history_dropped
        oldest = "oldest exchange no longer fits" if count == 1 else f"{count} oldest exchanges no longer fit"
        yield Warned("history-left-out", f"The {oldest} the window of {plan.window} tokens.")
    if plan.passages_kept < len(sources):
        kept, found = plan.passages_kept, len(sources)
        yield Warned("passages-left-out", f"Only {kept} of {found} passages fit the window of {plan.window} tokens.")


def _described(tools: OfferedTools, model: ModelInfo) -> list[dict[str, Any]] | None:
    """Return the functions for a template that has a place for them; others are told of them in the prompt."""
    return tools.descriptions if model.mentions_tools else None


def _added(usage: Usage, ended: Generated) -> Usage:
    """Return the tokens of all that was generated in the turn; a call's round reads little anew."""
    return Usage(
        prompt_tokens=usage.prompt_tokens + ended.usage.prompt,
        cached_tokens=usage.cached_tokens + ended.usage.reused + ended.usage.restored,
        completion_tokens=usage.completion_tokens + ended.usage.generated,
        context_tokens=ended.usage.context,
    )


def _reason(ended: Generated, answer: str) -> FinishReason:
    if ended.reason == "cancelled":
        return "cancelled"
    if ended.reason == "length":
        return "length"
    return "not_found" if answer.startswith(NOT_IN_THE_FILES.rstrip(".")) else "answered"


def _settings(sampling: Sampling) -> SamplingSettings:
    return SamplingSettings(
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        min_p=sampling.min_p,
        repeat_penalty=sampling.repeat_penalty,
    )
