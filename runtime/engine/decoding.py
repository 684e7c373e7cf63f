"""The one sequence of a context: which tokens its KV cache holds, and how more are put in."""

from __future__ import annotations

import bisect
import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

from satchel.runtime.engine.errors import DecodeError

_SEQUENCE = 0
_TO_THE_END = -1
_NO_SLOT, _ABORTED = 1, 2


class AbortedError(Exception):
    """The computation was stopped by the abort flag; what was half done is undone."""


class AbortFlag:
    """A flag that llama.cpp itself looks at between two operations, about a thousand times a token.

    A Python callback there would take the interpreter's lock each time. libc's `strlen` is a C function of one pointer
    too: of these bytes it returns 0 until the first is set, and 1 after.
    """

    def __init__(self, llama: Any) -> None:
        self._bytes = ctypes.create_string_buffer(2)
        self.address = ctypes.cast(self._bytes, ctypes.c_void_p)
        self.callback = ctypes.cast(_strlen(), llama.ggml_abort_callback)

    def raise_it(self) -> None:
        """Stop the running computation, and every one until `lower`; from any thread."""
        self._bytes[0] = b"\1"

    def lower(self) -> None:
        """Let computations run again."""
        self._bytes[0] = b"\0"

    @property
    def is_up(self) -> bool:
        """Whether somebody wants to stop."""
        return self._bytes[0] != b"\0"


class TokenSequence:
    """The tokens in a context's memory, and the places where batches began.

    Floating-point sums depend on how tokens are batched. A prompt is therefore read again from a place where a batch
    began, so that asking the same again computes the same; going on after the last token computes only what is new.
    """

    def __init__(self, llama: Any, context: Any, *, batch_tokens: int, window: int) -> None:
        """`window` is the sliding window of the layers that have one; 0 where none has."""
        self._llama = llama
        self._context = context
        self._memory = llama.llama_get_memory(context)
        self._batch_tokens = batch_tokens
        self._window = window
        self._tokens: list[int] = []
        self._batch_starts: list[int] = []

    def __len__(self) -> int:
        return len(self._tokens)

    def keep_common(self, prompt: Sequence[int]) -> int:
        """Forget what a prompt does not begin with, and return how many of its tokens stay; never all of them."""
        common = 0
        for mine, theirs in zip(self._tokens, prompt, strict=False):
            if mine != theirs:
                break
            common += 1
        most = min(common, len(prompt) - 1)
        keep = len(self._tokens)
        if keep > most:
            before = bisect.bisect_right(self._batch_starts, most)
            keep = self._batch_starts[before - 1] if before else 0
        if keep < len(self._tokens):
            self._forget_from(keep)
        return len(self._tokens)

    def read(self, prompt: Sequence[int], *, pinned: int) -> Iterator[int]:
        """Put in the rest of a prompt batch by batch, and yield after each how much is in; one ends at `pinned`.

        Raises:
            AbortedError: the abort flag was raised.
            DecodeError: llama.cpp failed.
        """
        while (start := len(self._tokens)) < len(prompt):
            end = min(start + self._batch_tokens, len(prompt))
            if start < pinned < end:
                end = pinned
            self._decode(prompt[start:end])
            yield end

    def append(self, token: int) -> None:
        """Put in one token.

        Raises:
            AbortedError, DecodeError: as `read`.
        """
        self._decode((token,))

    def is_read_from_scratch(self, count: int) -> bool:
        """Return whether the first `count` tokens were batched as a prompt of just these tokens would be."""
        starts = self._batch_starts[: bisect.bisect_left(self._batch_starts, count)]
        return starts == list(range(0, count, self._batch_tokens)) and (
            count == len(self._tokens) or count in self._batch_starts
        )

    def settle(self) -> None:
        """Put the memory in the very form that `restore` gives it.

        llama.cpp leaves out of a state what sliding windows have passed, and `restore` packs the rest: the same tokens
        then lie in other cells, and sums over them round otherwise. Without windows there is nothing to do.

        Raises:
            DecodeError: llama.cpp does not take back its own state.
        """
        if not self._window or not self._tokens:
            return
        tokens, batch_starts = self._tokens, self._batch_starts
        if not self.restore(self.state(), tokens):
            raise DecodeError(reason="it does not take back its own state")
        self._batch_starts = batch_starts

    @property
    def state_bytes(self) -> int:
        """The size of `state`."""
        return int(self._llama.llama_state_seq_get_size(self._context, _SEQUENCE))

    def state(self) -> bytearray:
        """Return a copy of the whole state; `restore` takes it back."""
        size = self.state_bytes
        state = bytearray(size)
        buffer = (ctypes.c_uint8 * size).from_buffer(state)
        written = self._llama.llama_state_seq_get_data(self._context, buffer, size, _SEQUENCE)
        del buffer
        return state[:written]

    def restore(self, state: bytearray, tokens: Sequence[int]) -> bool:
        """Take the state of `tokens`, which were read as a prompt's pinned beginning; False leaves the memory empty."""
        self.clear()
        buffer = (ctypes.c_uint8 * len(state)).from_buffer(state)
        taken = self._llama.llama_state_seq_set_data(self._context, buffer, len(state), _SEQUENCE)
        del buffer
        last = self._llama.llama_memory_seq_pos_max(self._memory, _SEQUENCE)
        if taken != len(state) or last != len(tokens) - 1:
            self.clear()
            return False
        self._tokens = list(tokens)
        self._batch_starts = list(range(0, len(tokens), self._batch_tokens))
        return True

    def clear(self) -> None:
        """Forget everything."""
        self._llama.llama_memory_clear(self._memory, True)
        self._tokens, self._batch_starts = [], []

    def _decode(self, tokens: Sequence[int]) -> None:
        start = len(self._tokens)
        values = (ctypes.c_int32 * len(tokens))(*tokens)  # the batch only points to them
        batch = self._llama.llama_batch_get_one(values, len(tokens))
        code = self._llama.llama_decode(self._context, batch)
        if code == 0:
            self._batch_starts.append(start)
            self._tokens += tokens
            return
        self._forget_from(start)
        if code == _ABORTED:
            raise AbortedError
        reason = "no room is left in its context" if code == _NO_SLOT else f"it stopped with code {code}"
        raise DecodeError(reason=reason)

    def _forget_from(self, start: int) -> None:
        # Models with a recurrent state can forget all or nothing.
        if start == 0 or not self._llama.llama_memory_seq_rm(self._memory, _SEQUENCE, start, _TO_THE_END):
            self.clear()
            return
        del self._tokens[start:]
        del self._batch_starts[bisect.bisect_left(self._batch_starts, start) :]
        if self._window:
            # Small caches and restored ones lack what sliding windows have passed; some of it may be in view again.
            # Where nothing is left in such a cache, its oldest position is -1.
            oldest = self._llama.llama_memory_seq_pos_min(self._memory, _SEQUENCE)
            if oldest < 0 or oldest > max(0, start - self._window):
                self.clear()


def _strlen() -> Any:
    library = ctypes.CDLL("ucrtbase") if hasattr(ctypes, "WinDLL") else ctypes.CDLL(None)
    return library.strlen
