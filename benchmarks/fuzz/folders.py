"""Folders of what commands read, one file of them broken: cost tables, compiled networks, runs, weights, ONNX files.

The originals are made by the commands themselves.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final

from benchmarks.fuzz.binaries import mutated_bytes, mutated_onnx, mutated_safetensors
from benchmarks.fuzz.commands import ended
from benchmarks.fuzz.exercise import Broken, Clock, Outcome
from benchmarks.fuzz.kinds import Case
from benchmarks.fuzz.values import mutated_json

PEAK: Final = 1 << 30
"""Bytes that a case may add to what its process held before; one that adds more is a finding."""

SPACE: Final = """archdsl 1

use std

ops some = {identity, conv3x3, max_pool3x3}

cell block(c) {
  in prev2 -> align(c, like = prev), prev -> align(c, like = prev)
  x1 = sum({prev2, prev} -> some, keep = 1)
  out x1 -> conv1x1(c)
}

space net(classes = 11, c = 4) {
  in image: 3x32x64
  s1 = image -> conv3x3(c, s = 2)
  s2 = s1 -> conv3x3(c)
  trunk = chain(s1, s2) {
    each block(c = c) * 2
  }
  out logits = trunk -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}
"""
_TEXT: Final = (
    SPACE
    + """
cost latency = table("device.json", unit = ms)

search found of net {
  levels = one
  relax = softmax(also = none)
  derive = argmax(except = none), keep(by = max_probability)
  objective = loss + 0.1 * log(latency)
  arch = adam(lr = 0.05, betas = (0.5, 0.999))
  weights = sgd(lr = cosine(from = 0.1, to = 0.01), momentum = 0.9, weight_decay = 1e-4, batch = 4)
  iterations = 2
}
"""
)
_NETWORK: Final = """archdsl 1

use std

space small(classes = 11) {
  in image: 3x32x64
  stem = image -> conv3x3(8, s = 2)
  out logits = stem -> conv(classes, k = 1, bias = yes) -> resize(like = image)
  out aux early = stem -> conv(classes, k = 1) -> resize(like = image)
}

train small_final of small {
  iterations = 4
  loss = cross_entropy
  auxiliary = 0.4
  weights = sgd(lr = poly(0.05), momentum = 0.9, batch = 2)
  ema = 0.9
}
"""
_DATA: Final = ("--size", "32x64", "--batch", "2", "--save-every", "1", "--device", "cpu")


def _nothing(_place: Path) -> None:
    """Texts and commands are enough."""


def _write_image(place: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 32)).save(place / "image.png")


def _write_tables(place: Path) -> None:
    """Two tables with every row of a text's space."""
    from archdsl.cost.space_rows import rows_of_space
    from archdsl.cost.tables import Calibration, Measurement, Scale, Table, table_bytes
    from archdsl.pipeline import load
    from archdsl.settings.costs import Unit

    rows = rows_of_space(load(f"{place / 'net.arch'}:net").program)
    measured = Measurement(
        device="invented",
        runtime="invented",
        version="1",
        precision="fp32",
        threads=1,
        clock="wall",
        statistic="median",
        rounds=3,
        scale=Scale(factor=0.9, error=0.1, networks=5),
    )
    networks = (Calibration(network="net", time=3.0, ops={"conv3x3": 2.0, "conv1x1": 1.0}),)
    for number, file in enumerate(("device.json", "other.json"), start=1):
        times = {row: number + 0.25 * position for position, row in enumerate(rows)}
        table = Table(Unit.MS, times, measured, memory={rows[0]: 4096}, calibration=networks)
        (place / file).write_bytes(table_bytes(table))


@dataclass(frozen=True, slots=True)
class Folder:
    """How an original is made, which of its files are broken, and the commands that read it."""

    texts: Mapping[str, str]
    made_by: Sequence[Sequence[str]]
    broken: Sequence[str]
    """Patterns of paths in it."""
    commands: Sequence[Sequence[str]]
    slow_s: float = 10.0
    prepare: Callable[[Path], None] = _nothing
    """Writes what no command does, before they run."""


