"""A closed graph as one Python file that needs only torch and reads as if written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archdsl.backends.failures import TargetFailed
from archdsl.backends.torch_source.classes import (
    LeafPlan,
    ModuleClass,
    ScopePlan,
    Source,
    Structure,
    argument_channels,
    classes_of,
)
from archdsl.backends.torch_source.forward import Body, arguments, joined
from archdsl.backends.torch_source.helpers import HELPERS
from archdsl.backends.torch_source.module_template import Facade, Origin, docstring_lines, load_lines, main_lines
from archdsl.backends.torch_source.names import attribute, name_classes, variable
from archdsl.backends.torch_source.primitives import helpers, layer
from archdsl.backends.torch_source.python_layout import (
    Call,
    Expr,
    Items,
    Name,
    flat,
    literal,
    prose,
    signature,
    statement,
)
from archdsl.backends.torch_source.scopes import Names, Scope, network_scope
from archdsl.backends.torch_source.shapes import channel_count, member_comments, numbers, summary
from archdsl.backends.torch_source.weights_reader import IMPORTS, reader_lines
from archdsl.ir import ClosedGraph, output_shape, vector_outputs
from archdsl.ops import Traits
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Image, Result


@dataclass(frozen=True, slots=True)
class _Network:
    graph: ClosedGraph
    module_class: ModuleClass
    scope: Scope
    main: int
    """So many members are needed without auxiliary outputs."""


def to_torch_source(graph: ClosedGraph, origin: Origin | None = None) -> str:
    """A file with the network as a class of its own name, its cells and ops as classes, `load`, and a main block.

    State dict keys are those of `ir.tensor_name`, with torch's `num_batches_tracked`. Auxiliary outputs, where the
    graph has them, are computed with `auxiliary=True`: `forward` then returns the outputs and a dict of them.
    Raises TargetFailed where two modules of the text need each other's maps.
    """
    scope, main = _main_first(graph, network_scope(graph))
    classes = classes_of(graph, scope)
    module_class = next(reversed(classes.values()))
    name_classes(classes.values(), module_class)
    network = _Network(graph, module_class, scope, main)
    facade = _facade(network)
    parts = [
        docstring_lines(facade, origin or Origin()),
        [
            *IMPORTS,
            *(["from typing import Final"] if facade.auxiliary else []),
            "",
            "import torch",
            "import torch.nn.functional as F",
            "from torch import Tensor, nn",
        ],
        *(_class_lines(graph, part, classes) for part in classes.values() if part is not module_class),
        _network_lines(network, classes),
        *(HELPERS[name] for name in helpers(payload for _, payload in graph.with_payload(Apply))),
        reader_lines(),
        load_lines(facade),
    ]
    head = "\n\n".join("\n".join(part) for part in parts[:2])
    body = "\n\n\n".join("\n".join(part) for part in parts[2:])
    return f"{head}\n\n\n{body}\n\n\n" + "\n".join(main_lines(facade)) + "\n"


def _main_first(graph: ClosedGraph, scope: Scope) -> tuple[Scope, int]:
    """Members that only auxiliary outputs need stand last."""
    outputs = [path for path in graph.results if not _result(graph, path).auxiliary]
    needed = set(graph.needed_by(outputs))
    for member in reversed(scope.members):
        if needed.intersection(member.writes):
            needed.update(member.reads)
    main = tuple(member for member in scope.members if needed.intersection(member.writes))
    late = tuple(member for member in scope.members if member not in main)
    return replace(scope, members=(*main, *late)), len(main)


def _result(graph: ClosedGraph, path: str) -> Result:
    payload = graph.node(path).payload
    assert isinstance(payload, Result)
    return payload


# Classes ----------------------------------------------------------------------------------------


def _class_lines(graph: ClosedGraph, module_class: ModuleClass, classes: Mapping[Structure, ModuleClass]) -> list[str]:
    structure = module_class.structure
    inputs = arguments(structure.inputs)
    body = Body(module_class, inputs, frozenset(structure.outputs), member_comments(graph, module_class))
    body.write(range(len(structure.members)))
    body.lines.extend(statement("return ", joined([body.returned(source) for source in structure.outputs]), 2))
    result = _annotation(len(structure.outputs))
    layers = list(_layer_lines(module_class, range(len(structure.members)), classes, 2))
    constructor = [
        *signature("__init__", ["self", *(f"{name}: int" for name in module_class.parameters.values())], "None", 1),
        "        super().__init__()",
        *layers,
        "",
    ]
    return [
        f"class {module_class.name}(nn.Module):",
        f'    """{summary(graph, module_class)}"""',
        "",
        *(constructor if layers else []),
        *signature("forward", ["self", *(f"{name}: Tensor" for name in inputs)], result, 1),
        *body.lines,
    ]


def _annotation(outputs: int) -> str:
    """The type of so many maps, which TorchScript wants with their number."""
    return "Tensor" if outputs == 1 else f"tuple[{', '.join(['Tensor'] * outputs)}]"


def _layer_lines(
    module_class: ModuleClass, members: range, classes: Mapping[Structure, ModuleClass], indent: int
) -> Iterator[str]:
    """The modules that these members are the first to use."""
    plans = module_class.structure.members
    holders: set[Names] = set()
    for first, index in _modules(plans):
        plan = plans[index]
        around = [plan.home[:depth] for depth in range(1, len(plan.home)) if plan.home[:depth] not in holders]
        holders.update(around)
        if first not in members:
            continue
        for holder in around:
            yield from statement(f"{attribute(holder)} = ", Call("nn.Module", ()), indent)
        match plan:
            case LeafPlan():
                built = _layer(module_class, index, plan)
            case ScopePlan():
                inner = classes[plan.structure]
                given = argument_channels(module_class, index, inner)
                built = Call(inner.name, tuple(channel_count(module_class, channels) for _, channels in given))
        yield from statement(f"{attribute(plan.home)} = ", built, indent)


def _modules(plans: Sequence[LeafPlan | ScopePlan]) -> list[tuple[int, int]]:
    """Each module once: the first member that uses it or what is in it, and the member that says how it is made."""
    makers: dict[Names, int] = {}
    for index, plan in enumerate(plans):
        if isinstance(plan, ScopePlan):
            makers.setdefault(plan.home, index)
    for index, plan in enumerate(plans):
        if isinstance(plan, LeafPlan) and PRIMITIVES[plan.primitive].owns_tensors and _maker(plan.home, makers) is None:
            makers[plan.home] = index
    first: dict[Names, int] = {}
    for index, plan in enumerate(plans):
        if isinstance(plan, ScopePlan) or PRIMITIVES[plan.primitive].owns_tensors:
            home = _maker(plan.home, makers)
            assert home is not None
            first.setdefault(home, index)
    return [(index, makers[home]) for home, index in first.items()]


def _maker(home: Names, makers: Mapping[Names, int]) -> Names | None:
    """The module that is made as a whole in which this one lies, or itself."""
    return next((home[:depth] for depth in range(1, len(home) + 1) if home[:depth] in makers), None)


def _layer(module_class: ModuleClass, index: int, plan: LeafPlan) -> Call:
    c_in = channel_count(module_class, module_class.source_channels(plan.sources[0]))
    c = channel_count(module_class, module_class.member_channels[index][0])
    groups = channel_count(module_class, (module_class.groups_symbol(index),)) if plan.grouped else Name("1")
    return layer(Apply(plan.primitive, plan.fixed), c_in, c, groups)


# The network ------------------------------------------------------------------------------------


def _network_lines(network: _Network, classes: Mapping[Structure, ModuleClass]) -> list[str]:
    module_class, main, count = network.module_class, network.main, len(network.scope.members)
    auxiliary = bool(_results(network, auxiliary=True))
    inputs = tuple(variable(_image(network.graph, path)) for path in network.graph.images)
    late = list(_layer_lines(module_class, range(main, count), classes, 3))
    one = _annotation(len(_results(network, auxiliary=False)))
    result = f"{one} | tuple[{one}, dict[str, Tensor]]" if auxiliary else one
    return [
        f"class {module_class.name}(nn.Module):",
        f'    """{_network_summary(network)}"""',
        "",
        *(["    auxiliary: Final[bool]", ""] if auxiliary else []),
        f"    def __init__(self{', *, auxiliary: bool = False' if auxiliary else ''}) -> None:",
        "        super().__init__()",
        *(["        self.auxiliary = auxiliary"] if auxiliary else []),
        *_layer_lines(module_class, range(main), classes, 2),
        *(["        if auxiliary:", *late] if late else []),
        "",
        *signature("forward", ["self", *(f"{name}: Tensor" for name in inputs)], result, 1),
        *_network_body(network, inputs),
    ]


def _network_body(network: _Network, inputs: tuple[str, ...]) -> list[str]:
    outputs, extra = _results(network, auxiliary=False), _results(network, auxiliary=True)
    images = {path: index for index, path in enumerate(network.graph.images)}
    read = tuple(inputs[images[path]] for path in network.scope.reads)
    kept = frozenset([*outputs.values(), *extra.values()])
    body = Body(network.module_class, read, kept, _comments(network), outermost=True)
    body.write(range(network.main))
    vectors = vector_outputs(network.graph)
    returned = joined([_flat(body.returned(source), name in vectors) for name, source in outputs.items()])
    if extra:
        # What is under the condition may be absent. TorchScript leaves it out where the constant is false.
        body.lines.append("        if self.auxiliary:")
        body.indent = 3
        body.write(range(network.main, len(network.scope.members)))
        items = tuple(
            Name(f"{literal(name)}: {flat(_flat(body.returned(source), name in vectors))}")
            for name, source in extra.items()
        )
        body.lines.extend(statement("extra = ", Items(items, "{}"), 3))
        first = f"({flat(returned)})" if len(outputs) > 1 else flat(returned)
        body.lines.append(f"            return {first}, extra")
    return [*body.lines, *statement("return ", returned, 2)]


def _flat(output: Expr, is_vector: bool) -> Expr:
    """A vector loses its height and width."""
    return Call("torch.flatten", (output, Name("1"))) if is_vector else output


def _results(network: _Network, *, auxiliary: bool) -> dict[str, Source]:
    """Where each output of that kind comes from, by its name, in the text's order."""
    graph, scope = network.graph, network.scope
    places = {path: Source(-1, index) for index, path in enumerate(scope.reads)}
    for index, member in enumerate(scope.members):
        places.update({path: Source(index, position) for position, path in enumerate(member.writes)})
    found: dict[str, Source] = {}
    for path in graph.results:
        result, (read,) = _result(graph, path), graph.inputs(path)
        if read not in places:
            raise TargetFailed(f"the output `{result.name}` is an input of the network, so nothing is computed")
        if result.auxiliary is auxiliary:
            found[result.name] = places[read]
    return found


