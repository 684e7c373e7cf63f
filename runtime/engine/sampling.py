"""Which token comes next: llama.cpp's sampler chain, and a grammar beside it.

The grammar is no part of the chain: tried on the whole vocabulary for every token it costs more than the model does
(a trap of llama-cpp-python's high-level class). Here a token is sampled first, and the grammar is asked about that one;
only when it says no is the vocabulary masked and sampled again. Same method: llama.cpp's common/sampling.cpp.
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.engine.base import Grammar, SamplingSettings
from satchel.runtime.engine.errors import GrammarError
from satchel.runtime.engine.vocabulary import Vocabulary
from satchel.runtime.errors import UsageError

_KEEP_ONE = 1
_DRY_BREAKERS = (b"\n", b":", b'"', b"*")
_MASKED = float("-inf")


class Sampler:
    """Chooses tokens for one generation. Frees what it made in `close`."""

    def __init__(
        self,
        llama: Any,
        vocabulary: Vocabulary,
        settings: SamplingSettings,
        *,
        seed: int,
        grammar: Grammar | None = None,
    ) -> None:
        """Build the chain.

        Raises:
            UsageError: a setting is out of its range.
            GrammarError: the grammar cannot be parsed.
        """
        check_settings(settings)
        self._llama = llama
        self._vocabulary = vocabulary
        self._grammar = _LazyGrammar(llama, vocabulary, grammar) if grammar is not None else None
        parameters = llama.llama_sampler_chain_default_params()
        parameters.no_perf = True
        self._chain = llama.llama_sampler_chain_init(parameters)
        for sampler in _samplers(llama, vocabulary, settings, seed):
            llama.llama_sampler_chain_add(self._chain, sampler)
        self._candidates: NDArray[Any] | None = None

    def sample(self, context: Any) -> int:
        """Return the next token from the last logits of a context, and take note of it."""
        if self._grammar is None:
            return int(self._llama.llama_sampler_sample(self._chain, context, -1))
        token = self._apply(self._fill(context))
        refused: list[int] = []
        while not self._grammar.allows(token):
            refused.append(token)
            candidates = self._fill(context)
            candidates["logit"][refused] = _MASKED
            if self._grammar.is_active:
                self._grammar.mask(self._array(candidates))
            if np.isneginf(candidates["logit"]).all():
                raise GrammarError(reason="it allows no token of this model at this place")
            token = self._apply(candidates)
        self._llama.llama_sampler_accept(self._chain, token)
        self._grammar.accept(token)
        return token

    @property
    def shows_control_tokens(self) -> bool:
        """Whether the last token's text is part of the answer though it be a control token: what a grammar asks for."""
        return self._grammar is not None and self._grammar.is_active

    def close(self) -> None:
        """Free the samplers; a second call does nothing."""
        if self._chain:
            self._llama.llama_sampler_free(self._chain)
            self._chain = None
        if self._grammar is not None:
            self._grammar.close()

    def _fill(self, context: Any) -> NDArray[Any]:
        size = self._vocabulary.size
        if self._candidates is None:
            self._candidates = np.zeros(size, np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)]))
        logits = np.ctypeslib.as_array(self._llama.llama_get_logits_ith(context, -1), (size,))
        self._candidates["id"] = np.arange(size, dtype=np.int32)
        self._candidates["logit"] = logits
        self._candidates["p"] = 0
        return self._candidates

    def _array(self, candidates: NDArray[Any]) -> Any:
        pointer = candidates.ctypes.data_as(self._llama.llama_token_data_p)
        return self._llama.llama_token_data_array(data=pointer, size=len(candidates), selected=-1, sorted=False)

    def _apply(self, candidates: NDArray[Any]) -> int:
        array = self._array(candidates)
        self._llama.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)


