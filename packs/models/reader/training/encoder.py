"""MiniLM's encoder with the Reader's heads, in torch: bfloat16 arithmetic on float32 master weights.

It computes what llama.cpp's `bert` graph computes: token type 0 everywhere, LayerNorm after each sum (its GELU is the
tanh form, 1e-3 apart). Written out, because torch's fused bfloat16 attention, its tanh GELU and its dropout make a step
1.8 times as long on a Zen 5 core.
Word and position embeddings stay as the bundled embedder has them, so that only the rest need be tracked.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own habit
from torch import Tensor

LAYERS, HEADS, WIDTH = 6, 12, 384
FROZEN = (
    "embeddings.word_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
)


def load_start(model: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return (frozen, trained) tensors from a folder with MiniLM's `model.safetensors`; the heads start small."""
    from safetensors.torch import load_file

    tensors = {k: v.float() for k, v in load_file(model / "model.safetensors").items() if v.is_floating_point()}
    frozen = {k: tensors[k] for k in FROZEN}
    trained = {k: v for k, v in tensors.items() if k not in FROZEN and not k.startswith("pooler.")}
    generator = torch.Generator().manual_seed(7)
    trained["head.span.weight"] = torch.randn(2, WIDTH, generator=generator) * 0.02
    trained["head.span.bias"] = torch.zeros(2)
    trained["head.answerable.weight"] = torch.randn(1, WIDTH, generator=generator) * 0.02
    trained["head.answerable.bias"] = torch.zeros(1)
    return frozen, trained


def halved(trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return working copies that take gradients: bfloat16 for the encoder, float32 for the heads."""
    return {
        k: (v.detach() if k.startswith("head.") else v.detach().to(torch.bfloat16)).clone().requires_grad_()
        for k, v in trained.items()
    }


def encode(frozen: dict[str, Tensor], w: dict[str, Tensor], ids: Tensor, keep: Tensor, dropout: float = 0.0) -> Tensor:
    """Return hidden states float32 [batch, length, 384] of `ids` int64 [batch, length]; `keep` marks real tokens."""
    batch, length = ids.shape
    kind = next(v.dtype for k, v in w.items() if k.startswith("encoder."))
    x = F.embedding(ids, frozen[FROZEN[0]]) + frozen[FROZEN[1]][:length] + frozen[FROZEN[2]][0]
    x = _norm(x.to(kind), w, "embeddings.LayerNorm")
    x = _dropped(x, dropout)
    mask = torch.where(keep, 0.0, -1e4).to(kind).repeat_interleave(HEADS, 0)[:, None, :]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        q, k, v = (_split(_dense(x, w, f"{at}attention.self.{n}")) for n in ("query", "key", "value"))
        shares = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=(WIDTH // HEADS) ** -0.5).softmax(-1)
        mixed = torch.bmm(shares, v).view(batch, HEADS, length, -1).transpose(1, 2).reshape(batch, length, WIDTH)
        mixed = _dropped(_dense(mixed, w, f"{at}attention.output.dense"), dropout)
        x = _norm(x + mixed, w, f"{at}attention.output.LayerNorm")
        wide = F.gelu(_dense(x, w, f"{at}intermediate.dense"))
        wide = _dropped(_dense(wide, w, f"{at}output.dense"), dropout)
        x = _norm(x + wide, w, f"{at}output.LayerNorm")
    return x.float()


def heads(w: dict[str, Tensor], hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Return (start and end scores [batch, length, 2], answerable logit of the first token [batch])."""
    span = F.linear(hidden, w["head.span.weight"], w["head.span.bias"])
    answerable = F.linear(hidden[:, 0], w["head.answerable.weight"], w["head.answerable.bias"])
    return span, answerable[:, 0]


def _dense(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])


def _split(x: Tensor) -> Tensor:
    batch, length, _ = x.shape
    return x.view(batch, length, HEADS, -1).transpose(1, 2).reshape(batch * HEADS, length, -1)


def _dropped(x: Tensor, share: float) -> Tensor:
    """Drop features, the same ones for all tokens of a row: few random numbers (Gal and Ghahramani 2016)."""
    if share == 0:
        return x
    return x * ((torch.rand(x.shape[0], 1, x.shape[2]) >= share) / (1 - share)).to(x.dtype)


def _norm(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    return F.layer_norm(x, (WIDTH,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-12)
