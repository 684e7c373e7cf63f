"""Speaks with a loaded model: prompt to tokens, tokens to text, and everything that is told about them."""

from __future__ import annotations

import ctypes
import math
import secrets
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from satchel.runtime.engine.base import (
    Alternative,
    ChatMessage,
    Generated,
    Grammar,
    Item,
    LoadSpec,
    ModelInfo,
    Note,
    Prefill,
    SamplingSettings,
    StopReason,
    Timings,
    TokenPiece,
    TokenUsage,
)
from satchel.runtime.engine.bindings import build_identity
from satchel.runtime.engine.decoding import AbortedError, AbortFlag, TokenSequence
from satchel.runtime.engine.errors import DecodeError, PromptTooLongError, TemplateError
from satchel.runtime.engine.gguf_header import GgufHeader
from satchel.runtime.engine.identity import file_identity
from satchel.runtime.engine.loaded import LoadedModel
from satchel.runtime.engine.logprobs import log_probabilities
from satchel.runtime.engine.plan import OffloadPlan
from satchel.runtime.engine.prefix import PrefixCache, prefix_key
from satchel.runtime.engine.sampling import Sampler, check_settings
from satchel.runtime.engine.template import ChatTemplate
from satchel.runtime.engine.text_stream import SampledToken, TextStream
from satchel.runtime.engine.threads import DecodeThreads
from satchel.runtime.engine.vocabulary import Vocabulary
from satchel.runtime.errors import UsageError

_LEAST_ANSWER_TOKENS = 32
_LEAST_PREFIX_TOKENS = 32
_SEEDS = 1 << 32
_RANDOM_SEED = 0xFFFFFFFF
_DESCRIPTION_BYTES = 256
# Begins as no question does: what a prompt has in common with it ends before the question.
_OTHER_QUESTION = "~"


