"""One conversation: the turn, its events, the context budget and the history."""
