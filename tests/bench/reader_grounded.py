"""Groundedness: true sentences of SQuAD's passages, and the same with one name or number exchanged.

    python tests/bench/reader_grounded.py --data DATA [--split dev] [--json FILE]

True sentences come as they stand and reworded by rule: an aside or a clause left out, the opening phrase moved to the
end, "he" and "she" replaced by the name of the article's person. For false ones a name or number is replaced by another
of the same kind, half of them from the same passage, half from another one. Each is checked against its own passage
among three.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from pathlib import Path

from satchel.packs.models.reader.training.sources import read_squad
from satchel.runtime.knowledge.reader.facts import FactKind, Stems, fact_runs, words_of
from satchel.runtime.knowledge.reader.grounded import GroundednessCheck, Verdict
from satchel.runtime.knowledge.sentences import split_sentences

PASSAGES = 3
SHORTEST, LONGEST = 60, 300


def reword(sentence: str, person: str | None, rng: random.Random) -> str:
    """Say nearly the same with fewer words, in another order, or with a name for a pronoun."""
    sentence = re.sub(r"\s*\([^)]*\)", "", sentence)
    parts = sentence.split(", ")
    if person and re.match(r"(?:He|She) ", sentence):
        sentence = f"{person} {sentence.split(' ', 1)[1]}"
    elif len(parts) > 2 and rng.random() < 0.5:
        parts.pop(rng.randrange(1, len(parts) - 1))
        sentence = ", ".join(parts)
    elif len(parts) == 2 and len(parts[0].split()) < 7:
        opening, rest = parts
        sentence = f"{rest[0].upper()}{rest[1:].rstrip('.')} {opening[0].lower()}{opening[1:]}."
    return sentence


def exchange(sentence: str, source: str, stems: Stems, rng: random.Random) -> str | None:
    """Put a name or number of `source` in the place of one of the same kind; None where there is none to take."""
    mine = facts(sentence, stems)
    if not mine:
        return None
    kind, start, end = rng.choice(mine)
    old = sentence[start:end].lower()
    others = [source[a:b] for k, a, b in facts(source, stems) if k is kind]
    others = [o for o in others if o.lower() not in old and old not in o.lower()]
    return sentence[:start] + rng.choice(others) + sentence[end:] if others else None


def facts(text: str, stems: Stems) -> list[tuple[FactKind | None, int, int]]:
    """Return kind and characters of each name and number."""
    words = words_of(text, stems)
    runs = [(words[a].kind, words[a].start, words[b - 1].end) for a, b in fact_runs(words)]
    return [run for run in runs if run[0] is not FactKind.NEGATION]


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("dev", "train"), default="dev")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    pairs = sorted({(e.article, e.context) for e in read_squad(arguments.data, arguments.split)})
    people = {"Martin Luther": "Martin Luther", "Nikola Tesla": "Nikola Tesla"}
    stems, check = Stems(), GroundednessCheck()
    table: Counter[tuple[str, str]] = Counter()
    seconds = 0.0
    for article, passage in pairs:
        sentences = [s for s in split_sentences(passage) if SHORTEST < s.end - s.start < LONGEST]
        if not sentences:
            continue
        taken = rng.choice(sentences)
        stands = passage[taken.start : taken.end]
        elsewhere = rng.choice(pairs)[1]
        shown = [passage, *rng.sample([p for _, p in pairs if p != passage], PASSAGES - 1)]
        rng.shuffle(shown)
        for form, sentence in (("as it stands", stands), ("reworded", reword(stands, people.get(article), rng))):
            cases = [("true", sentence)]
            cases.append(("false, from the same passage", exchange(sentence, passage, stems, rng)))
            cases.append(("false, from another passage", exchange(sentence, elsewhere, stems, rng)))
            for name, asked in cases:
                if asked is None:
                    continue
                began = time.perf_counter()
                verdict = check.check(asked, shown).verdict
                seconds += time.perf_counter() - began
                table[f"{name}, {form}", verdict.value] += 1
    figures = {}
    print(f"{'sentences':48} {'asked':>6} " + " ".join(f"{v.value:>13}" for v in Verdict) + f" {'flagged':>8}")
    for name in sorted({row for row, _ in table}):
        counts = [table[name, v.value] for v in Verdict]
        flagged = 1 - counts[0] / sum(counts)
        figures[name] = {"asked": sum(counts), "flagged": flagged}
        print(f"{name:48} {sum(counts):6} " + " ".join(f"{c:13}" for c in counts) + f" {flagged:8.3f}")
    for kind in ("true", "false, from the same passage", "false, from another passage"):
        rows = [figures[name] for name in figures if name.startswith(kind)]
        figures[kind] = {
            "asked": sum(r["asked"] for r in rows),
            "flagged": sum(r["asked"] * r["flagged"] for r in rows) / sum(r["asked"] for r in rows),
        }
        print(f"{kind:48} {figures[kind]['asked']:6} {'':41} {figures[kind]['flagged']:8.3f}")
    asked = sum(table.values())
    print(f"{1000 * seconds / asked:.1f} ms a sentence against {PASSAGES} passages")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
