"""The chunks of the usual tutorial: the recursive character splitter that LangChain made popular, with its defaults."""

from __future__ import annotations

SEPARATORS = ("\n\n", "\n", " ", "")


def recursive_chunks(text: str, size: int = 1000, overlap: int = 200) -> list[tuple[int, int]]:
    """Return character ranges: pieces at the coarsest separator that makes them fit, packed up to `size`."""
    return [
        (start + len(text[start:end]) - len(text[start:end].lstrip()), start + len(text[start:end].rstrip()))
        for start, end in _split(text, 0, len(text), SEPARATORS, size=size, overlap=overlap)
        if text[start:end].strip()
    ]


def _split(
    text: str, start: int, end: int, separators: tuple[str, ...], *, size: int, overlap: int
) -> list[tuple[int, int]]:
    separator = next(entry for entry in separators if entry in text[start:end])
    finer = separators[separators.index(separator) + 1 :]
    chunks: list[tuple[int, int]] = []
    run: list[tuple[int, int]] = []
    for piece in _pieces(text, start, end, separator):
        if piece[1] - piece[0] > size and finer:
            chunks += _packed(run, size, overlap) + _split(text, *piece, finer, size=size, overlap=overlap)
            run = []
        else:
            run.append(piece)
    return chunks + _packed(run, size, overlap)


def _pieces(text: str, start: int, end: int, separator: str) -> list[tuple[int, int]]:
    if not separator:
        return [(at, at + 1) for at in range(start, end)]
    pieces = []
    while (at := text.find(separator, start, end)) >= 0:
        pieces.append((start, at))
        start = at + len(separator)
    return [*pieces, (start, end)]


def _packed(pieces: list[tuple[int, int]], size: int, overlap: int) -> list[tuple[int, int]]:
    """Join neighbours up to `size`; the next chunk begins with what fits into `overlap` of the one before."""
    chunks: list[tuple[int, int]] = []
    window: list[tuple[int, int]] = []
    for piece in pieces:
        if window and piece[1] - window[0][0] > size:
            chunks.append((window[0][0], window[-1][1]))
            while window and (window[-1][1] - window[0][0] > overlap or piece[1] - window[0][0] > size):
                window.pop(0)
        window.append(piece)
    if window:
        chunks.append((window[0][0], window[-1][1]))
    return chunks
