"""Projects of several files: chains of `use`, aliases, tables, genotypes; what can be wrong with files and texts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from random import Random
from typing import Final

from benchmarks.fuzz.commands import ended
from benchmarks.fuzz.exercise import Clock, Outcome, exercise
from benchmarks.fuzz.kinds import Case
from benchmarks.fuzz.mutate import mutated

_FOLDERS: Final = ("", "", "parts/", "parts/deep/", "b c/", "é/")
_COMMANDS: Final = (
    ("check", "."),
    ("check", ".", "--format", "json"),
    ("check", "{main}"),
    ("fmt", "--check", "."),
    ("stats", "{main}"),
    ("expand", "{main}"),
    ("draw", "{main}", "-o", "drawn.dot"),
    ("sample", "{main}:net", "--seed", "1"),
    ("diff", "{main}:net", "{other}"),
    ("show", "{other}"),
    ("cost", "rows", "{main}:net", "--format", "json"),
)


@dataclass(frozen=True, slots=True)
class Projects:
    slow_s: float = 2.0
    memory: int = 2 << 30
    batch: int = 500

    def make(self, random: Random, folder: Path) -> Case:
        (folder / "pyproject.toml").touch()
        files = _written(random)
        how: tuple[str, ...] = ()
        name = random.choice(list(files))
        data = {each: text.encode() for each, text in files.items()}
        if random.random() < 0.5:
            others = [random.choice(list(files.values())) for _ in range(3)]
            found = mutated(files[name], others, random)
            data[name], how = found.data, found.how
        for each, content in data.items():
            path = folder / each
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if not how or random.random() < 0.3:
            how = (*how, _misplaced(folder, name, list(files), random))
        main = list(files)[-1]
        return Case(f"{len(files)} files", how, folder / main, (folder / name,))

    def exercise(self, case: Case, random: Random, clock: Clock, *, further: bool) -> Outcome:
        """The text that uses the others, then commands on the whole project."""
        outcome = exercise(case.file, clock, further=further) if case.file.is_file() else Outcome("unread", ())
        here = next(each for each in case.file.parents if (each / "pyproject.toml").exists())
        names = {"main": str(case.file.relative_to(here)), "other": str(case.readers[0].relative_to(here))}
        ends: list[str] = []
        for command in random.sample(_COMMANDS, 5 if further else 2):
            with clock.of(command[0]):
                ends.append(f"{command[0]} {ended([each.format(**names) for each in command], here)}")
        return Outcome(outcome.kind, outcome.codes, (*outcome.notes, *ends))


# Whole projects -----------------------------------------------------------------------------------


def _written(random: Random) -> dict[str, str]:
    """Texts by their names; each uses some of those before it, the last defines the space and answers it."""
    files: dict[str, str] = {}
    count = random.choice((2, 3, 3, 4, 6))
    ops: list[tuple[str, str]] = []
    for number in range(count - 1):
        name = f"{random.choice(_FOLDERS)}f{number}.arch"
        uses, spelled = _uses(name, files, random)
        before = [spelled[file] + op for file, op in ops if file in spelled]
        body = random.choice((*before, "conv3x3(c)", "conv1x1(c) -> relu")) if before else "conv3x3(c)"
        op = f"op_{number}"
        body = f"{body}(c)" if body in before else body
        files[name] = (
            f"archdsl 1\n\nuse std\n{uses}\nop {op}(c) = {body} -> relu\n\nops set_{number} = {{{op}(c = 4), relu}}\n"
        )
        ops.append((name, op))
    name = f"{random.choice(_FOLDERS)}net.arch"
    uses, spelled = _uses(name, files, random, every=True)
    first = spelled[ops[0][0]] + ops[0][1]
    last, _ = ops[-1]
    answer = f"{spelled[last]}set_{count - 2}"
    table = random.choice(("missing.json",) * 6 + (ops[0][0], ".", "../device.json"))
    files[name] = (
        f"archdsl 1\n\nuse std\n{uses}\n"
        f'cost latency = table("{_from(name, table)}", unit = ms)\n\n'
        f"cell block() {{\n  in x\n  out x -> {answer}\n}}\n\n"
        f"space net(c = 4) {{\n  in image: 3x32x64\n  s = image -> {first}(c)\n"
        "  t = chain(s) {\n    each block() * 2\n  }\n  out logits = t -> conv(3, k = 1)\n}\n\n"
        "genotype answered of net() {\n  open = t\n}\n\n"
        "search found of net {\n  objective = loss + latency\n  relax = softmax\n  derive = argmax\n"
        "  arch = adam(lr = 0.05)\n  weights = sgd(lr = 0.1, batch = 4)\n  iterations = 2\n}\n"
    )
    return files


def _uses(name: str, files: dict[str, str], random: Random, *, every: bool = False) -> tuple[str, dict[str, str]]:
    """Lines that use other files, and how the names of each are then written."""
    lines, spelled = "", dict[str, str]()
    for number, file in enumerate(files):
        if every or random.random() < 0.6:
            alias = random.random() < 0.5
            lines += f'use "{_from(name, file)}"{f" as a{number}" if alias else ""}\n'
            spelled[file] = f"a{number}." if alias else ""
    return lines, spelled


def _from(name: str, file: str) -> str:
    return os.path.relpath(file, PurePosixPath(name).parent)


# What is wrong with their files --------------------------------------------------------------------


def _misplaced(folder: Path, name: str, every: list[str], random: Random) -> str:
    """Something else at the place of a file, or one more file."""
    path, other = folder / name, folder / random.choice(every)
    main = folder / every[-1]
    what = random.choice(
        ("gone", "folder", "loop", "link", "pipe", "device", "empty", "UTF-16", "mark", "circle", "twice", "itself")
    )
    data = path.read_bytes()
    match what:
        case "gone" | "folder" | "loop" | "link" | "pipe" | "device":
            path.unlink()
            if what == "folder":
                path.mkdir()
            elif what == "loop":
                path.symlink_to(path.name)
            elif what == "pipe":
                os.mkfifo(path)
            elif what != "gone":
                path.symlink_to("/dev/zero" if what == "device" else other)
        case "empty":
            path.write_bytes(b"")
        case "UTF-16":
            path.write_bytes(data.decode("utf-8", "replace").encode("utf-16"))
        case "mark":
            path.write_bytes(b"\xef\xbb\xbf" + data)
        case _:
            used = {"circle": main, "twice": other, "itself": path}[what]
            line = f'use "{_from(name, used.relative_to(folder).as_posix())}"\n'.encode()
            path.write_bytes(data.replace(b"use std\n", b"use std\n" + line * (2 if what == "twice" else 1)))
    return what
