"""The desktop app; the only part that imports Qt. `README.md` beside this file tells the rooms and their rules."""
