"""`satchel run`: open an assistant with the model that suits, and answer one question or many."""

from __future__ import annotations
