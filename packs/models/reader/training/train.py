"""Train the Reader, in two stages, resumable at any moment:

    python -m satchel.packs.models.reader.training.train warm  --data DATA --model MINILM --folder CACHE --steps 1600
    python -m satchel.packs.models.reader.training.train squad --data DATA --model MINILM --folder CACHE --steps 3000

`warm` reads QAMR, SelQA and questions made by rule from the text files; `squad` goes on from its average with SQuAD's train
split and the unanswerable questions made from it. A step is about 2,500 tokens, cut into pieces that two threads of one
core each take from a queue: on a machine shared with other work that waits far less than one operation spread over two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own habit
from torch import Tensor

from satchel.packs.models.reader.training import negatives, sources
from satchel.packs.models.reader.training.batches import Batch, Tokens, in_batches, load_tokenizer, pad, tokenise
from satchel.packs.models.reader.training.encoder import encode, halved, heads, load_start
from satchel.packs.models.reader.training.sources import Example
from satchel.packs.models.reader.training.synthetic import questions_from

STEP_TOKENS, PIECES, THREADS = 2560, 4, 2
DROPOUT = 0.1
CHECKPOINT_SECONDS = 120.0


def warm_examples(data: Path, epoch: int) -> list[Example]:
    """Return one epoch of the cheap stage, about 40,000 examples, the last part new in each epoch."""
    rng = random.Random(1000 + epoch)
    paragraphs = sources.read_paragraphs(data, "wikipedia_paragraphs"), sources.read_paragraphs(data, "openstax")
    examples = sources.read_qamr(data, rng) + sources.read_selqa(data)
    for text, count in zip(paragraphs, (2_000, 1_000), strict=True):
        examples += questions_from(text, count, rng)
    return examples


def squad_examples(data: Path, epoch: int) -> list[Example]:
    """Return one epoch of SQuAD's train split without the held-out articles, with made negatives and a little of QAMR."""
    rng = random.Random(2000 + epoch)
    rows = [e for e in sources.read_squad(data, "train") if e.article not in sources.HELD_OUT_ARTICLES]
    answerable = [e for e in rows if e.spans]
    made = negatives.other_passage(answerable, 1200, rng) + negatives.swapped(answerable, 1000, rng)
    made += negatives.without_the_sentence(answerable, 500, rng)
    return rows + made + rng.sample(sources.read_qamr(data, rng), 1500)


def batches(stage: str, data: Path, model: Path, seed: int) -> Iterator[list[Tokens]]:
    """Yield step after step without end, the same for the same seed."""
    tokenizer = load_tokenizer(model)
    epoch = 0
    while True:
        rng = random.Random(seed * 7919 + epoch)
        examples = warm_examples(data, epoch) if stage == "warm" else squad_examples(data, epoch)
        rng.shuffle(examples)
        short = 2 * len(examples) // 3
        tokens = tokenise(examples[:short], tokenizer, rng, window=110) + tokenise(examples[short:], tokenizer, rng)
        yield from in_batches(tokens, STEP_TOKENS, rng)
        epoch += 1


def loss_of(batch: Batch, frozen: dict[str, Tensor], w: dict[str, Tensor]) -> Tensor:
    """Return the summed loss of a batch: start, end, and half of the answerable bit's."""
    span, answerable = heads(w, encode(frozen, w, batch.ids, batch.keep, DROPOUT))
    total = torch.zeros(())
    for side, right in ((0, batch.starts), (1, batch.ends)):
        scores = span[..., side].masked_fill(~batch.allowed, -1e4)
        likelihood = torch.logsumexp(scores.masked_fill(~right, -1e4), 1) - torch.logsumexp(scores, 1)
        total = total - 0.5 * likelihood.sum()
    return total + 0.5 * F.binary_cross_entropy_with_logits(answerable, batch.answerable, reduction="sum")