class Speaker:
    """A loaded model with its vocabulary, template and memory."""

    def __init__(
        self,
        llama: Any,
        *,
        loaded: LoadedModel,
        header: GgufHeader,
        plan: OffloadPlan,
        spec: LoadSpec,
        abort: AbortFlag,
        identity: str,
        threads: int,
    ) -> None:
        """Takes over `loaded` and frees it in `close`."""
        self._llama = llama
        self._loaded = loaded
        self._header = header
        self._plan = plan
        self._spec = spec
        self._abort = abort
        self._identity = identity
        self._most_threads = threads
        self._vocabulary = Vocabulary(llama, loaded.model)
        self._template = ChatTemplate(
            _template_of(llama, loaded.model, None),
            with_tools=_template_of(llama, loaded.model, b"tool_use"),
            bos=self._vocabulary.token_text(self._vocabulary.bos),
            eos=self._vocabulary.token_text(self._vocabulary.eos),
            control_texts=self._vocabulary.control_texts,
            mark_texts=self._vocabulary.mark_texts,
        )
        window = int(llama.llama_model_n_swa(loaded.model))
        self._context_tokens = int(llama.llama_n_ctx(loaded.context))
        self._sequence = TokenSequence(llama, loaded.context, batch_tokens=plan.batch_tokens, window=window)
        # Where sums depend on the number of threads (flash attention on the CPU), it stays as it is.
        self._threads = DecodeThreads(threads) if plan.flash_attention is False else None
        self._prefixes = (
            PrefixCache(Path(spec.cache) / "prefix", most_bytes=spec.prefix_bytes)
            if spec.cache is not None and spec.prefix_bytes
            else None
        )
        self._saving: threading.Thread | None = None

    def describe(self, *, load_seconds: float, notes: Sequence[Note] = ()) -> ModelInfo:
        """Return what was loaded; `notes` are about the loading."""
        llama, model = self._llama, self._loaded.model
        return ModelInfo(
            name=self._header.text("general.name") or self._header.path.stem,
            path=str(self._header.path),
            architecture=self._header.architecture,
            description=_description(llama, model),
            parameters=int(llama.llama_model_n_params(model)),
            size_bytes=self._header.file_bytes,
            layers=int(llama.llama_model_n_layer(model)),
            gpu_layers=self._plan.gpu_layers,
            context_tokens=self._context_tokens,
            trained_context_tokens=int(llama.llama_model_n_ctx_train(model)),
            vocabulary_tokens=self._vocabulary.size,
            kv_type=self._plan.kv_type,
            threads=self._most_threads,
            template=self._template.kind,
            mentions_tools=self._template.mentions_tools,
            opens_thinking=self._template.opens_thinking,
            identity=self._identity,
            plan=self._plan.lines,
            notes=(*notes, *self._template.notes),
            load_seconds=load_seconds,
        )

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, special ones not parsed."""
        return len(self._vocabulary.tokenise(text, parse_special=False))

    def render(
        self, messages: Sequence[ChatMessage], tools: Sequence[dict[str, Any]] | None
    ) -> tuple[list[int], tuple[Note, ...]]:
        """Return a conversation's tokens, and notes about it."""
        pieces, notes = self._template.render(messages, tools)
        tokens = [token for piece in pieces for token in self._vocabulary.tokenise(piece, parse_special=True)]
        if self._vocabulary.adds_bos and tokens[:1] != [self._vocabulary.bos]:
            tokens.insert(0, self._vocabulary.bos)  # most templates write it themselves
        return tokens, notes

    def speak(
        self,
        messages: Sequence[ChatMessage],
        sampling: SamplingSettings,
        *,
        max_tokens: int,
        stop: Sequence[str],
        grammar: Grammar | None,
        seed: int | None,
        tools: Sequence[dict[str, Any]] | None,
        pinned: int,
    ) -> Iterator[Item]:
        """Check everything at once, and return the stream of the answer."""
        called = time.perf_counter()
        if max_tokens < 1:
            raise UsageError(reason=f"max_tokens is {max_tokens}; it must be at least 1")
        if seed is not None and not 0 <= seed < _SEEDS:
            raise UsageError(reason=f"seed is {seed}; it must be between 0 and {_SEEDS - 1:,}")
        check_settings(sampling)
        prompt, notes = self.render(messages, tools)
        reserved = min(max_tokens, _LEAST_ANSWER_TOKENS)
        room = self._context_tokens - reserved
        if len(prompt) > room:
            raise PromptTooLongError(
                prompt_tokens=f"{len(prompt):,}",
                context_tokens=f"{self._context_tokens:,}",
                reserved=reserved,
                room=f"{room:,}",
            )
        pinned_tokens = self._pinned_tokens(messages, tools, prompt, pinned)
        # llama.cpp takes the highest seed for "choose one yourself", and would not say which.
        chosen = secrets.randbelow(_RANDOM_SEED) if seed is None else seed % _RANDOM_SEED
        run = _Run(called, prompt, chosen, notes, min(max_tokens, self._context_tokens - len(prompt)))
        stream = TextStream([*stop, *self._template.stops])
        return self._stream(run, sampling, grammar, stream, pinned_tokens)

    def close(self) -> None:
        """Free the model; waits for a state that is being written."""
        if self._saving is not None:
            self._saving.join()
            self._saving = None
        self._loaded.close()

    def _stream(
        self, run: _Run, sampling: SamplingSettings, grammar: Grammar | None, stream: TextStream, pinned: int
    ) -> Iterator[Item]:
        reason: StopReason = "cancelled"
        sampler = Sampler(self._llama, self._vocabulary, sampling, seed=run.seed, grammar=grammar)
        try:
            yield from self._read_prompt(run, pinned)
            run.prompt_read = time.perf_counter()
            reason = yield from self._say(run, sampler, stream, sampling.alternatives)
        except AbortedError:
            pass
        finally:
            sampler.close()
        yield from stream.finish()
        yield self._finished(run, reason)

    def _read_prompt(self, run: _Run, pinned: int) -> Iterator[Prefill]:
        prompt, sequence = run.prompt, self._sequence
        known = run.reused = sequence.keep_common(prompt)
        key = None
        if self._prefixes is not None and known < pinned and pinned >= _LEAST_PREFIX_TOKENS:
            key = self._prefix_key(prompt[:pinned])
            run.restored = pinned if self._restore(key, prompt[:pinned]) else 0
            known = len(sequence)
            run.reused = known - run.restored
        yield Prefill(known, len(prompt), None)
        started = time.perf_counter()
        for done in sequence.read(prompt, pinned=pinned):
            if done == pinned and pinned >= _LEAST_PREFIX_TOKENS:
                sequence.settle()
                if key is not None:
                    self._save(key, pinned)
            rate = (done - known) / (time.perf_counter() - started)
            yield Prefill(done, len(prompt), (len(prompt) - done) / rate)
            if self._abort.is_up:
                raise AbortedError

    def _say(
        self, run: _Run, sampler: Sampler, stream: TextStream, alternatives: int
    ) -> Generator[TokenPiece, None, StopReason]:
        vocabulary, context = self._vocabulary, self._loaded.context
        size = vocabulary.size
        self._set_threads()
        while not self._abort.is_up:
            token = sampler.sample(context)
            if not run.generated:
                run.first_token = time.perf_counter()
            run.generated += 1
            if vocabulary.ends_generation(token):
                return "stop"
            logits = np.ctypeslib.as_array(self._llama.llama_get_logits_ith(context, -1), (size,))
            logprob, others = log_probabilities(logits, token, alternatives)
            if math.isnan(logprob):
                raise DecodeError(reason="its weights give no numbers; the file may be damaged")
            sampled = SampledToken(
                token,
                vocabulary.piece(token, special=sampler.shows_control_tokens),
                logprob,
                tuple(Alternative(vocabulary.text_of(other), value) for other, value in others),
            )
            yield from stream.push(sampled)
            if stream.stopped:
                return "stop"
            if run.generated >= run.most_tokens:
                return "length"
            self._append(token)
        return "cancelled"

    def _append(self, token: int) -> None:
        if self._threads is None:
            self._sequence.append(token)
            return
        wall, processor = time.perf_counter(), time.process_time()
        self._sequence.append(token)
        before = self._threads.now
        self._threads.observe(time.perf_counter() - wall, time.process_time() - processor)
        if self._threads.now != before:
            self._set_threads()

    def _set_threads(self) -> None:
        decoding = self._threads.now if self._threads is not None else self._most_threads
        self._llama.llama_set_n_threads(self._loaded.context, decoding, self._most_threads)

    def _pinned_tokens(
        self, messages: Sequence[ChatMessage], tools: Sequence[dict[str, Any]] | None, prompt: list[int], pinned: int
    ) -> int:
        """Return how many of the prompt's first tokens are the same whatever follows the pinned messages."""
        if not 0 < pinned < len(messages):
            return 0
        # Many templates take no instructions without a question, so that another question is asked.
        other = msgspec.structs.replace(messages[pinned], content=_OTHER_QUESTION)
        try:
            head, _ = self.render([*messages[:pinned], other], tools)
        except TemplateError:
            return 0
        common = 0
        for mine, theirs in zip(head, prompt, strict=False):
            if mine != theirs:
                break
            common += 1
        return min(common, len(prompt) - 1)

    def _prefix_key(self, tokens: Sequence[int]) -> str:
        adapter = self._spec.adapter
        parts = [
            self._identity,
            build_identity(),
            self._plan.kv_type,
            f"layers {self._plan.gpu_layers}, batch {self._plan.batch_tokens}, flash {self._plan.flash_attention}",
            # As in `__init__`: without flash attention sums do not depend on it.
            "" if self._plan.flash_attention is False else f"threads {self._most_threads}",
            # Some models scale their rotary positions by the size of the context.
            f"context {self._context_tokens}, windows {self._plan.full_window_cache}",
            self._template.digest_source,
            f"{file_identity(Path(adapter))} x {self._spec.adapter_scale}" if adapter else "",
        ]
        return prefix_key(parts, tokens)

    def _restore(self, key: str, tokens: list[int]) -> bool:
        assert self._prefixes is not None
        state = self._prefixes.load(key)
        if state is None:
            return False
        if self._sequence.restore(state, tokens):
            return True
        self._prefixes.remove(key)
        return False

    def _save(self, key: str, pinned: int) -> None:
        """Copy the state now and write it beside the answer."""
        assert self._prefixes is not None
        if not self._sequence.is_read_from_scratch(pinned) or key in self._prefixes:
            return
        if self._sequence.state_bytes > self._spec.prefix_bytes:
            return
        if self._saving is not None:
            self._saving.join()
        arguments = (key, self._sequence.state())
        self._saving = threading.Thread(target=self._prefixes.store, args=arguments, name="prompt state")
        self._saving.start()

    def _finished(self, run: _Run, reason: StopReason) -> Generated:
        ended = time.perf_counter()
        read = run.prompt_read or ended
        return Generated(
            reason=reason,
            seed=run.seed,
            usage=TokenUsage(
                prompt=len(run.prompt),
                reused=run.reused,
                restored=run.restored,
                generated=run.generated,
                context=self._context_tokens,
            ),
            timings=Timings(
                render=1000 * (run.rendered - run.called),
                prefill=1000 * (read - run.rendered),
                first_token=1000 * ((run.first_token or ended) - run.called),
                decode=1000 * (ended - read),
                threads=self._threads.now if self._threads is not None else self._most_threads,
            ),
            notes=run.notes,
        )


class _Run:
    """What is counted and timed in one generation."""

    def __init__(self, called: float, prompt: list[int], seed: int, notes: tuple[Note, ...], most_tokens: int) -> None:
        self.called = called
        self.prompt = prompt
        self.seed = seed
        self.notes = notes
        self.most_tokens = most_tokens
        self.rendered = time.perf_counter()
        self.prompt_read: float | None = None
        self.first_token: float | None = None
        self.reused = self.restored = self.generated = 0


def _template_of(llama: Any, model: Any, name: bytes | None) -> str | None:
    text = llama.llama_model_chat_template(model, name)
    return text.decode(errors="replace") if text else None


def _description(llama: Any, model: Any) -> str:
    buffer = ctypes.create_string_buffer(_DESCRIPTION_BYTES)
    llama.llama_model_desc(model, buffer, _DESCRIPTION_BYTES)
    return buffer.value.decode(errors="replace")
