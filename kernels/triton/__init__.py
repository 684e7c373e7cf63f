"""Search on a GPU: the scans of `kernels/ops.py` in Triton, score and top-k in one pass over the rows.

`search.py` is the face. Importing this package imports triton, and calling it torch; nothing else in kernels does.
"""
