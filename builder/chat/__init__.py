"""Talking with an assistant: the chat, its history, and the pages that it cites."""
