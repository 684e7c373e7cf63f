"""The page "Settings": appearance, answers, what takes how much room, and what this program is."""
