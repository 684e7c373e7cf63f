"""Train the Reader, in two stages, each resumable at any moment.

    python -m satchel.packs.models.reader.training.train warm  --data DATA --model MINILM --folder CACHE --steps 600
    python -m satchel.packs.models.reader.training.train squad --data DATA --model MINILM --folder CACHE --steps 2400

`warm` reads QAMR, SelQA and questions made by rule from the text files; `squad` goes on from its average with SQuAD's
train split and the unanswerable questions made from it. A step is about 2,500 tokens, cut into pieces that two threads
of one core each take from a queue: on a machine shared with other work that waits far less than operations spread over
two cores.
"""

from __future__ import annotations

import argparse
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
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
WARM_UP_STEPS = 100
AVERAGE_OVER = 0.998
"""The moving average keeps this much of itself at a step."""


def warm_examples(data: Path, epoch: int) -> list[Example]:
    """Return one epoch of the cheap stage, about 50,000 examples, the last part new in each epoch."""
    rng = random.Random(1000 + epoch)
    paragraphs = sources.read_paragraphs(data, "wikipedia_paragraphs"), sources.read_paragraphs(data, "openstax")
    examples = sources.read_qamr(data, rng) + sources.read_selqa(data)
    for text, count in zip(paragraphs, (8_000, 4_000), strict=True):
        examples += questions_from(text, count, rng)
    return examples


def squad_examples(data: Path, epoch: int) -> list[Example]:
    """Return one epoch of SQuAD's train split, held-out articles left out, with made negatives and a little QAMR."""
    rng = random.Random(2000 + epoch)
    rows = [e for e in sources.read_squad(data, "train") if e.article not in sources.HELD_OUT_ARTICLES]
    answerable = [e for e in rows if e.spans]
    made = negatives.other_passage(answerable, 800, rng) + negatives.swapped(answerable, 800, rng)
    made += negatives.without_the_sentence(answerable, 300, rng)
    return rows + made + rng.sample(sources.read_qamr(data, rng), 1200)


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


class LogRow(msgspec.Struct, frozen=True):
    """One line of a stage's log, `STAGE.jsonl`."""

    step: int
    loss: float
    norm: float
    questions: int
    seconds: float


class Run:
    """The state of one stage: weights, their moving average, the optimiser, and how many steps are done."""

    def __init__(self, checkpoint: Path, trained: dict[str, Tensor], rate: float) -> None:
        """Go on from `checkpoint` where it exists, else begin with `trained`."""
        self.checkpoint = checkpoint
        state = torch.load(checkpoint) if checkpoint.exists() else {"step": 0, "trained": trained}
        self.step: int = state["step"]
        self.trained: dict[str, Tensor] = state["trained"]
        self.average: dict[str, Tensor] = state.get("average") or {k: v.clone() for k, v in self.trained.items()}
        groups = [
            {"params": [v], "base": rate_of(k, rate), "weight_decay": 0.01 if v.dim() > 1 else 0.0, "name": k}
            for k, v in self.trained.items()
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-7, fused=True)
        if "optimizer" in state:
            self.optimizer.load_state_dict(state["optimizer"])

    def update(self, gradients: dict[str, Tensor], factor: float) -> float:
        """Take one step with the rates times `factor`; return the gradients' norm, which is clipped to 1."""
        norm = float(torch.sqrt(sum((g * g).sum() for g in gradients.values())))
        for settings in self.optimizer.param_groups:
            settings["lr"] = settings["base"] * factor
            settings["params"][0].grad = gradients[settings["name"]] * min(1.0, 1.0 / norm)
        self.optimizer.step()
        self.step += 1
        keep = min(AVERAGE_OVER, self.step / (self.step + 19))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.values()), list(self.trained.values()), 1 - keep)
        return norm

    def save(self) -> None:
        """Replace the checkpoint, whole or not at all."""
        state = {"step": self.step, "trained": self.trained, "average": self.average}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state | {"optimizer": self.optimizer.state_dict()}, partial)
        partial.replace(self.checkpoint)


def train(run: Run, stream: Iterator[list[Tokens]], frozen: dict[str, Tensor], steps: int, decay: float) -> None:
    """Run to `steps`, or to a SIGTERM; save every two minutes and at the end."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stop.append(number))
    torch.set_num_threads(1)
    saved = time.monotonic()
    log_path = run.checkpoint.with_suffix(".jsonl")
    with (
        ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        log_path.open("ab", buffering=0) as log,
    ):
        while run.step < steps and not stop:
            began = time.monotonic()
            group = next(stream)
            loss, gradients = step_gradients(group, frozen, run.trained, pool)
            factor = min(1.0, (run.step + 1) / WARM_UP_STEPS, (steps - run.step) / (steps * decay))
            norm = run.update(gradients, factor)
            seconds = time.monotonic() - began
            row = LogRow(run.step - 1, round(loss, 4), round(norm, 3), len(group), round(seconds, 3))
            log.write(msgspec.json.encode(row) + b"\n")
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                run.save()
                saved = time.monotonic()
    run.save()


def main() -> None:
    """Train one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("warm", "squad"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
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
    frozen, trained = load_start(arguments.model)
    checkpoint = arguments.folder / f"{arguments.stage}.pt"
    start = arguments.start or (arguments.folder / "warm.pt" if arguments.stage == "squad" else None)
    if start is not None and not checkpoint.exists():
        trained = torch.load(start)["average"]
    run = Run(checkpoint, trained, arguments.rate)
    stream = batches(arguments.stage, arguments.data, arguments.model, arguments.seed)
    for _ in range(run.step):
        next(stream)
    train(run, stream, frozen, arguments.steps, arguments.decay)


if __name__ == "__main__":
    main()
