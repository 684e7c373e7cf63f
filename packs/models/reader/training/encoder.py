"""MiniLM's encoder with the Reader's heads, in torch: bfloat16 arithmetic on float32 master weights.

It computes what llama.cpp's `bert` graph computes: token type 0 everywhere, GELU by its tanh form, LayerNorm after each sum.
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
    """Return (frozen tensors, tensors to train) from a folder with MiniLM's `model.safetensors`; the heads start small."""
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
    """Return the step's working copies: bfloat16 for the encoder, float32 for the heads, each a leaf that takes gradients."""
    return {
        k: (v.detach() if k.startswith("head.") else v.detach().to(torch.bfloat16)).clone().requires_grad_()
        for k, v in trained.items()
    }


def encode(frozen: dict[str, Tensor], w: dict[str, Tensor], ids: Tensor, keep: Tensor, dropout: float = 0.0) -> Tensor:
    """Return hidden states float32 [batch, length, 384] of `ids` int64 [batch, length]; `keep` bool marks real tokens."""
    batch, length = ids.shape
    kind = next(v.dtype for k, v in w.items() if k.startswith("encoder."))
    x = F.embedding(ids, frozen[FROZEN[0]]) + frozen[FROZEN[1]][:length] + frozen[FROZEN[2]][0]
    x = _norm(x.to(kind), w, "embeddings.LayerNorm")
    x = F.dropout(x, dropout, training=dropout > 0)
    mask = keep[:, None, None, :]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        split = (batch, length, HEADS, WIDTH // HEADS)
        q, k, v = (
            _dense(x, w, f"{at}attention.self.{n}").view(split).transpose(1, 2) for n in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(batch, length, WIDTH)
        mixed = F.dropout(_dense(mixed, w, f"{at}attention.output.dense"), dropout, training=dropout > 0)
        x = _norm(x + mixed, w, f"{at}attention.output.LayerNorm")
        wide = F.gelu(_dense(x, w, f"{at}intermediate.dense"), approximate="tanh")
        wide = F.dropout(_dense(wide, w, f"{at}output.dense"), dropout, training=dropout > 0)
        x = _norm(x + wide, w, f"{at}output.LayerNorm")
    return x.float()


def heads(w: dict[str, Tensor], hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Return (start and end scores [batch, length, 2], answerable logit of the first token [batch])."""
    span = F.linear(hidden, w["head.span.weight"], w["head.span.bias"])
    answerable = F.linear(hidden[:, 0], w["head.answerable.weight"], w["head.answerable.bias"])
    return span, answerable[:, 0]


def _dense(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])


def _norm(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    return F.layer_norm(x, (WIDTH,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-12)