def _comments(network: _Network) -> dict[int, str]:
    """Shapes of the results of modules, resizes and joins, by member."""
    shapes: dict[int, str] = {}
    for index, member in enumerate(network.scope.members):
        plan = network.module_class.structure.members[index]
        if isinstance(plan, ScopePlan) or _is_commented(PRIMITIVES[plan.primitive].traits):
            shapes[index] = ", ".join(numbers(network.graph.node(path).shape) for path in member.writes)
    return shapes


def _is_commented(traits: Traits) -> bool:
    return traits.resamples or traits.identity_of_one


def _network_summary(network: _Network) -> str:
    graph = network.graph
    images = ", ".join(numbers(graph.node(path).shape) for path in graph.images)
    outputs = ", ".join(
        f"{prose(_result(graph, path).name)} {'x'.join(map(str, output_shape(graph, path)))}"
        for path in graph.results
        if not _result(graph, path).auxiliary
    )
    return f"Images {images} to {outputs}; shapes in comments are for images of this size."


def _facade(network: _Network) -> Facade:
    graph, plans = network.graph, network.module_class.structure.members
    return Facade(
        title=graph.name,
        class_name=network.module_class.name,
        images=tuple(graph.node(path).shape for path in graph.images),
        outputs=len(_results(network, auxiliary=False)),
        auxiliary=bool(_results(network, auxiliary=True)),
        training_only=tuple(".".join(plans[index].home) for first, index in _modules(plans) if first >= network.main),
        counters=any(PRIMITIVES[payload.primitive].traits.batch_norm for _, payload in graph.with_payload(Apply)),
    )


def _image(graph: ClosedGraph, path: str) -> str:
    payload = graph.node(path).payload
    assert isinstance(payload, Image)
    return payload.name
