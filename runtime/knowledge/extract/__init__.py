"""Text out of documents: one format a file, behind the protocol of `protocol.py`, listed in `registry.py`.

`reader.DocumentReader` is the way in; it runs the formats in a child process (`child.py`).
"""
