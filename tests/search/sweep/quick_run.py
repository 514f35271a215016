"""A command of a member that takes no time: it has the options, the folder, the journal and the exit codes of a run.

`search` finds `net` as it is. The score follows from the seed and the parameters; that of a search is ten times less.
With `--hold K` it goes on after step K when there is a file `go` where it was started. With `--fail SEED` the run with
this seed ends in an error behind its first step, and with `--die` any run is killed before it, unless there is that
file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

STEPS = 4
CROPS = (16, 16)
"""Height and width of those of a search."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("source")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--hold", type=int)
    parser.add_argument("--fail", type=int)
    parser.add_argument("--die", action="store_true")
    given = parser.parse_args()
    signalled: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: signalled.append(number))
    out: Path = given.out
    assert given.resume == (out / "run.json").exists(), "a run is resumed where there is one, and nowhere else"
    out.mkdir(exist_ok=True)
    (out / "process").write_text(str(os.getpid()))
    if given.die and not Path("go").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    text = Path(given.source.partition(":")[0]).resolve()
    overrides = dict(each.split("=") for each in given.set)
    record = {"format_version": 2, "text": str(text), "item": None, "overrides": overrides}
    searched = {"kind": "search", "size": CROPS} if given.command == "search" else {}
    (out / "run.json").write_text(json.dumps({**record, **searched}))
    with (out / "journal.jsonl").open("a+") as journal:
        journal.seek(0)
        taken = len(journal.readlines())
        for step in range(taken + 1, STEPS + 1):
            if signalled:
                return 128 + signalled[0]
            if given.fail == given.seed and step > 1 and not Path("go").exists():
                sys.stderr.write("error: the loss is not a number any more\nepoch 1: 1 of many steps\n")
                return 1
            journal.write(json.dumps({"event": "step", "step": step}) + "\n")
            journal.flush()
            while given.hold == step and not Path("go").exists() and not signalled:
                time.sleep(0.01)
        if given.command == "search":
            space = os.path.relpath(text, out)
            (out / "genotype.arch").write_text(f'archdsl 1\n\nuse "{space}"\n\ngenotype found of net {{\n}}\n')
        score = 0.1 * (given.seed + 1) + 0.01 * sum(int(value) for value in overrides.values())
        score *= 0.1 if given.command == "search" else 1
        journal.write(json.dumps({"event": "score", "step": STEPS, "miou": score}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
