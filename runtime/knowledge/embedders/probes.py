"""A few texts on which two ways of computing the same model are compared before the faster one is trusted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PROBE_TEXTS = [
    "Where is the lighthouse?",
    "The harbour floods at spring tide, when sun and moon pull in one line.",
    "Invoice 2024-117: three crates of oranges, EUR 84.50, due within 30 days of delivery.",
    "Photosynthesis turns carbon dioxide and water into sugar and oxygen, with light as its only source of energy.",
    "def area(radius: float) -> float:\n    return 3.14159 * radius ** 2",
    "She said: “Never again!” — and left the café at half past nine, naïve as ever, without her umbrella.",
    "| planet | mass (kg) |\n| --- | --- |\n| Mars | 6.42e23 |\n| Venus | 4.87e24 |",
    "To whom it may concern: the tenancy ends on the last day of the month that follows the month of notice. " * 6,
]


def lowest_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the lowest cosine between rows of two sets of unit vectors, [n, d] each; NaN counts as -1."""
    cosines = np.einsum("nd,nd->n", first, second)
    return float(np.nan_to_num(cosines, nan=-1.0).min())
