"""From examples to padded batches of token ids, spans and masks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from satchel.packs.models.reader.training.sources import Example

CLS, SEP, PAD = 101, 102, 0
MAX_QUESTION, MAX_TOKENS = 40, 288
LONG_SPAN = 24
"""From this many tokens on a span is a sentence that holds the answer: any start and end in it is right."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One example as token ids, `[CLS] question [SEP] passage [SEP]`; `spans` are token ranges, end inclusive."""

    ids: list[int]
    spans: list[tuple[int, int]]
    every_span_counts: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """`starts`, `ends` bool [batch, length]: the tokens that are right; [CLS] when nothing answers."""

    ids: Tensor
    keep: Tensor
    starts: Tensor
    ends: Tensor
    allowed: Tensor
    answerable: Tensor


def load_tokenizer(model: Path) -> Tokenizer:
    """Return MiniLM's WordPiece tokenizer without truncation or padding."""
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenise(examples: list[Example], tokenizer: Tokenizer, rng: random.Random, *, window: int = 0) -> list[Tokens]:
    """Tokenise; a passage longer than `window` tokens (0: what fits) is cut at random around one of its answers."""
    questions = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    contexts = tokenizer.encode_batch([e.context for e in examples], add_special_tokens=False)
    made = []
    for example, question, context in zip(examples, questions, contexts, strict=True):
        asked = question.ids[:MAX_QUESTION]
        room = min(window or MAX_TOKENS, MAX_TOKENS - len(asked) - 3)
        spans = [span for chars in example.spans if (span := _token_span(context.offsets, chars)) is not None]
        if example.spans and not spans:
            continue
        if not example.every_span_counts and spans:
            spans = [rng.choice(spans)]
        first = 0
        if len(context.ids) > room:
            low, high = 0, len(context.ids) - room
            if spans:
                focus = rng.choice(spans)
                low, high = max(0, focus[1] + 1 - room), min(high, focus[0])
                if low > high:
                    continue
            first = rng.randint(low, high)
        shift = len(asked) + 2 - first
        last = first + room
        kept = [(a + shift, b + shift) for a, b in spans if a >= first and b < last]
        ids = [CLS, *asked, SEP, *context.ids[first:last], SEP]
        made.append(Tokens(ids, kept, example.every_span_counts))
    return made


def in_batches(tokens: list[Tokens], budget: int, rng: random.Random) -> Iterator[list[Tokens]]:
    """Yield groups of like length of at most `budget` padded tokens, in random order."""
    ordered = sorted(tokens, key=lambda t: len(t.ids) + rng.random() * 12)
    groups: list[list[Tokens]] = [[]]
    longest = 0
    for item in ordered:
        longest = max(longest, len(item.ids))
        if groups[-1] and longest * (len(groups[-1]) + 1) > budget:
            groups.append([])
            longest = len(item.ids)
        groups[-1].append(item)
    rng.shuffle(groups)
    yield from groups


def pad(group: list[Tokens]) -> Batch:
    """Return a group as tensors."""
    size, length = len(group), max(len(t.ids) for t in group)
    ids = torch.full((size, length), PAD)
    starts, ends, keep, allowed = (torch.zeros((size, length), dtype=torch.bool) for _ in range(4))
    for row, item in enumerate(group):
        ids[row, : len(item.ids)] = torch.tensor(item.ids)
        keep[row, : len(item.ids)] = True
        allowed[row, item.ids.index(SEP) + 1 : len(item.ids) - 1] = True
        allowed[row, 0] = True
        for start, end in item.spans or [(0, 0)]:
            if item.every_span_counts and item.spans and end - start > LONG_SPAN:
                starts[row, start : end + 1] = True
                ends[row, start : end + 1] = True
            else:
                starts[row, start] = True
                ends[row, end] = True
    return Batch(ids, keep, starts, ends, allowed, torch.tensor([bool(t.spans) for t in group], dtype=torch.float32))


def _token_span(offsets: list[tuple[int, int]], chars: tuple[int, int]) -> tuple[int, int] | None:
    inside = [n for n, (a, b) in enumerate(offsets) if a < chars[1] and b > chars[0]]
    return (inside[0], inside[-1]) if inside else None
