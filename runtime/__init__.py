"""Satchel's headless runtime: packs, knowledge, engine, sessions and the command line."""
