"""What an engine is: a model that is loaded, renders a conversation into tokens, and speaks token by token.

`llama.LlamaEngine` is one in this process, `client.EngineClient` the same in a worker process, which the product uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from satchel.runtime.progress import SILENT, Progress

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
StopReason: TypeAlias = Literal["stop", "length", "cancelled"]
LOADING = "loading the model"
LOADING_ONTO_GPU = "loading the model onto the GPU"
KvType: TypeAlias = Literal["f16", "q8_0"]


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that an assistant's message holds."""

    name: str
    arguments: dict[str, Any]


class ChatMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One message of a conversation, in the form that chat templates take."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    name: str = ""
    """Of the tool whose result a message of role `tool` carries."""


class SamplingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the next token is chosen. Each value that says "off" leaves its sampler out of the chain."""

    temperature: float = 0.2
    """0 takes the likeliest token."""
    top_k: int = 40
    """0 is off."""
    top_p: float = 0.95
    """1 is off."""
    min_p: float = 0.05
    """0 is off."""
    typical_p: float = 1.0
    """1 is off."""
    repeat_penalty: float = 1.05
    """1 is off."""
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    penalty_tokens: int = 256
    """How many of the answer's last tokens the penalties look at; the prompt may be quoted freely."""
    dry_multiplier: float = 0.0
    """"Don't repeat yourself": penalises the token that would go on with a repetition; 0 is off."""
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    alternatives: int = 5
    """How many of the likeliest tokens are reported beside each sampled one."""


class Grammar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A GBNF grammar. With `triggers` it sleeps until one of these words appears, and holds from its first letter on.

    `gbnf`'s `root` must begin with the trigger words themselves.
    """

    gbnf: str
    triggers: tuple[str, ...] = ()


class LoadSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model to load, and how."""

    path: str
    """A GGUF, or any part of a split one."""
    adapter: str | None = None
    """A LoRA adapter, as GGUF."""
    adapter_scale: float = 1.0
    context: int = 0
    """Window in tokens; 0: what the plan finds."""
    gpu_layers: int | None = None
    """None: as many as the plan finds room for."""
    kv_type: KvType | None = None
    """None: f16, or q8_0 where that brings more layers onto the GPU."""
    threads: int = 0
    """0: one a physical core."""
    cache: str | None = None
    """The cache folder, for prompt states on disk and for what loading taught; None keeps neither."""
    prefix_bytes: int = 2 << 30
    """Most that prompt states on disk may take; 0 keeps none."""


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something about the model that a person should know; `kind` is stable, `text` is in plain words."""

    kind: str
    text: str


class ModelInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model as it was loaded."""

    name: str
    path: str
    architecture: str
    description: str
    """llama.cpp's own words: "llama 134M Q4_1"."""
    parameters: int
    size_bytes: int
    layers: int
    gpu_layers: int
    context_tokens: int
    trained_context_tokens: int
    vocabulary_tokens: int
    kv_type: KvType
    threads: int
    template: Literal["model", "chatml"]
    mentions_tools: bool
    """The model's own template lists tools, and writes calls in the documented form (`tools.calls`)."""
    opens_thinking: bool
    """The template ends the prompt with `<think>`: what the model says begins inside a thought."""
    identity: str
    """Changes whenever the weights may have."""
    plan: tuple[str, ...]
    """What was reckoned and chosen, line by line."""
    notes: tuple[Note, ...]
    load_seconds: float


class Prefill(msgspec.Struct, frozen=True, array_like=True, tag="prefill"):
    """The prompt is being read."""

    done: int
    total: int
    """Tokens; what is reused counts as done."""
    seconds_left: float | None


class Alternative(msgspec.Struct, frozen=True, array_like=True):
    """A token that could have come instead."""

    text: str
    logprob: float


class TokenPiece(msgspec.Struct, frozen=True, array_like=True, tag="token"):
    """One sampled token.

    `text` is empty for a token that only begins a character; the one that completes it brings the whole character.
    `logprob` is that of the model's own distribution, before temperature, penalties or grammar.
    """

    text: str
    token_id: int
    logprob: float
    alternatives: tuple[Alternative, ...]


class TokenUsage(msgspec.Struct, frozen=True, array_like=True):
    """Tokens of one generation."""

    prompt: int
    reused: int
    """Of the prompt, those whose state was still in memory."""
    restored: int
    """Of the prompt, those whose state came from the disk."""
    generated: int
    context: int


class Timings(msgspec.Struct, frozen=True, array_like=True):
    """Milliseconds of one generation."""

    render: float
    prefill: float
    first_token: float
    """From the call to the first token."""
    decode: float
    threads: int
    """That decoded the last token; fewer than there are cores where other processes use them."""


class Generated(msgspec.Struct, frozen=True, array_like=True, tag="generated"):
    """The end of a generation, always the last item."""

    reason: StopReason
    seed: int
    """Given again with the same prompt, it gives the same text."""
    usage: TokenUsage
    timings: Timings
    notes: tuple[Note, ...] = ()


Item: TypeAlias = Prefill | TokenPiece | Generated


class Engine(Protocol):
    """A loaded model. Calls run on one thread at a time; `cancel` may be called from any."""

    def load(self, spec: LoadSpec, *, progress: Progress = SILENT) -> ModelInfo:
        """Load a model, in the place of what is loaded.

        Raises:
            NotAGgufError, TruncatedModelError, MissingPartError: the file is not a sound GGUF.
            UnsupportedModelError, ModelLoadError, ModelTooLargeError, AdapterError: it cannot run here.
        """

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, special ones not parsed and none added."""

    def render(self, messages: Sequence[ChatMessage], tools: Sequence[dict[str, Any]] | None = None) -> list[int]:
        """Return the prompt's tokens, by the model's own chat template.

        Raises:
            TemplateError: the template refuses the conversation.
        """

    def generate(
        self,
        messages: Sequence[ChatMessage],
        sampling: SamplingSettings,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        grammar: Grammar | None = None,
        seed: int | None = None,
        tools: Sequence[dict[str, Any]] | None = None,
        pinned: int = 0,
    ) -> Iterator[Item]:
        """Yield `Prefill`s, then a `TokenPiece` for every token, then one `Generated`.

        The first `pinned` messages are the same in every turn of an assistant: their state is kept on disk.
        Closing the iterator cancels.

        Raises:
            PromptTooLongError: the prompt does not fit the context.
            TemplateError, GrammarError: the conversation or the grammar cannot be used.
        """

    def cancel(self) -> None:
        """Stop the running generation within 200 ms, while it reads the prompt too; it ends with `Generated`."""

    def unload(self) -> None:
        """Free the model; whatever needs it next fails until one is loaded."""
