"""What the tour of four searches found, as a page: `python docs/tour/page.py compiled/tour -o docs/search-tour.md`.

`make tour` calls it. Every number is read from the journals of its runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

BAND = 0.1
"""How far the predicted latency of a random network may be off that of the found one."""
SYSTEMS = ("gas", "cas", "autortnet", "fasterseg")
NAMES = {"gas": "GAS", "cas": "CAS", "autortnet": "AutoRTNet", "fasterseg": "FasterSeg"}


def events(run: Path, event: str) -> list[dict[str, Any]]:
    lines = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def found(folder: Path) -> dict[str, Any]:
    """The line of the network that the search was for: of the last phase with a genotype of its own."""
    stages = json.loads((folder / "search" / "run.json").read_text(encoding="utf-8"))["stages"]
    return next(line for line in events(folder / "search", "derived") if line["phase"] == stages[-1]["phase"])


def bounds(folder: Path) -> str:
    """Options of a baseline whose networks cost as much."""
    latency = found(folder)["latency_ms"]
    low, high = (latency * (1 + sign * BAND) for sign in (-1, 1))
    return f"--where latency>{low:.4f}ms --where latency<{high:.4f}ms"


def best(run: Path) -> float:
    return max(line["miou"] for line in events(run, "score"))


def section(name: str, folder: Path) -> str:
    record = json.loads((folder / "search" / "run.json").read_text(encoding="utf-8"))
    given = {key: value for key, value in record["overrides"].items() if key != "classes"}
    parameters = ", ".join(f"`{key} = {value}`" for key, value in given.items()) or "those of the text"
    stages = "; ".join(
        f"`{each['phase']}` {each['steps']} steps" + "".join(f", in turn with `{other}`" for other in each["beside"])
        for each in record["stages"]
    )
    network = found(folder)
    candidates = events(folder / "random", "candidate") if (folder / "random" / "journal.jsonl").exists() else []
    rows = [
        "| | mIoU after training, % | predicted latency, ms | params | MACs |",
        "|---|---|---|---|---|",
        row("found", best(folder / "train"), network),
        *(row("random", line["accuracy"], line) for line in candidates),
    ]
    losses = [line["loss"] for line in events(folder / "search", "step") if line["phase"] == network["phase"]]
    tenth = max(1, len(losses) // 10)
    first, last = (sum(part) / len(part) for part in (losses[:tenth], losses[-tenth:]))
    about = (
        f"Parameters: {parameters}. Phases: {stages}. The loss of the supernet went from {first:.3f} (mean of the "
        f"first tenth of its steps) to {last:.3f}.\n"
    )
    return "\n".join(
        [
            f"## {NAMES[name]}\n",
            about,
            *rows,
            *([] if candidates else ["\nNone of 1,000 random networks costs as little."]),
            f"\n[The genotype](../spaces/genotypes/found/{name}.arch), and its [picture](pictures/found_{name}.svg).\n",
        ]
    )


def row(what: str, miou: float, costs: dict[str, Any]) -> str:
    return f"| {what} | {100 * miou:.2f} | {costs['latency_ms']:.3f} | {costs['params']:,} | {costs['macs']:,} |"


HEAD = """# A tour of four searches

Made by `make tour`: each system is searched from its text on `streets` (drawn street scenes, 64x128, 11 classes), what
is found is trained for 200 steps by the recipe of the space, and so are random networks whose predicted latency is
within 10 % of it. Latencies are predicted by tables that were filled on the machine that made this page. So short a
search on so small images shows that each part runs, not that a paper's claim holds: the lengths of the papers are some
hundred times these.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bounds", action="store_true", help="Print the bounds of a system's random networks.")
    parser.add_argument("-o", "--out", type=Path)
    asked = parser.parse_args()
    if asked.bounds:
        print(bounds(asked.folder))
        return
    done = [name for name in SYSTEMS if (asked.folder / name / "train" / "last.safetensors").exists()]
    page = "\n".join([HEAD, *(section(name, asked.folder / name) for name in done)])
    if asked.out is None:
        print(page)
    else:
        asked.out.write_text(page.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
