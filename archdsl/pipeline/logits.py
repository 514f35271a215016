"""Logits of a search as a file: JSON, or safetensors as a state dict of logits is saved.

    {"version": 1, "space": "fasterseg", "hash": "sha256:…", "logits": {"trunk[1][8].operator": [0.1, …], …}}

Logits stand in the order of a question's answers, one more at the end where `none` may win. `hash` may be left out.
A search may add `guided`, logits as its guide leaves them, of the questions that it guides; and `accuracy`, of networks
by the ends of their branches: `{"a = 16, b = 32": 0.61}`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, isfinite
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import ConfigDict, Field

from archdsl.documents import MIB, Schema, Unfit, VersionOne, read
from archdsl.extras import Extra, Package, ToolMissing, install_line, is_installed
from archdsl.space import Program, QuestionPath

Logits: TypeAlias = "Mapping[QuestionPath, tuple[float, ...]]"

VERSION: Final = 1
LARGEST: Final = 64 * MIB
_SHOWN: Final = 3


class UnreadableLogits(Exception):
    """A file that holds no logits of a space; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class LogitsFile:
    """What a file of logits holds."""

    logits: Logits
    guided: Logits = field(default_factory=dict[QuestionPath, tuple[float, ...]])
    """As a guide leaves them; of the questions that it guides."""
    accuracy: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of derived networks, by where their branches end: `a = 16, b = 32`."""


def read_logits(file: Path, program: Program) -> Logits:
    """The logits of a file, by question. Raises UnreadableLogits, ToolMissing for safetensors, OSError."""
    return read_logits_file(file, program).logits


def read_logits_file(file: Path, program: Program, sizes: Mapping[QuestionPath, int] | None = None) -> LogitsFile:
    """All that a file of logits holds; `sizes` are lengths that vectors may have besides those of all answers.

    Raises UnreadableLogits, ToolMissing for safetensors, OSError.
    """
    if file.suffix == ".safetensors":
        return LogitsFile(_checked(file, _safetensors(file), program, sizes or {}))
    found = _json(file, program)
    logits = _checked(file, found.logits, program, sizes or {})
    guided: Logits = _checked(file, found.guided, program, sizes or {}) if found.guided else {}
    return LogitsFile(logits, guided, found.accuracy)


def _checked(
    file: Path, found: Mapping[str, Sequence[float]], program: Program, sizes: Mapping[QuestionPath, int]
) -> Logits:
    logits: dict[QuestionPath, tuple[float, ...]] = {}
    problems: list[str] = []
    spelled = {name: path for path in program.questions for name in _names(path, program)}
    for name, vector in found.items():
        path = spelled.get(name) or next(iter(program.find(name)), None)
        problem = _problem(name, vector, path, program, sizes)
        if problem is None and path is not None:
            logits[path] = tuple(vector)
        elif problem is not None:
            problems.append(problem)
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise UnreadableLogits("\n".join([f"`{file}` has no logits of `{program.name}`", *problems[:_SHOWN], *more]))
    if not logits:
        raise UnreadableLogits(f"`{file}` has no logits: write a vector for each question under `logits`")
    return logits


def write_logits(
    logits: Logits, program: Program, *, guided: Logits | None = None, accuracy: Mapping[str, float] | None = None
) -> str:
    """A file of logits as JSON, with what a search adds (`LogitsFile`)."""
    head = json.dumps({"version": VERSION, "space": program.name, "hash": program.hash}, ensure_ascii=False)
    parts = [("logits", _spelled(logits, program))]
    if guided:
        parts.append(("guided", _spelled(guided, program)))
    if accuracy:
        parts.append(("accuracy", accuracy))
    blocks = (
        f"{json.dumps(key)}: {{\n"
        + ",\n".join(f"  {_quoted(name)}: {json.dumps(each)}" for name, each in block.items())
        + "\n}"
        for key, block in parts
    )
    return f"{head[:-1]}, " + ", ".join(blocks) + "}\n"


def _spelled(logits: Logits, program: Program) -> Mapping[str, object]:
    """By names that lead back to the questions, also where two are spelled alike."""
    return {tuple(_names(path, program))[-1]: list(vector) for path, vector in logits.items()}


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def probabilities(logits: Logits, program: Program) -> dict[QuestionPath, dict[str, float]]:
    """softmax(logits) of each question, by answer; what `none` has is left out."""
    found: dict[QuestionPath, dict[str, float]] = {}
    for path, vector in logits.items():
        largest = max(vector)
        shares = [exp(each - largest) for each in vector]
        answers = program.questions[path.question].answers
        found[path] = {answer: share / sum(shares) for answer, share in zip(answers, shares, strict=False)}
    return found


def _problem(
    name: str,
    vector: Sequence[float],
    path: QuestionPath | None,
    program: Program,
    sizes: Mapping[QuestionPath, int],
) -> str | None:
    if path is None:
        near = difflib.get_close_matches(name, [program.spell(each) for each in program.questions], 1)
        return f"`{name}` is no question" + (f": did you mean `{near[0]}`?" if near else "")
    count = len(program.questions[path.question].answers)
    if len(vector) not in (count, count + 1, sizes.get(path.question)):
        return f"`{name}` has {len(vector)} logits: its question has {count} answers"
    if not all(map(isfinite, vector)):
        return f"`{name}` has NaN or infinite values"
    return None


_Number: TypeAlias = Annotated[float, Field(allow_inf_nan=True)]
"""Those that are none are said together with what else is wrong with a vector."""
_Vectors: TypeAlias = dict[str, Annotated[tuple[_Number, ...], Field(min_length=1)]]


class _File(Schema):
    model_config = ConfigDict(extra="allow")

    version: VersionOne
    space: str | None = None
    hash: str | None = None
    logits: _Vectors
    guided: _Vectors = Field(default_factory=dict)
    accuracy: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)


def _json(file: Path, program: Program) -> _File:
    try:
        found = read(_File, file, LARGEST)
    except Unfit as error:
        raise UnreadableLogits(f"`{file}` cannot be read as logits: {error}") from None
    if found.hash not in (None, program.hash):
        raise UnreadableLogits(
            f"`{file}` has the logits of another `{found.space}`: `{program.name}` has the hash {program.hash}"
        )
    return found


def _names(path: QuestionPath, program: Program) -> Iterator[str]:
    """How a file names a question: as a text does, or where two are spelled alike as a state dict does."""
    yield program.spell(path)
    if program.find(str(path))[0] != path:
        yield f"answer.{path}"


def _safetensors(file: Path) -> Mapping[str, Sequence[float]]:
    if not is_installed(Package("safetensors", "safetensors")):
        raise ToolMissing("safetensors", install_line(Extra.TORCH))
    from archdsl.weights.files import open_weights
    from archdsl.weights.stored import BrokenWeights, UnreadableWeights

    try:
        found = open_weights(file).tensors
        return {name: [float(each) for each in tensor.numbers().flatten()] for name, tensor in found.items()}
    except (BrokenWeights, UnreadableWeights) as error:
        raise UnreadableLogits(str(error)) from None
