"""What a few minutes of training are worth on real streets: `python -m benchmarks.camvid --data camvid:PATH --out RUN`.

FasterSeg's student is trained by `archdsl train` and scored on the test images, beside two that have learnt nothing of
shapes: the class that is most frequent in the training images everywhere, and the best table of colour and position.
The network has to reach five times the first, and more than the second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import torch

from archdsl.data import hold, open_data
from archdsl.data.model import IGNORE
from archdsl.nets import Network, load_weights
from archdsl.train.evaluate import batched, own_indices, score
from archdsl.train.prepare import network_of_run
from archdsl.train.run import BEST
from archdsl.weights import load as load_tensors
from benchmarks.measure import ROOT
from benchmarks.report import Row, report
from benchmarks.streets import best_table, ious

STUDENT = "spaces/genotypes/fasterseg_student.arch"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="camvid:PATH")
    parser.add_argument("--out", required=True, type=Path, help="the folder of the run; one that is there is scored")
    parser.add_argument("--size", default="180x240")
    parser.add_argument("--epochs", default="24")
    parser.add_argument("--batch", default="8")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if not (given.out / BEST).exists():
        sized = ["--size", given.size, "--epochs", given.epochs, "--batch", given.batch, "--score-every", "2"]
        command = ["train", STUDENT, "--data", given.data, "--out", str(given.out), *sized, "--device", "cpu"]
        subprocess.run([sys.executable, "-m", "archdsl", *command], cwd=ROOT, check=True)
    height, _, width = given.size.partition("x")
    data = open_data(given.data, size=(int(height), int(width)))
    train, test = hold(data.splits["train"]), hold(data.splits["test"])
    labels = train.labels_NHW[train.labels_NHW != IGNORE].long()
    most = int(torch.bincount(labels, minlength=data.classes.count).argmax())
    majority = float(ious(torch.full_like(test.labels_NHW.long(), most), test).nansum()) / data.classes.count
    table, by_table = best_table(train, test)
    network = _network(given.out)
    scored = score(network[0], data, batched(map(data.splits["test"].read, own_indices(len(test))), 4), network[1])
    print(f"  {'class':12} {'table':>6} {'network':>8}")
    for name, one, other in zip(data.classes.names, by_table, scored.iou, strict=True):
        print(f"  {name:12} {float(one):6.3f} {other or 0.0:8.3f}")
    low = float(by_table.nanmean())
    rows = [
        Row(
            f"5 times the mIoU of `{data.classes.names[most]}` everywhere over the network's",
            5 * majority / scored.miou,
            1,
            "",
        ),
        Row("mIoU of the best table over the network's", low / scored.miou, 1, ""),
    ]
    notes = (
        f"test mIoU {majority:.4f} by the most frequent class, {low:.3f} by {table}, {scored.miou:.3f} by the network"
    )
    return report("camvid", rows, notes)


def _network(run: Path) -> tuple[Network, int]:
    loaded, _ = network_of_run(run)
    network = Network(loaded.network())
    load_weights(network, load_tensors(run / BEST, network.whole_graph).tensors)
    return network.eval(), loaded.padding_multiple


if __name__ == "__main__":
    sys.exit(main())
