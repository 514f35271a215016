"""A file with several genotypes: each answers the space with the parameters that it gives."""

from __future__ import annotations

from pathlib import Path

from archdsl.ir import closed
from archdsl.ops import Shape
from archdsl.pipeline import check
from archdsl.sema.driver import Meaning

TEXT = """archdsl 1

space net(c = 4, deep = no) {
  in image: 3x8x8
  choose act in {relu, relu6}
  y = image -> conv(c) -> act
  out z = case deep {
    when yes: y -> conv(1)
    else: y
  }
}

genotype first of net(c = 4, deep = yes) {
  act = relu
}

genotype wider of net(c = 8) {
  act = relu
}

genotype no_flag of net(c = 4, deep = 1) {
  act = relu
}

genotype like_the_first of net(deep = yes, c = 4) {
  act = relu6
}
"""


def output(meaning: Meaning) -> Shape:
    assert meaning.trace is not None
    network = closed(meaning.program, meaning.trace, meaning.name)
    return network.node(network.results[0]).shape


def test_genotypes_share_a_space_with_equal_parameters_only(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(TEXT, encoding="utf-8")
    found = check(str(file))
    assert found.diagnostics == ()
    genotypes = {meaning.name: meaning for meaning in found.meanings if meaning.trace is not None}
    channels = {name: output(genotype).channels for name, genotype in genotypes.items()}
    assert channels == {"first": 1, "wider": 8, "no_flag": 4, "like_the_first": 1}
    programs = {name: genotype.program for name, genotype in genotypes.items()}
    assert programs["like_the_first"] is programs["first"]
