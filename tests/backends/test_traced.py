"""TorchScript of the standalone file, and torch.fx graphs of the network that is built: what both make of a text."""

from __future__ import annotations

import warnings
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any, cast

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import nn

from archdsl.backends.torch_source.source import to_torch_source
from archdsl.ir import ClosedGraph, ClosedNode, module_path
from archdsl.nets import Network
from archdsl.ops import Shape
from archdsl.pipeline import load
from archdsl.space import Apply, NodePath
from tests.backends.student import student, with_auxiliary
from tests.graphs import Sketch, maps_of_an_image
from tests.primitive_cases import CASES, Case

TORCH = cast("Any", torch)
FOLDER = TemporaryDirectory()
NAMES_OF_MODULES = ["half", "type", "apply", "to", "float", "forward", "eval", "training", "auxiliary", "graph", "get"]


def scripted(module: nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch wishes that people export instead
        return TORCH.jit.script(module)


def written(graph: ClosedGraph, **given: bool) -> nn.Module:
    """The network of the standalone file, with torch's own initial weights. TorchScript reads the file again."""
    with NamedTemporaryFile("w", suffix=".py", delete=False, dir=FOLDER.name) as file:
        file.write(to_torch_source(graph))
    spec = spec_from_file_location(Path(file.name).stem, file.name)
    assert spec is not None and spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load.__annotations__["return"](**given).eval()


def same(left: object, right: object) -> bool:
    match left, right:
        case torch.Tensor(), torch.Tensor():
            return torch.equal(left, right)
        case dict(), dict():
            first, second = cast("dict[str, object]", left), cast("dict[str, object]", right)
            return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
        case tuple(), tuple():
            one, other = cast("tuple[object, ...]", left), cast("tuple[object, ...]", right)
            return len(one) == len(other) and all(map(same, one, other))
        case _:
            return False


def of_primitive(case: Case) -> ClosedGraph:
    sketch = Sketch(case.primitive)
    first, *others = maps_of_an_image(sketch, case.maps)
    sketch.result("alone", sketch.apply("alone", case.primitive, first, *others, **case.given))
    sketch.result("more", sketch.apply("more", "relu", first))
    return sketch.graph()


@pytest.mark.parametrize("primitive", CASES)
@given(data=st.data())
@settings(max_examples=3, phases=[Phase.generate])
def test_every_primitive(primitive: str, data: st.DataObject) -> None:
    case = data.draw(CASES[primitive])
    graph = of_primitive(case)
    height, width = max(map_.height for map_ in case.maps), max(map_.width for map_ in case.maps)
    image = torch.randn(2, int(str(case.maps[0].channels)), height, width)
    file, network = written(graph), Network(graph).eval()
    assert same(scripted(file)(image), file(image))
    assert same(TORCH.fx.symbolic_trace(network)(image), network(image))


@pytest.mark.parametrize("auxiliary", [False, True])
def test_auxiliary_heads_are_scripted_where_they_are_there(auxiliary: bool) -> None:
    network = written(with_auxiliary(), auxiliary=auxiliary)
    image = torch.randn(1, 3, 16, 16)
    found = scripted(network)
    assert same(found(image), network(image))
    assert ("deep_conv.weight" in found.state_dict()) is auxiliary


@pytest.mark.parametrize("auxiliary", [False, True])
def test_a_traced_network_has_no_auxiliary_heads(auxiliary: bool) -> None:
    network = Network(with_auxiliary(), auxiliary=auxiliary).eval()
    image = torch.randn(1, 3, 16, 16)
    found = TORCH.fx.symbolic_trace(network)
    assert same(found(image), network(image))
    assert not any(name.startswith("deep") for name in found.state_dict())


def test_a_whole_network_at_another_size() -> None:
    graph = student(64, 128, parts=4)
    image = torch.randn(2, 3, 128, 64)
    for auxiliary in (False, True):
        file = written(graph, auxiliary=auxiliary)
        assert same(scripted(file)(image), file(image))
    network = Network(graph).eval()
    assert same(TORCH.fx.symbolic_trace(network)(image), network(image))


def test_several_outputs_of_a_cell_and_of_the_network() -> None:
    sketch = Sketch()
    x = sketch.image(3, 8, 8)
    sketch.result("a", sketch.apply("a.conv", "conv", x, c=2))
    sketch.result("b", sketch.apply("b.conv", "conv", x, c=3))
    sketch.result("side", sketch.apply("side.conv", "conv", x, c=4), auxiliary=True)
    graph, image = sketch.graph(), torch.randn(1, 3, 8, 8)
    for auxiliary in (False, True):
        file = written(graph, auxiliary=auxiliary)
        assert same(scripted(file)(image), file(image))


NAMED = """archdsl 1

op NAME() = conv(3) -> relu
op twice() = NAME -> NAME

cell cell_NAME() {
  in x
  choose NAME_1 in {NAME, bn}
  out x -> NAME -> NAME_1
}

space net() {
  in image: 3x8x8
  t = chain(image) {
    cell_NAME()
  }
  late_NAME = t -> NAME
  out y = late_NAME -> twice
}

genotype found of net {
  cell_NAME.NAME_1 = NAME
}
"""


@pytest.mark.parametrize("name", NAMES_OF_MODULES)
def test_names_that_modules_have(name: str, tmp_path: Path) -> None:
    """Ops, lines, inputs and outputs of these names."""
    file = tmp_path / "net.arch"
    file.write_text(NAMED.replace("NAME", name), encoding="utf-8")
    graph = load(f"{file}:found").network()
    image = torch.randn(1, 3, 8, 8)
    module, network = written(graph), Network(graph).eval()
    assert same(scripted(module)(image), module(image))
    assert same(TORCH.fx.symbolic_trace(network)(image), network(image))


@pytest.mark.parametrize("name", NAMES_OF_MODULES)
def test_inputs_and_lines_of_names_that_modules_have(name: str) -> None:
    sketch = Sketch()
    x = sketch.image(3, 8, 8, name=name)
    line = sketch.apply(f"{name}_2", "relu", x)
    sketch.result("one", sketch.apply("conv", "conv", line, c=4))
    sketch.result("other", sketch.apply("bn", "bn", x))
    graph = sketch.graph()
    image = torch.randn(1, 3, 8, 8)
    module, network = written(graph), Network(graph).eval()
    assert same(scripted(module)(image), module(image))
    assert same(TORCH.fx.symbolic_trace(network)(image), network(image))


def test_no_child_has_the_name_of_an_attribute() -> None:
    """Of a module of torch, of one that is built, of one of a torch file."""
    graph = student(64, 128, parts=1)
    for module in (nn.Module(), Network(graph), written(graph), written(with_auxiliary(), auxiliary=True)):
        taken = {name for name in dir(module) if not name.startswith("_")} - {
            name for name, _ in module.named_children()
        }
        assert {name for name in taken if _child_of(name) == name} == set()


def _child_of(name: str) -> str:
    return module_path(ClosedNode(NodePath((), name), Apply("relu"), Shape(1, 1, 1)))[-1]
