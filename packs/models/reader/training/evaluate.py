"""Measure a checkpoint on the held-out articles of SQuAD's train split, in torch: choices are made here, not on `dev`.

python -m satchel.packs.models.reader.training.evaluate CHECKPOINT --data DATA --model MINILM [--save scores.npz]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from satchel.packs.models.reader.training import sources
from satchel.packs.models.reader.training.batches import CLS, MAX_QUESTION, MAX_TOKENS, SEP, load_tokenizer
from satchel.packs.models.reader.training.encoder import encode, halved, heads, load_start
from satchel.packs.models.reader.training.metrics import best_f1, exact_match
from satchel.packs.models.reader.training.sources import Example
from satchel.runtime.knowledge.reader.spans import RawSpan, best_span


def read_all(
    examples: list[Example], tokenizer: Tokenizer, frozen: dict[str, Tensor], trained: dict[str, Tensor]
) -> list[RawSpan]:
    """Return the best span of each example; a passage past the window is cut off at its end."""
    w = {k: v.detach() for k, v in halved(trained).items()}
    questions = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    contexts = tokenizer.encode_batch([e.context for e in examples], add_special_tokens=False)
    ids = [
        [CLS, *q.ids[:MAX_QUESTION], SEP, *c.ids[: MAX_TOKENS + 32 - 3 - len(q.ids[:MAX_QUESTION])], SEP]
        for q, c in zip(questions, contexts, strict=True)
    ]
    found: list[RawSpan | None] = [None] * len(examples)
    order = sorted(range(len(ids)), key=lambda n: len(ids[n]))
    for at in range(0, len(order), 16):
        rows = order[at : at + 16]
        length = len(ids[rows[-1]])
        padded = torch.zeros((len(rows), length), dtype=torch.long)
        for row, number in enumerate(rows):
            padded[row, : len(ids[number])] = torch.tensor(ids[number])
        with torch.no_grad():
            scores, answerable = heads(w, encode(frozen, w, padded, padded > 0))
        for row, number in enumerate(rows):
            asked = len(questions[number].ids[:MAX_QUESTION])
            offsets = contexts[number].offsets[: len(ids[number]) - asked - 3]
            found[number] = best_span(
                scores[row].numpy(), float(answerable[row]), offsets, examples[number].context, first=asked + 2
            )
    return [span for span in found if span is not None]


def main() -> None:
    """Print the measures; `--save` keeps the signals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--save", type=Path, help="margins, sharpness and answerable logits, for calibrate.py")
    parser.add_argument("--raw", action="store_true", help="the last weights, not their average")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    examples = [e for e in sources.read_squad(arguments.data, "train") if e.article in sources.HELD_OUT_ARTICLES]
    state = torch.load(arguments.checkpoint)
    frozen, _ = load_start(arguments.model)
    weights = state["trained" if arguments.raw else "average"]
    spans = read_all(examples, load_tokenizer(arguments.model), frozen, weights)
    em, f1, answerable, signals = [], [], [], []
    for example, span in zip(examples, spans, strict=True):
        references = [example.context[a:b] for a, b in example.spans]
        answer = example.context[span.start : span.end]
        em.append(exact_match(answer, references))
        f1.append(best_f1(answer, references))
        answerable.append(bool(references))
        signals.append((span.margin, span.sharpness, span.answerable))
    have, signal = np.array(answerable), np.array(signals)
    print(f"step {state['step']}: {have.sum()} answerable of {len(have)}")
    print(f"EM {100 * np.array(em)[have].mean():.1f}  F1 {100 * np.array(f1)[have].mean():.1f}")
    for name, value in (("margin", signal[:, 0]), ("head", signal[:, 2]), ("both", signal[:, 0] / 4 + signal[:, 2])):
        best = max(((value > cut) == have).mean() for cut in np.unique(value))
        area = (value[have][:, None] > value[~have][None, :]).mean()
        zero = ((value > 0) == have).mean()
        print(f"answerability by {name}: accuracy at 0 {zero:.3f}, at the best cut {best:.3f}, AUC {area:.3f}")
    if arguments.save:
        np.savez(arguments.save, signals=signal, answerable=have, em=np.array(em), f1=np.array(f1))


if __name__ == "__main__":
    main()
