"""What each op of an operator question computes where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from archdsl.ir import closed
from archdsl.ops.primitives import PRIMITIVES
from archdsl.pipeline import load
from archdsl.search.robustness.works import Work, works_of
from archdsl.space import Apply, Program
from archdsl.space.trace import Answers, trace

ROOT: Final = Path(__file__).parents[3]
TEXT: Final = """archdsl 1

use std

op pooled(s = 1) = max_pool(k = 3, s = s) -> bn(affine = no)
op hidden(c, s = 1) {
  in x
  out case searching {
    when yes: x -> conv1x1(c, s = s)
    else: x
  }
}
op gated(c, s = 1) {
  in x
  out case channels(x) {
    when 8: x
    else: x -> conv1x1(c, s = s)
  }
}
op where_wide() {
  in x
  out case channels(x) {
    when 1..6: x
    else: x -> dwconv(k = 3)
  }
}

ops all = {zero, identity, pooled, hidden, gated, conv3x3, conv(c = 8, k = 1), bn, avg_pool3x3}

cell node(c) {
  in a, b
  choose width in {4, 8}
  x1 = sum({a -> conv1x1(c), b} -> all)
  x2 = x1 -> conv3x3(width) -> conv1x1(c) -> conv1x1(c)
  out x2
}

cell striding(c) {
  in a
  choose operator in {identity, max_pool3x3, sep_conv3x3}
  out a -> operator(c, s = 2)
}

cell narrow(c) {
  in a
  choose width in {4, 8}
  choose operator in {where_wide, relu, dwconv(k = 3)}
  out a -> conv3x3(width) -> operator -> conv3x3(c)
}

space net() {
  in image: 3x32x64
  stem = image -> conv3x3(8)
  one = node(stem, stem, c = 8)
  two = striding(one, c = 8)
  three = narrow(two, c = 8)
  out logits = three
}
"""
NOTHING, IDENTITY, FREE, WEIGHTS = Work.NOTHING, Work.IDENTITY, Work.PARAMETER_FREE, Work.WEIGHTS


def program_of(folder: Path, text: str = TEXT) -> Program:
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    return load(str(file)).program


def by_name(program: Program) -> Mapping[str, list[list[Work]]]:
    return {program.spell(path): [list(each.values()) for each in found] for path, found in works_of(program).items()}


def test_ops_and_primitives(tmp_path: Path) -> None:
    edge = [NOTHING, IDENTITY, FREE, IDENTITY, IDENTITY, WEIGHTS, WEIGHTS, FREE, FREE]
    assert by_name(program_of(tmp_path)) == {
        # What stands on an edge before its op is no part of it.
        "node.x1.a": [edge],
        "node.x1.b": [edge],
        "striding.operator": [[WEIGHTS, FREE, WEIGHTS]],
        # Whether it has weights hangs on a width.
        "narrow.operator": [[WEIGHTS, FREE, WEIGHTS]],
    }


def test_one_op_in_two_places() -> None:
    program = load(str(ROOT / "spaces/fasterseg.arch")).program
    (path,) = program.find("trunk[5][16].operator")
    stay, down = works_of(program)[path]
    assert [stay["skip"], down["skip"]] == [IDENTITY, WEIGHTS]
    # The last layer's map at half the resolution is read by nothing.
    (last,) = program.find("trunk[16][16].operator")
    assert len(works_of(program)[last]) == 1


def layers(program: Program, answers: Answers) -> int:
    """Those of a network that have weights, without its batch norms."""
    graph = closed(program, trace(program, answers), program.name)
    primitives = [PRIMITIVES[apply.primitive] for _, apply in graph.with_payload(Apply)]
    return sum(each.owns_tensors and not each.traits.batch_norm for each in primitives)


@pytest.mark.parametrize("text", ["nasbench201", "fbnet"])
def test_an_op_with_weights_adds_layers_to_a_network(text: str) -> None:
    program = load(str(ROOT / f"spaces/{text}.arch")).program
    works = {path: places[0] for path, places in works_of(program).items()}
    free = {path: [name for name, work in each.items() if work in (IDENTITY, FREE)] for path, each in works.items()}
    plain = {path: (next(iter(free[path]), next(iter(each))),) for path, each in works.items()}
    fewest = layers(program, plain)
    seen: set[Work] = set()
    for path in [path for path, names in free.items() if names][:6]:
        for answer, work in works[path].items():
            if work is not NOTHING:
                seen.add(work)
                assert (layers(program, {**plain, path: (answer,)}) > fewest) == (work is WEIGHTS), (path, answer)
    assert seen >= {WEIGHTS, IDENTITY}
