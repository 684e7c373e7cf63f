"""Tiny models of every kind that the engine treats in a way of its own, and a talk longer than their windows."""

from __future__ import annotations

from helpers.generations import assistant, system, user
from helpers.tiny_gguf import TinyModel

ODD_MODELS = {
    "grouped heads": TinyModel(),
    "SentencePiece": TinyModel(tokenizer="spm"),
    "three heads, five layers, a matrix for the output": TinyModel(
        embedding=48, heads=3, kv_heads=1, layers=5, feed_forward=80, tied=False
    ),
    "one layer, one head": TinyModel(embedding=32, heads=1, kv_heads=1, layers=1),
    "Qwen2, with biases": TinyModel(architecture="qwen2"),
    "Qwen3, heads wider than their share": TinyModel(architecture="qwen3", head_values=40, kv_heads=4),
    "Gemma 2, every other layer a window": TinyModel(architecture="gemma2", head_values=32, window=64, layers=3),
    "Gemma 3, five of six layers a window": TinyModel(architecture="gemma3", head_values=32, window=64, layers=7),
    "Mamba, without attention": TinyModel(architecture="mamba"),
    "no chat template": TinyModel(template=None),
}
TALK = [
    system("the tide rises and falls twice a day in the harbour. " * 5),
    user("When does the moon rise over the water? " * 5),
    assistant("twice a day"),
    user("and the tide?"),
]
