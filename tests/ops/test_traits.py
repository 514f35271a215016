"""Every primitive has a torch layer and a form in every back end, and its traits are true of its layer."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.backends.onnx.primitives import FORMS as ONNX_FORMS
from archdsl.backends.torch_source.primitives import FORMS as TORCH_FORMS
from archdsl.nets.layers import LAYERS, layer
from archdsl.ops import Channels, Kept, Primitive, Reads, Role, Shape
from archdsl.ops.bind import bind
from archdsl.ops.primitives import BUILT_IN, PRIMITIVES
from archdsl.train.typed_torch import backward

NEEDED: Mapping[str, Mapping[str, object]] = {
    "conv": {"c": 6},
    "linear": {"c": 6},
    "shuffle": {"groups": 2},
    "group_norm": {"groups": 2},
    "affine": {"times": 2},
    "drop_path": {"p": 0.5},
    "parameter": {"c": 6, "size": 5},
    "max_pool": {"k": 3},
    "avg_pool": {"k": 3},
    "resize": {"factor": 2},
    "slice": {"to": 2},
    "tokens": {"heads": 2},
    "conv_transpose": {"c": 6, "k": 3},
    "adaptive_avg_pool": {"size": (3, 2)},
    "adaptive_max_pool": {"size": (3, 2)},
    "depth_to_space": {"r": 2},
    "space_to_depth": {"r": 5},
}
"""Parameters without which a primitive says nothing."""


PACKAGE = Path(archdsl.__file__).parent
TABLES = {
    "nets/layers.py",
    "backends/onnx/primitives.py",
    "backends/torch_source/primitives.py",
    "exchange/onnx/operators.py",  # which primitive an operator of others is
}
OTHER_MEANINGS = {
    "syntax/build.py": {"add", "multiply", "parameter"},
    "settings/schedules.py": {"linear"},
    "settings/trainings.py": {"crop"},
    "settings/relaxations.py": {"softmax", "argmax"},
    "backends/onnx/sizes.py": {"linear"},
    "diff/text.py": {"parameter"},
    "sema/resolve/index.py": {"parameter"},
    "session/__init__.py": {"parameter"},
    "relax/plan.py": {"affine"},
    "weights/fold.py": {"affine"},
    "exchange/darts.py": {"zero"},
    "report/diff_page.py": {"parameter"},
    "sema/elaborate/arguments.py": {"parameter"},
}
"""Rules of the grammar, words of searches and trainings, a mode of ONNX's Resize, kinds of names, flags of norms, and
what a text is written with."""


def names(*, having: str) -> list[str]:
    return [primitive.name for primitive in BUILT_IN if getattr(primitive.traits, having)]


def shapes(primitive: Primitive, count: int | None = None) -> list[Shape]:
    size = 1 if primitive.name == "linear" else 5
    return [Shape(4, size, size)] * (count or max(primitive.least, 3 if primitive.variadic else 1))


def module(name: str, read: list[Shape]) -> torch.nn.Module:
    primitive = PRIMITIVES[name]
    return layer(name, dict(bind(primitive, NEEDED.get(name, {}))), read, "cell.layer").eval()


def maps(read: list[Shape]) -> list[torch.Tensor]:
    return [torch.randn(1, int(str(c)), h, w) for c, h, w in read]


def test_nothing_but_the_tables_knows_a_primitive_by_its_name() -> None:
    known = {primitive.name for primitive in BUILT_IN}
    for file in sorted(PACKAGE.rglob("*.py")):
        place = str(file.relative_to(PACKAGE))
        if place.startswith("ops/") or place in TABLES:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert texts & known <= OTHER_MEANINGS.get(place, set()), place


def test_every_primitive_of_the_package_is_built_in() -> None:
    modules = [import_module(f"archdsl.ops.{file.stem}") for file in sorted((PACKAGE / "ops").glob("*.py"))]
    defined = {each for module in modules for each in vars(module).values() if isinstance(each, Primitive)}
    assert sorted(each.name for each in defined) == sorted(each.name for each in BUILT_IN)


@pytest.mark.parametrize("table", [LAYERS, ONNX_FORMS, TORCH_FORMS], ids=["nets", "onnx", "torch_source"])
def test_a_table_has_every_primitive_and_nothing_else(table: Mapping[str, object]) -> None:
    assert set(table) == {primitive.name for primitive in BUILT_IN}


@pytest.mark.parametrize("primitive", BUILT_IN, ids=lambda primitive: primitive.name)
def test_a_primitive_owns_tensors_where_its_layer_does(primitive: Primitive) -> None:
    owned = bool(module(primitive.name, shapes(primitive)).state_dict())
    assert primitive.owns_tensors == owned == (TORCH_FORMS[primitive.name].layer is not None)


@pytest.mark.parametrize("primitive", BUILT_IN, ids=lambda primitive: primitive.name)
def test_channels_come_from_where_the_trait_says(primitive: Primitive) -> None:
    read = shapes(primitive)
    written = primitive.shape(read, dict(bind(primitive, NEEDED.get(primitive.name, {})))).channels
    match primitive.traits.channels:
        case Channels.FIRST:
            assert written == 4
        case Channels.OWN | Channels.DERIVED:
            assert written != 4
        case Channels.SUM:
            assert written == 4 * len(read)


READING = [
    each
    for each in BUILT_IN
    if each.name != "linear"
    and not (each.traits.resamples or each.traits.zeros or each.traits.index or each.traits.constant)
]
"""Primitives of which `reads` says something, on maps of more than one place."""


@pytest.mark.parametrize("primitive", READING, ids=lambda primitive: primitive.name)
def test_a_number_is_computed_of_the_places_that_the_trait_says(primitive: Primitive) -> None:
    read = shapes(primitive)
    apply = module(primitive.name, read)
    for parameter in apply.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    places: set[tuple[int, int]] = set()
    place = 0, 0
    for _ in range(20):  # a maximum hangs on one place of each map, and a ReLU on none where it is negative
        given = [x.requires_grad_() for x in maps(read)]
        written = apply(*given)
        place = written.shape[2] // 2, written.shape[3] // 3
        backward((written[:, :, *place] * torch.rand(written.shape[1])).sum())
        assert given[0].grad is not None
        reached = (given[0].grad != 0).any(1)[0].nonzero()
        places |= {(int(row), int(column)) for row, column in reached}
    match primitive.traits.reads:
        case Reads.PLACE:
            rows, columns = primitive.scale(dict(bind(primitive, NEEDED.get(primitive.name, {})))) or (1, 1)
            assert len(places) == max(1 / rows, 1) * max(1 / columns, 1)
        case Reads.WINDOW | Reads.SPREAD | Reads.PART:
            assert len(places) == 9
        case Reads.ROW:
            assert len({row for row, _ in places}) == 1 < len(places)
        case Reads.COLUMN:
            assert len({column for _, column in places}) == 1 < len(places)
        case Reads.MAP:
            assert len(places) > 9
        case Reads.ANY:
            assert places != {place}


@pytest.mark.parametrize("primitive", [each for each in BUILT_IN if each.variadic], ids=lambda each: each.name)
def test_the_order_of_maps_matters_where_a_join_is_not_commutative(primitive: Primitive) -> None:
    read = shapes(primitive)
    # Sums of three numbers near 0 differ by their order in 32 bits.
    given = [x.double() for x in maps(read)]
    join = module(primitive.name, read)
    assert torch.allclose(join(*given), join(*reversed(given))) == primitive.traits.commutative


def test_traits_of_several_maps_are_those_of_primitives_that_join() -> None:
    variadic = {primitive.name for primitive in BUILT_IN if primitive.variadic}
    assert {primitive.name for primitive in BUILT_IN if primitive.traits.join} == variadic
    assert {*names(having="commutative"), *names(having="identity_of_one")} <= variadic


def test_a_text_can_name_every_map_that_a_primitive_reads() -> None:
    assert [each.name for each in BUILT_IN if not each.variadic and len(each.maps) != each.most] == []


@pytest.mark.parametrize("name", names(having="identity_of_one"))
def test_of_one_map_it_is_that_map(name: str) -> None:
    (x,) = maps([Shape(4, 5, 5)])
    assert torch.equal(module(name, [Shape(4, 5, 5)])(x), x)


@pytest.mark.parametrize("name", names(having="activation"))
def test_an_activation_treats_each_value_alone(name: str) -> None:
    (x,) = maps([Shape(4, 5, 5)])
    apply = module(name, [Shape(4, 5, 5)])
    assert torch.allclose(apply(x.flip(1, 2, 3)), apply(x).flip(1, 2, 3))
    assert not torch.allclose(apply(2 * x), 2 * apply(x)) or not torch.allclose(apply(-x), -apply(x))


@pytest.mark.parametrize("name", names(having="absorbs_batch_norm"))
def test_what_absorbs_a_batch_norm_says_where_its_output_channels_are_and_can_have_a_bias(name: str) -> None:
    primitive = PRIMITIVES[name]
    read = shapes(primitive)
    attributes = {**dict(bind(primitive, NEEDED.get(name, {}))), "bias": True}
    written = primitive.shape(read, attributes).channels
    tensors = {weight.name: weight for weight in primitive.weights(read, attributes)}
    assert tensors["weight"].shape[tensors["weight"].axis] == written
    assert tensors["bias"].shape == (written,)


@pytest.mark.parametrize("name", names(having="batch_norm"))
def test_a_batch_norm_has_running_statistics(name: str) -> None:
    weights = PRIMITIVES[name].weights([Shape(4, 5, 5)], dict(bind(PRIMITIVES[name], {})))
    assert {weight.role for weight in weights if not weight.trained} == {Role.MEAN, Role.VARIANCE}


@pytest.mark.parametrize("name", names(having="zeros"))
def test_it_writes_zeros(name: str) -> None:
    (x,) = maps([Shape(4, 5, 5)])
    assert not module(name, [Shape(4, 5, 5)])(x).any()


@pytest.mark.parametrize("name", names(having="index"))
def test_an_index_is_a_whole_number(name: str) -> None:
    (x,) = maps([Shape(4, 5, 5)])
    assert module(name, [Shape(4, 5, 5)])(x).dtype is torch.int64


@pytest.mark.parametrize("name", names(having="like"))
def test_of_a_second_map_the_size_alone_is_read(name: str) -> None:
    primitive = PRIMITIVES[name]
    read = [Shape(4, 6, 5), Shape(2, 2, 3)]
    x, like = maps(read)
    apply = layer(name, dict(bind(primitive, {})), read, "cell.layer")
    assert torch.equal(apply(x, like), apply(x, torch.zeros_like(like)))


@pytest.mark.parametrize(
    "primitive",
    [
        each
        for each in BUILT_IN
        if (each.traits.activation or each.variadic or each.least > 1) and each.name != "divide"
    ],
    ids=lambda each: each.name,
)
def test_the_mean_square_of_random_numbers_is_near_what_the_rule_says(primitive: Primitive) -> None:
    """That of a quotient of normally distributed numbers does not exist."""
    read = [Shape(8, 40, 40)] * (2 if primitive.variadic else primitive.least)
    found = module(primitive.name, read)(*maps(read)).square().mean().item()
    said = primitive.mean_square([1.0] * len(read), read, dict(bind(primitive, {})))
    assert 0.7 * said < found < 1.4 * said


@pytest.mark.parametrize("primitive", BUILT_IN, ids=lambda primitive: primitive.name)
def test_by_channel_means_that_a_narrow_map_gives_a_narrow_result(primitive: Primitive) -> None:
    """Other primitives read all channels for each that they write, or write their own."""
    read = shapes(primitive)
    whole, narrow = module(primitive.name, read), module(primitive.name, [shape._replace(channels=2) for shape in read])
    by_channel = primitive.traits.by_channel
    if primitive.traits.channels is not Channels.FIRST:
        assert not by_channel
        return
    scramble(whole)
    tensors = {name: tensor[:2] if tensor.dim() else tensor for name, tensor in whole.state_dict().items()}
    narrow.load_state_dict(tensors)
    given = maps(read)
    result = narrow(*(x_BCHW[:, :2] for x_BCHW in given))
    assert torch.allclose(result, whole(*given)[:, :2], atol=1e-6) == by_channel


def scramble(layer: torch.nn.Module) -> None:
    """Tensors of which no two channels are alike."""
    for tensor in layer.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)


@pytest.mark.parametrize("primitive", BUILT_IN, ids=lambda primitive: primitive.name)
def test_random_means_that_two_runs_in_training_differ(primitive: Primitive) -> None:
    larger = [Shape(channels, height * 4, width * 4) for channels, height, width in shapes(primitive)]
    read = shapes(primitive) if primitive.name == "linear" else larger
    layer, given = module(primitive.name, read).train(), maps(read)
    given = [torch.cat([x_BCHW] * 2) for x_BCHW in given]
    # One run of twenty at least: a whole map is dropped, or is not.
    same = all(torch.equal(layer(*given), layer(*given)) for _ in range(20))
    assert same != primitive.traits.random


@pytest.mark.parametrize("primitive", BUILT_IN, ids=lambda each: each.name)
def test_what_training_keeps(primitive: Primitive) -> None:
    """By the bytes of what autograd saves: parameters, statistics and copies of single numbers apart."""
    read = shapes(primitive, 2 if primitive.variadic else None)
    apply, given = module(primitive.name, read).train(), [each.requires_grad_() for each in maps(read)]
    own = {each.data_ptr() for each in (*apply.parameters(), *apply.buffers())}
    saved: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        statistics = tensor.is_floating_point() and tensor.numel() < given[0].numel()
        if tensor.dim() > 1 and tensor.data_ptr() not in own and not statistics:
            saved.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        written = apply(*given)
    said = {
        Kept.READ: sum(each.nbytes for each in given),
        Kept.READ_AND_INDICES: given[0].nbytes + 8 * written.numel(),
        Kept.WRITTEN: written.nbytes,
        Kept.NOTHING: 0,
    }
    assert sum(each.nbytes for each in saved) == said[primitive.traits.kept]


@pytest.mark.parametrize("name", names(having="keeps_zeros"))
def test_zeros_are_kept(name: str) -> None:
    """But by a primitive with a bias, of which `absorbs_batch_norm` tells."""
    read = shapes(PRIMITIVES[name])
    zeros = [torch.zeros(1, int(str(c)), h, w) for c, h, w in read]
    assert not module(name, read)(*zeros).any()


def test_who_keeps_zeros_is_said_of_every_activation() -> None:
    """One that is not told to does write something else."""
    for name in names(having="activation"):
        read = shapes(PRIMITIVES[name])
        wrote = module(name, read)(*[torch.zeros(1, int(str(c)), h, w) for c, h, w in read]).any()
        assert bool(wrote) is not PRIMITIVES[name].traits.keeps_zeros, name