class _LazyGrammar:
    """A grammar that may sleep until a trigger word.

    Its sampler throws through C, which ends the process, when it is made to accept what the grammar forbids. A token
    may hold the end of the trigger and more ("_call>!"), so even while asleep a token that wakes it is tried first.
    """

    def __init__(self, llama: Any, vocabulary: Vocabulary, grammar: Grammar) -> None:
        self._llama = llama
        self._vocabulary = vocabulary
        self._triggers = [trigger.encode() for trigger in grammar.triggers]
        self._source = grammar.gbnf.encode()
        self._said = b""
        self._sampler: Any = None
        self.is_active = not self._triggers
        self._wakers: frozenset[int] = frozenset()
        if b"\0" in self._source or b"\0" in b"".join(self._triggers):
            raise GrammarError(reason="it holds a NUL character")
        if b"" in self._triggers:
            raise GrammarError(reason="a trigger is empty")
        strict = llama.llama_sampler_init_grammar(vocabulary.handle, self._source, b"root")
        if not strict:
            raise GrammarError(reason="it is no valid GBNF, or has no rule `root`")
        if self.is_active:
            self._sampler = strict
            return
        llama.llama_sampler_free(strict)
        # Triggers of a single token wake it by their id: llama.cpp gives control tokens no text to be found in.
        ids = [tokens[0] for trigger in grammar.triggers if len(tokens := self._parsed(trigger)) == 1]
        self._wakers = frozenset(ids)
        patterns = [re.escape(trigger).encode() for trigger in grammar.triggers]
        self._sampler = llama.llama_sampler_init_grammar_lazy_patterns(
            vocabulary.handle,
            self._source,
            b"root",
            (ctypes.c_char_p * len(patterns))(*patterns),
            len(patterns),
            (ctypes.c_int32 * len(ids))(*ids),
            len(ids),
        )
        if not self._sampler:
            raise GrammarError(reason="its triggers cannot be used")
        for trigger in self._triggers:
            if not self._can_begin_with(trigger):
                self.close()
                raise GrammarError(reason=f"its root does not begin with the trigger {trigger.decode()!r}")

    def allows(self, token: int) -> bool:
        """Return whether the next token may be this one."""
        if self.is_active:
            return self._passes(self._sampler, token)
        if token in self._wakers:
            return True
        woken = self._woken_by(token)
        return woken is None or self._can_begin_with(woken)

    def accept(self, token: int) -> None:
        """Move on by a token that was allowed."""
        if not self.is_active:
            piece = self._vocabulary.piece(token, special=True)
            self.is_active = token in self._wakers or self._woken_by(token) is not None
            longest = max(map(len, self._triggers))
            self._said = (self._said + piece)[-(longest + len(piece)) :]
        self._llama.llama_sampler_accept(self._sampler, token)

    def mask(self, array: Any) -> None:
        """Give every forbidden candidate a logit of minus infinity."""
        self._llama.llama_sampler_apply(self._sampler, ctypes.byref(array))

    def close(self) -> None:
        """Free the sampler."""
        if self._sampler:
            self._llama.llama_sampler_free(self._sampler)
            self._sampler = None

    def _woken_by(self, token: int) -> bytes | None:
        """Return the trigger and what comes after it, if this token completes one."""
        text = self._said + self._vocabulary.piece(token, special=True)
        starts = [at for trigger in self._triggers if (at := text.find(trigger)) >= 0]
        return text[min(starts) :] if starts else None

    def _can_begin_with(self, text: bytes) -> bool:
        """Try a text on a fresh grammar, token by token."""
        trial = self._llama.llama_sampler_init_grammar(self._vocabulary.handle, self._source, b"root")
        try:
            for token in self._parsed(text.decode(errors="ignore")):
                if not self._passes(trial, token):
                    return False
                self._llama.llama_sampler_accept(trial, token)
        finally:
            self._llama.llama_sampler_free(trial)
        return True

    def _passes(self, sampler: Any, token: int) -> bool:
        datum = self._llama.llama_token_data(id=token, logit=1.0, p=0.0)
        array = self._llama.llama_token_data_array(data=ctypes.pointer(datum), size=1, selected=-1, sorted=False)
        self._llama.llama_sampler_apply(sampler, ctypes.byref(array))
        return bool(datum.logit != _MASKED)

    def _parsed(self, text: str) -> list[int]:
        return self._vocabulary.tokenise(text, parse_special=True)


def check_settings(settings: SamplingSettings) -> None:
    """Refuse what llama.cpp would answer with an abort or with nonsense.

    Raises:
        UsageError: names the setting.
    """
    ranges = (
        ("temperature", 0, 100),
        ("top_k", 0, 1 << 30),
        ("top_p", 0, 1),
        ("min_p", 0, 1),
        ("typical_p", 0, 1),
        ("repeat_penalty", 0.01, 100),
        ("frequency_penalty", -100, 100),
        ("presence_penalty", -100, 100),
        ("penalty_tokens", 0, 1 << 20),
        ("dry_multiplier", 0, 100),
        ("dry_base", 1, 100),
        ("dry_allowed_length", 1, 1 << 16),
        ("alternatives", 0, 100),
    )
    for name, least, most in ranges:
        value = getattr(settings, name)
        if not least <= value <= most:  # false for NaN too
            raise UsageError(reason=f"{name} is {value}; it must be between {least} and {most}")


def _samplers(llama: Any, vocabulary: Vocabulary, settings: SamplingSettings, seed: int) -> list[Any]:
    """Return the chain's links in llama.cpp's own order."""
    chain = []
    penalised = (
        settings.repeat_penalty != 1 or settings.frequency_penalty or settings.presence_penalty
    ) and settings.penalty_tokens
    if penalised:
        chain.append(
            llama.llama_sampler_init_penalties(
                vocabulary.size,
                settings.penalty_tokens,
                settings.repeat_penalty,
                settings.frequency_penalty,
                settings.presence_penalty,
            )
        )
    if settings.dry_multiplier:
        chain.append(
            llama.llama_sampler_init_dry(
                vocabulary.handle,
                settings.dry_multiplier,
                settings.dry_base,
                settings.dry_allowed_length,
                max(settings.penalty_tokens, 1),
                (ctypes.c_char_p * len(_DRY_BREAKERS))(*_DRY_BREAKERS),
                len(_DRY_BREAKERS),
            )
        )
    if settings.temperature == 0:
        return [*chain, llama.llama_sampler_init_greedy()]
    if settings.top_k:
        chain.append(llama.llama_sampler_init_top_k(settings.top_k))
    if settings.typical_p < 1:
        chain.append(llama.llama_sampler_init_typical(settings.typical_p, _KEEP_ONE))
    if settings.top_p < 1:
        chain.append(llama.llama_sampler_init_top_p(settings.top_p, _KEEP_ONE))
    if settings.min_p:
        chain.append(llama.llama_sampler_init_min_p(settings.min_p, _KEEP_ONE))
    return [*chain, llama.llama_sampler_init_temp(settings.temperature), llama.llama_sampler_init_dist(seed)]
