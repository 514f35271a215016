"""A closed graph as a torch module.

Legend of shape suffixes: B images, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from archdsl.ir import BrokenGraph, ClosedGraph, for_inference, module_path
from archdsl.nets.inputs import input_parts, unstacked
from archdsl.nets.layers import layer
from archdsl.nets.schedule import Schedule, Step, schedule
from archdsl.space import Apply


class Scope(nn.Module):
    """A cell or an op: layers and scopes by name."""

    def put(self, name: str, module: nn.Module) -> None:
        # `add_module` refuses names that nn.Module itself uses (`half`, `type`), and a text may use them.
        self._modules[name] = module

    def put_parameter(self, name: str, parameter: nn.Parameter) -> None:
        # As above.
        self._parameters[name] = parameter

    def get(self, name: str) -> nn.Module | None:
        return self._modules.get(name)

    def scope(self, name: str) -> Scope:
        """The scope of this name, made where it is not there. Raises BrokenGraph where a layer has the name."""
        found = self.get(name)
        if found is None:
            found = Scope()
            self.put(name, found)
        if not isinstance(found, Scope):
            raise BrokenGraph(f"`{name}` is both a layer and a scope")
        return found


class Network(Scope):
    """What a closed graph computes, made of torch's own layers.

    The keys of its state dict are `ir.tensor_name`s (and torch's `num_batches_tracked`). Auxiliary outputs and their
    layers are part of it only when it is built with `auxiliary=True`; calling it never computes them.
    """

    def __init__(self, graph: ClosedGraph, *, auxiliary: bool = False) -> None:
        super().__init__()
        main = for_inference(graph)
        self.parts = input_parts(main)
        self.whole_graph = graph
        self.graph = graph if auxiliary else main
        self._main = schedule(main)
        self._everything = schedule(self.graph)
        for path, payload in self.graph.with_payload(Apply):
            names = module_path(self.graph.node(path))
            if self.graph.node(path).weights is not None and self._scope_of(names).get(names[-1]) is not None:
                continue  # one layer, at another of its places
            module = layer(payload.primitive, payload.attribute, self.graph.input_shapes(path), path)
            self._scope_of(names).put(names[-1], module)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of the text."""
        return tuple(part.name for part in self.parts)

    def __call__(self, *images: Tensor, **named: Tensor) -> Any:
        """As `forward`; inputs in the order of the text, or by their names. Raises TypeError for others than it has."""
        return super().__call__(*self._in_order(images, named))

    def _in_order(self, images: Sequence[Tensor], named: Mapping[str, Tensor]) -> list[Tensor]:
        given = [*images, *(named[name] for name in self.inputs[len(images) :] if name in named)]
        if len(given) != len(self.inputs) or len(images) + len(named) != len(given):
            wanted = ", ".join(f"`{name}`" for name in self.inputs)
            names = ", ".join(f"`{name}`" for name in named)
            raise TypeError(
                f"`{self.graph.name}` reads {wanted}, and was called with {len(images)} images"
                + (f" and {names}" if named else "")
            )
        return given

    def forward(self, x_BCHW: Tensor, *others: Tensor) -> Tensor | dict[str, Tensor]:
        """The main output, BxCxHxW; a dict by name where there are several. H and W may be any that divide.

        One that is a vector (`archdsl.ir.vectors`), as a classifier of whole images has, is BxC. Inputs come in the
        order of the text.
        """
        # By index, as `torch.fx` cannot iterate over what stands for `others`.
        images = (x_BCHW, *(others[number] for number in range(len(self.parts) - 1)))
        maps = self._compute(self._main, images)
        outputs = _outputs(self._main, maps)
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def outputs(self, *images: Tensor, **named: Tensor) -> dict[str, Tensor]:
        """Every output that the network was built with, by name: main ones first, then auxiliary ones."""
        maps = self._compute(self._everything, self._in_order(images, named))
        return _outputs(self._everything, maps)

    def probe(self, images: Tensor | Sequence[Tensor], paths: Collection[str] | None = None) -> dict[str, Tensor]:
        """Maps of `graph` by their paths: these, or each of them, those of inputs too. Only they stay in memory."""
        given = self._in_order((images,) if isinstance(images, Tensor) else images, {})
        if paths is None:
            return self._compute(self._everything, given, kept=self.graph)
        maps = self._compute(self._everything, given, kept=paths)
        return {path: maps[path] for path in paths}

    def unstacked(self, stacked_BCHW: Tensor) -> tuple[Tensor, ...]:
        """The inputs, in the order of the text, whose channels lie one behind the other in a stacked image."""
        return unstacked(stacked_BCHW, self.parts)

    def _compute(self, plan: Schedule, images: Sequence[Tensor], *, kept: Container[str] = ()) -> dict[str, Tensor]:
        maps = dict(zip(plan.images, images, strict=True))
        for step in plan.steps:
            maps[step.path] = self._layer(step)(*(maps[source] for source in step.inputs))
            for source in step.last_read:
                if source not in kept:
                    del maps[source]
        return maps

    def _layer(self, step: Step) -> nn.Module:
        # Looked up at each call, so that a layer that torch has replaced (SyncBatchNorm, quantization) is the one used.
        found = self._scope_of(step.module).get(step.module[-1])
        assert found is not None
        return found

    def _scope_of(self, names: tuple[str, ...]) -> Scope:
        scope: Scope = self
        for name in names[:-1]:
            scope = scope.scope(name)
        return scope


def _outputs(plan: Schedule, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: maps[path].flatten(1) if name in plan.vectors else maps[path] for name, path in plan.outputs}


class EveryOutput(nn.Module):
    """Stacked images to all outputs by name: what data parallelism wraps in training."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_BCHW: Tensor) -> dict[str, Tensor]:
        return self.network.outputs(*self.network.unstacked(x_BCHW))
