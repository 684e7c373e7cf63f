"""The Reader: marks the exact answer in a passage, says when there is none, and checks sentences against passages."""