FOLDERS: Final[Mapping[str, Folder]] = MappingProxyType(
    {
        "tables": Folder(
            {"net.arch": _TEXT, "pyproject.toml": ""},
            (),
            ("device.json",),
            [
                ("cost", "show", "device.json"),
                ("cost", "show", "device.json", "--format", "json"),
                ("cost", "show", "device.json", "--plot", "plot.dot"),
                ("cost", "check", "device.json", "net.arch:net"),
                ("cost", "merge", "device.json", "other.json", "-o", "merged.json"),
                ("cost", "diff", "other.json", "device.json"),
                ("stats", "net.arch:net", "--cost", "device.json", "--format", "json"),
                ("stats", "net.arch:net", "--cost", "device.json", "--interpolate"),
                ("check", "net.arch"),
            ],
            2.0,
            _write_tables,
        ),
        "manifests": Folder(
            {"small.arch": _NETWORK},
            [("compile", "small.arch", "--target", target, "-o", "out", "--verify") for target in ("torch", "onnx")],
            ("out/*.manifest.json",),
            [
                ("verify", "small.arch", "out"),
                ("verify", "small.arch", "out", "--format", "json"),
                ("bench", "out", "--runs", "1"),
            ],
        ),
        "runs": Folder(
            {"small.arch": _NETWORK},
            [("train", "small.arch", "--out", "run", "--iterations", "2", *_DATA)],
            ("run/*",),
            [
                ("report", "run", "-o", "page.html"),
                ("eval", "small.arch", "--weights", "run", "--size", "32x64"),
                ("compile", "small.arch", "--target", "torch", "--weights", "run", "-o", "out"),
                ("train", "small.arch", "--out", "run", "--iterations", "3", "--resume", *_DATA),
                ("train", "small.arch", "--out", "second", "--iterations", "1", "--init", "run", *_DATA),
            ],
            30.0,
        ),
        "searches": Folder(
            {"net.arch": _TEXT.replace("log(latency)", "log(macs)"), "pyproject.toml": ""},
            [
                ("search", "net.arch", "--out", "run", *_DATA),
            ],
            ("run/*",),
            [
                ("report", "run", "-o", "page.html"),
                ("derive", "run", "-o", "derived.arch"),
                ("derive", "run", "--where", "macs < 1G", "--format", "json"),
                ("search", "net.arch", "--out", "run", "--resume", *_DATA),
            ],
            30.0,
        ),
        "weights": Folder(
            {"small.arch": _NETWORK},
            [("compile", "small.arch", "--target", "torch", "-o", "out")],
            ("out/*.safetensors",),
            [
                ("compile", "small.arch", "--target", "onnx", "--weights", "out/small.safetensors", "-o", "again"),
                ("eval", "small.arch", "--weights", "out/small.safetensors", "--size", "32x64"),
                ("bench", "out", "--runs", "1"),
                ("train", "small.arch", "--out", "run", "--init", "out/small.safetensors", "--iterations", "1", *_DATA),
            ],
            30.0,
        ),
        "onnx": Folder(
            {"small.arch": _NETWORK},
            [
                ("compile", "small.arch", "--target", "onnx", "-o", "out"),
            ],
            ("out/*.onnx",),
            [
                ("predict", "out/small.onnx", "image.png", "-o", "drawn.png"),
                ("bench", "out/small.onnx", "--runs", "1"),
                ("eval", "out/small.onnx", "--size", "32x64"),
            ],
            30.0,
            _write_image,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Folders:
    folder: Folder
    original: Path
    memory: int = 6 << 30
    batch: int = 250

    @property
    def slow_s(self) -> float:
        return self.folder.slow_s

    @classmethod
    def built(cls, folder: Folder, place: Path) -> Folders:
        """The original is made anew, for it depends on the version, in a process of its own.

        Raises RuntimeError where a command fails on it as it is: that command would find nothing.
        """
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        process = get_context("fork").Process(target=_build, args=(folder, place))
        process.start()
        process.join()
        if process.exitcode:
            raise RuntimeError(f"no original could be made in {place}")
        return cls(folder, place)

    def make(self, random: Random, folder: Path) -> Case:
        shutil.copytree(self.original, folder, dirs_exist_ok=True)
        every = sorted(path for path in folder.rglob("*") if path.is_file())
        files = [path for path in every if self._is_broken(path.relative_to(folder).as_posix())]
        file = random.choice(files)
        how = ()
        if random.random() < 0.08:
            how = (_misplaced(file, every, random),)
        for _ in () if how else range(random.choice((1, 1, 1, 1, 2, 4))):
            data, each = _mutated(file, random)
            file.write_bytes(data)
            how = (*how, each)
        return Case(file.relative_to(folder).as_posix(), how, file)

    def exercise(self, case: Case, random: Random, clock: Clock, *, further: bool) -> Outcome:
        """Two of the commands; `further` the rest of them."""
        commands = list(self.folder.commands)
        random.shuffle(commands)
        here = case.file.parents[len(Path(case.original).parts) - 1]
        before = _peak(reset=True)
        ends: list[str] = []
        for arguments in commands if further else commands[:2]:
            with clock.of(" ".join(arguments[:2])):
                ends.append(f"{arguments[0]} {ended(arguments, here)}")
        if (grown := _peak() - before) > PEAK:
            raise Broken(f"{grown >> 20} MiB more than before")
        refused = any(not each.endswith(" 0") for each in ends)
        return Outcome("refused" if refused else "clean", tuple(sorted(set(ends))))

    def _is_broken(self, name: str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in self.folder.broken)


def _build(folder: Folder, place: Path) -> None:
    for name, text in folder.texts.items():
        (place / name).write_text(text, encoding="utf-8")
    folder.prepare(place)
    with tempfile.TemporaryDirectory() as copy:
        for arguments in folder.made_by:
            _fine(arguments, place)
        shutil.copytree(place, copy, dirs_exist_ok=True)
        for arguments in folder.commands:
            _fine(arguments, Path(copy))


def _fine(arguments: Sequence[str], folder: Path) -> None:
    if code := ended(arguments, folder):
        raise RuntimeError(f"{' '.join(arguments)} ends with {code}")


def _mutated(file: Path, random: Random) -> tuple[bytes, str]:
    data = file.read_bytes()
    try:
        if random.random() < 0.85:
            match file.suffix:
                case ".json" | ".jsonl":
                    return mutated_json(data, random, lines=file.suffix == ".jsonl")
                case ".safetensors":
                    return mutated_safetensors(data, random)
                case ".onnx":
                    return mutated_onnx(data, random)
                case _:
                    pass
    except Exception:  # noqa: BLE001 - a file that was broken before has no structure any more
        return mutated_bytes(data, random)
    return mutated_bytes(data, random)


def _misplaced(file: Path, every: Sequence[Path], random: Random) -> str:
    """Something else at the file's place."""
    what = random.choice(("nothing", "a folder", "a loop", "a pipe", "another file", "a device"))
    other = random.choice(every)
    data = other.read_bytes()
    file.unlink()
    match what:
        case "a folder":
            file.mkdir()
        case "a loop":
            file.symlink_to(file.name)
        case "a pipe":
            os.mkfifo(file)
        case "another file":
            file.write_bytes(data)
        case "a device":
            file.symlink_to("/dev/zero")
        case _:
            pass
    return what


def _peak(*, reset: bool = False) -> int:
    """Bytes that this process held at most since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
