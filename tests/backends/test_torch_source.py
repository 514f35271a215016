"""The standalone file: the same network, the same names, and a text that cannot reach out of its place."""

from __future__ import annotations

import ast
import keyword
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from archdsl.backends.torch_source.module_template import Origin
from archdsl.backends.torch_source.source import to_torch_source
from archdsl.ir import ClosedGraph
from archdsl.nets import Network
from archdsl.ops import Shape
from archdsl.space import FrameKind
from tests.backends.modules import module_of
from tests.backends.student import Text, conv3x3, student
from tests.graphs import Sketch, maps_of_an_image
from tests.primitive_cases import CASES, Case

N = TypeVar("N", bound=nn.Module)

SMALL = student(128, 192, parts=4)


def class_of(source: str, name: str) -> Callable[..., nn.Module]:
    return getattr(module_of(source), name)


def written_class(source: str) -> Callable[..., nn.Module]:
    """That of the network, whatever its name."""
    return module_of(source).load.__annotations__["return"]


def deterministic(network: N) -> N:
    """Weights and statistics that differ from layer to layer."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(0, 0.2, generator=generator)
    return network.eval()


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    return bool((left - right).abs().max() <= 1e-5 * left.abs().max())


def check_formatted(folder: Path, *sources: str) -> None:
    for number, source in enumerate(sources):
        (folder / f"network{number}.py").write_text(source)
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--no-cache", "--line-length", "120"]
    for command in (["format", "--check", "--diff"], ["check", "--select", "E4,E7,E9,F,I,UP,B,ANN,PLW"]):
        done = subprocess.run([*ruff, *command, *options, str(folder)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_computes_what_the_network_computes() -> None:
    network = deterministic(Network(SMALL, auxiliary=True))
    written = class_of(to_torch_source(SMALL), "FastersegStudent")(auxiliary=True)
    written.load_state_dict(network.state_dict(), strict=True)
    image = torch.randn(2, 3, 128, 192)
    with torch.inference_mode():
        logits, extra = written.eval()(image)
        expected = network.outputs(image)
    assert list(extra) == ["deep", "middle"]
    assert same(expected["logits"], logits)
    assert same(expected["deep"], extra["deep"])
    assert same(expected["middle"], extra["middle"])


def test_without_auxiliary_outputs_their_layers_are_absent() -> None:
    written = class_of(to_torch_source(SMALL), "FastersegStudent")()
    assert written.state_dict().keys() == Network(SMALL).state_dict().keys()
    logits = written.eval()(torch.zeros(1, 3, 64, 64))
    assert logits.shape == (1, 19, 64, 64)


def test_it_is_formatted_and_has_nothing_that_ruff_minds(tmp_path: Path) -> None:
    source = to_torch_source(SMALL, Origin("student.arch:student", "1f2e", "student.safetensors", "RGB"))
    check_formatted(tmp_path, source)


def test_it_needs_torch_alone_and_runs(tmp_path: Path) -> None:
    file = tmp_path / "student.py"
    file.write_text(to_torch_source(student(64, 64, parts=8)))
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - {"torch"} <= sys.stdlib_module_names
    done = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("(1, 19, 64, 64)\n", 0), done.stderr


def test_equal_structures_are_one_class_and_their_numbers_its_arguments() -> None:
    source = to_torch_source(SMALL)
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert names[-1] == "FastersegStudent"
    assert {"ZoomedConv3x3X2", "ZoomedConv3x3X2S2", "Conv3x3S2", "Fuse", "SegHead", "Refined"} <= set(names)
    assert {"SearchableConv3x3X2", "SearchableZoomedConv3x3X2S2"} <= set(names)
    assert "self.conv3x3 = Conv3x3(c + c_in_2, c)" in source
    assert 'F.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=True)' in source


def test_shapes_are_in_letters_where_a_class_is_used_in_several_places() -> None:
    source = to_torch_source(SMALL)
    assert '"""The op `conv3x3`, in 4 places: c_in x H x W to c x H/2 x W/2."""' in source
    assert '"""The op `fuse`, in 3 places: c_in_1 x H x W, c_in_2 x 2H x 2W to c x 2H x 2W."""' in source
    assert "up = torch.cat((up, y), dim=1)  # (c + c_in_2) x 2H x 2W" in source
    assert '"""The cell `refined`: 32x8x12, 8x16x24 to 16x16x24."""' in source


def test_preprocessing_is_told_where_it_is_known() -> None:
    assert "Images are" not in to_torch_source(SMALL, Origin("student.arch"))
    assert "\nRGB from 0 to 1.\n" in to_torch_source(SMALL, Origin("student.arch", preprocessing="RGB from 0 to 1"))


def test_the_same_graph_gives_the_same_text() -> None:
    assert to_torch_source(student(64, 64)) == to_torch_source(student(64, 64))


HOSTILE = (
    "x'); __import__('os').system('touch owned')  #",
    'a"""\nraise SystemExit("owned")\n"""',
    "train",
    "half",
    "forward",
    "auxiliary",
    "class",
    "self",
    "F",
    "torch",
    "nn",
    "__class__",
    "l",
    "None",
    "print",
    "x²",
    "ﬁne",
    "\u202e\u0000\\",
    "9lives",
    "Tensor",
    "load",
    "a" * 200,
    "prod",
    "value_error",
)


def hostile(name: str) -> ClosedGraph:
    text = Text()
    x = text.image(Shape(3, 16, 16))
    with text.line(name):
        x = conv3x3(text, x, 4)
    with text.frame(FrameKind.CELL, name + "y", name), text.line(name):
        y = conv3x3(text, x, 4)
        y = text.apply("bn", text.apply("conv", y, c=4))
    with text.frame(FrameKind.CELL, f"{name}_2", name), text.frame(FrameKind.OP, name, name):
        y = text.apply("conv", y, c=4)
        y = text.apply("bn", y)
    with text.line(name):
        z = text.apply("add", y, x)
    text.result(name, z)
    text.result(name + '"z', y, auxiliary=True)
    return text.graph(name)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_from_a_text_stay_names(name: str) -> None:
    graph = hostile(name)
    source = to_torch_source(graph, Origin(name, name, name, name))
    known = {"self", "super", "int", "str", "bool", "dict", "tuple", "len", "print", "sys", "torch", "F", "nn"}
    known |= {"bytearray", "prod", "read_safetensors"}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Name(function)):
                assert function in known or function[0].isupper() or function in {"load", "network"}
            case ast.Call(ast.Attribute(attr=function)):
                assert not function.startswith("__") or function == "__init__"
            case ast.Attribute(attr=function):
                assert not keyword.iskeyword(function)
            case _:
                pass
    network = deterministic(Network(graph, auxiliary=True))
    written = written_class(source)(auxiliary=True)
    written.load_state_dict(network.state_dict(), strict=True)
    image = torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        output, extra = written.eval()(image)
        expected = network.outputs(image)
    assert same(expected[name], output)
    assert same(expected[name + '"z'], extra[name + '"z'])


def alone_and_nested(case: Case) -> ClosedGraph:
    """A primitive twice: by itself, and between activations, where a form that is `piped` is one of a line of calls."""
    sketch = Sketch(case.primitive)
    first, *others = maps_of_an_image(sketch, case.maps)
    sketch.result("alone", sketch.apply("alone", case.primitive, first, *others, **case.given))
    before = sketch.apply("nested.before", "relu", first)
    between = sketch.apply("nested.between", case.primitive, before, *others, **case.given)
    sketch.result("nested", sketch.apply("nested.after", "relu", between))
    return sketch.graph()


@st.composite
def sizes(draw: st.DrawFn, case: Case) -> tuple[int, int]:
    """That of the case, or a larger one that the primitive reads too."""
    high, wide = draw(st.tuples(st.integers(0, 7), st.integers(0, 7)))
    larger = tuple(map_._replace(height=map_.height + high, width=map_.width + wide) for map_ in case.maps)
    if Case(case.primitive, larger, case.given).allowed():
        case = Case(case.primitive, larger, case.given)
    return max(map_.height for map_ in case.maps), max(map_.width for map_ in case.maps)


def outputs(module: nn.Module, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
    torch.default_generator.manual_seed(7)
    with torch.no_grad():
        found = module(image)
    return tuple(found.values() if isinstance(module, Network) else found)


@pytest.mark.parametrize("primitive", CASES)
@given(data=st.data())
@settings(max_examples=40)
def test_a_form_computes_what_the_layer_computes(primitive: str, data: st.DataObject) -> None:
    case = data.draw(CASES[primitive])
    graph = alone_and_nested(case)
    network = deterministic(Network(graph))
    written = written_class(to_torch_source(graph))()
    written.load_state_dict(network.state_dict(), strict=True)
    channels = int(str(case.maps[0].channels))
    # Four times normal numbers, so that some are beyond the bounds of activations at 3 and 6.
    generator = torch.Generator().manual_seed(5)
    image = 4 * torch.randn(2, channels, *data.draw(sizes(case)), generator=generator)
    for training in (True, False):
        expected, found = (outputs(module.train(training), image) for module in (network, written))
        for y, z in zip(expected, found, strict=True):
            assert z.shape == y.shape
            assert z.dtype == y.dtype
            assert same(y.double(), z.double())
    for name, tensor in network.state_dict().items():
        assert same(tensor.double(), written.state_dict()[name].double()), name


@given(cases=st.tuples(*CASES.values()))
@settings(max_examples=10)
def test_every_form_is_formatted(cases: tuple[Case, ...]) -> None:
    with TemporaryDirectory() as folder:
        check_formatted(Path(folder), *(to_torch_source(alone_and_nested(case)) for case in cases))