def step_gradients(
    group: list[Tokens], frozen: dict[str, Tensor], trained: dict[str, Tensor], pool: ThreadPoolExecutor
) -> tuple[float, dict[str, Tensor]]:
    """Return the mean loss and the mean gradients of a step, its pieces shared by the pool's threads."""
    w = halved(trained)
    names = list(w)
    size = -(-len(group) // PIECES)
    pieces = [group[at : at + size] for at in range(0, len(group), size)]

    def work(piece: list[Tokens]) -> tuple[float, tuple[Tensor, ...]]:
        loss = loss_of(pad(piece), frozen, w) / len(group)
        return loss.item(), torch.autograd.grad(loss, [w[n] for n in names])

    done = list(pool.map(work, pieces))
    gradients = {n: sum(g[i].float() for _, g in done) for i, n in enumerate(names)}
    return sum(loss for loss, _ in done), gradients  # type: ignore[return-value] - sum of tensors is a tensor


def rate_of(name: str, rate: float) -> float:
    """Return a tensor's own learning rate: lower layers less, heads more."""
    if name.startswith("head."):
        return rate * 3
    depth = int(name.split(".")[2]) if name.startswith("encoder.layer.") else -1
    return rate * 0.88 ** (5 - depth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("warm", "squad"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--model", type=Path, required=True, help="folder with MiniLM's model.safetensors and tokenizer.json"
    )
    parser.add_argument("--folder", type=Path, required=True, help="checkpoints and log")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--decay", type=float, default=0.6, help="share of the steps over which the rate falls to zero")
    parser.add_argument(
        "--start", type=Path, help="checkpoint whose average to start from (default: warm.pt for squad)"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.folder / f"{arguments.stage}.pt"
    frozen, trained = load_start(arguments.model)
    start = arguments.start or (arguments.folder / "warm.pt" if arguments.stage == "squad" else None)
    if start is not None and not checkpoint.exists():
        trained = torch.load(start)["average"]
    state = torch.load(checkpoint) if checkpoint.exists() else {"step": 0, "trained": trained}
    trained = state["trained"]
    average = state.get("average") or {k: v.clone() for k, v in trained.items()}
    groups = [
        {"params": [v], "base": rate_of(k, arguments.rate), "weight_decay": 0.01 if v.dim() > 1 else 0.0, "name": k}
        for k, v in trained.items()
    ]
    optimizer = torch.optim.AdamW(groups, lr=arguments.rate, betas=(0.9, 0.98), eps=1e-7, fused=True)
    if "optimizer" in state:
        optimizer.load_state_dict(state["optimizer"])
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stop.append(number))
    stream = batches(arguments.stage, arguments.data, arguments.model, arguments.seed)
    for _ in range(state["step"]):
        next(stream)
    torch.set_num_threads(1)
    saved = time.monotonic()
    with (
        ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        open(arguments.folder / f"{arguments.stage}.jsonl", "a", encoding="utf-8", buffering=1) as log,
    ):
        for step in range(state["step"], arguments.steps):
            began = time.monotonic()
            group = next(stream)
            loss, gradients = step_gradients(group, frozen, trained, pool)
            left = (arguments.steps - step) / (arguments.steps * arguments.decay)
            factor = min(1.0, (step + 1) / 100, left)
            norm = torch.sqrt(sum((g * g).sum() for g in gradients.values()))
            clip = min(1.0, 1.0 / float(norm))
            for settings in optimizer.param_groups:
                settings["lr"] = settings["base"] * factor
                settings["params"][0].grad = gradients[settings["name"]] * clip
            optimizer.step()
            keep = min(0.998, (step + 1) / (step + 20))
            with torch.no_grad():
                torch._foreach_lerp_(list(average.values()), list(trained.values()), 1 - keep)
            seconds = time.monotonic() - began
            row = {
                "step": step,
                "loss": round(loss, 4),
                "norm": round(float(norm), 3),
                "questions": len(group),
                "seconds": round(seconds, 3),
            }
            log.write(json.dumps(row) + "\n")
            if time.monotonic() - saved > CHECKPOINT_SECONDS or step + 1 == arguments.steps or stop:
                kept = {"step": step + 1, "trained": trained, "average": average, "optimizer": optimizer.state_dict()}
                torch.save(kept, checkpoint.with_suffix(".partial"))
                checkpoint.with_suffix(".partial").replace(checkpoint)
                saved = time.monotonic()
            if stop:
                break


if __name__ == "__main__":
    main()
