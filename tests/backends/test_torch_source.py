"""The standalone file: the same network, the same names, and a text that cannot reach out of its place."""

from __future__ import annotations

import ast
import keyword
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from torch import nn

from archdsl.backends.torch_source.module_template import Origin
from archdsl.backends.torch_source.names import attribute
from archdsl.backends.torch_source.source import to_torch_source
from archdsl.ir import ClosedGraph
from archdsl.nets import Network
from archdsl.ops import Shape
from archdsl.space import FrameKind
from tests.backends.modules import module_of
from tests.backends.student import Text, conv3x3, student

N = TypeVar("N", bound=nn.Module)

SMALL = student(128, 192, parts=4)


def class_of(source: str, name: str) -> Callable[..., nn.Module]:
    return getattr(module_of(source), name)


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


def check_formatted(source: str, folder: Path) -> None:
    file = folder / "network.py"
    file.write_text(source)
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--no-cache", "--line-length", "120"]
    for command in (["format", "--check", "--diff"], ["check", "--select", "E4,E7,E9,F,I,UP,B,ANN,PLW"]):
        done = subprocess.run([*ruff, *command, *options, str(file)], capture_output=True, text=True, check=False)
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
    check_formatted(
        to_torch_source(SMALL, Origin("student.arch:student", "1f2e", "student.safetensors", "RGB")), tmp_path
    )


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
    made: Callable[..., nn.Module] = module_of(source).load.__annotations__["return"]
    written = made(auxiliary=True)
    written.load_state_dict(network.state_dict(), strict=True)
    image = torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        output, extra = written.eval()(image)
        expected = network.outputs(image)
    assert same(expected[name], output)
    assert same(expected[name + '"z'], extra[name + '"z'])


def test_no_child_hides_what_a_module_has() -> None:
    for name in dir(nn.Module()):
        assert attribute(name) == f'self._modules["{name}"]'


def every_primitive() -> ClosedGraph:
    text = Text()
    image = text.image(Shape(3, 33, 47))
    x = text.apply("conv", image, c=8, k=(1, 3), s=2, bias=True)
    maps: list[str] = []
    for primitive, given in (
        ("dwconv", {"k": 5, "d": 2}),
        ("max_pool", {"k": 3, "s": 2}),
        ("avg_pool", {"k": 2, "s": 2, "ceil": True}),
        ("avg_pool", {"k": 3}),
        ("avg_pool", {"k": 3, "count_padding": True}),
        ("global_avg_pool", {}),
        ("global_max_pool", {}),
        ("crop", {"top": 1, "right": 2}),
        ("zero", {"s": 2}),
        ("relu6", {}),
        ("hswish", {}),
        ("hsigmoid", {}),
        ("sigmoid", {}),
        ("softmax", {}),
        ("shuffle", {"groups": 2}),
        ("dropout", {}),
        ("resize", {"factor": Fraction(2, 3)}),
        ("resize", {"factor": Fraction(3, 2), "align_corners": True}),
        ("resize", {"factor": Fraction(1, 2)}),
        ("resize", {"size": (7, 9), "mode": "nearest"}),
        ("resize", {"factor": 2, "mode": "nearest"}),
        ("conv", {"c": 8, "groups": 4}),
        ("bn", {"eps": Fraction(1, 1000), "affine": False, "momentum": Fraction(1, 100)}),
    ):
        y = text.apply(primitive, x, **given)
        y = text.apply("resize", y, x, mode="nearest")
        maps.append(text.apply("conv", y, c=4, k=1))
    total = text.apply("add", *maps)
    total = text.apply("add", total, text.apply("multiply", *maps[:2]))
    number = text.apply("argmax", total)
    vector = text.apply("linear", text.apply("global_avg_pool", total), c=5)
    text.result("total", total)
    text.result("vector", vector)
    text.result("number", number)
    return text.graph("every_primitive")


def test_every_primitive_is_computed_alike(tmp_path: Path) -> None:
    graph = every_primitive()
    network = deterministic(Network(graph))
    source = to_torch_source(graph)
    check_formatted(source, tmp_path)
    written = class_of(source, "EveryPrimitive")()
    written.load_state_dict(network.state_dict(), strict=True)
    image = torch.randn(2, 3, 37, 41)
    with torch.inference_mode():
        outputs = dict(zip(("total", "vector", "number"), written.eval()(image), strict=True))
        expected = network(image)
    for name, output in outputs.items():
        assert output.shape == expected[name].shape
        assert same(expected[name].float(), output.float())
