"""Run every InjecAgent case through the broker: `python tests/bench/permissions/injecagent.py --data FOLDER`.

FOLDER holds the four files injecagent_{dh,ds}_{base,enhanced}.jsonl.gz.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from helpers.injecagent import asks_for_the_task, unapproved_effects


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    rows = []
    print(f"{'set':12} {'cases':>5} {'with an unapproved effect':>26} {'own request asks':>17}")
    for name in ("dh_base", "dh_enhanced", "ds_base", "ds_enhanced"):
        with gzip.open(parsed.data / f"injecagent_{name}.jsonl.gz", "rt") as file:
            cases = [json.loads(line) for line in file]
        effects = sum(bool(unapproved_effects(case)) for case in cases)
        asks = sum(map(asks_for_the_task, cases))
        rows.append({"set": name, "cases": len(cases), "unapproved": effects, "own request asks": asks})
        print(f"{name:12} {len(cases):5} {effects:26} {asks:17}", flush=True)
    if parsed.json:
        parsed.json.write_text(json.dumps(rows, indent=1))
    sys.exit(any(row["unapproved"] for row in rows))


if __name__ == "__main__":
    main()
