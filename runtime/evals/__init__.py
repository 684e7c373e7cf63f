"""Saved cases of an assistant, and whether it still passes them."""
