"""Models: a catalogue, downloads, and what other programs already keep on this disk."""
