"""What a step of a supernet takes, before it is started: parameters, multiply-adds and memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, assert_never

from archdsl.ir.scopes import ScopeTree, scope_tree
from archdsl.ops import Kept, Shape
from archdsl.ops.convolution import CONV
from archdsl.ops.primitives import PRIMITIVES
from archdsl.relax.full import Full, full_layers, number
from archdsl.relax.lower import Relaxer
from archdsl.relax.plan import RELU, Alike, Plan, Single, Step, Sum, Term, nodes_within, planned
from archdsl.relax.relaxed import Mask, Mix, Narrow, Relaxed, RelaxedGraph, Spread, Structure, Weigh
from archdsl.relax.scalars import Answered, Scalar
from archdsl.space import Apply, Image, Program, QuestionKind, QuestionPath, Result
from archdsl.space.relax import open_questions
from archdsl.space.trace import Answers

_FLOAT: Final = 4
"""Bytes of a number."""
_INDEX: Final = 8
"""Bytes of an index that a max pool keeps."""


@dataclass(frozen=True, slots=True)
class Tensors:
    """Numbers that a supernet holds."""

    kernels: int
    """Trained parameters of convolutions and linear layers, biases among them."""
    norms: int
    """Trained parameters of batch norms, for each width of their maps."""
    statistics: int
    """Running means and variances."""
    logits: int
    """One for each answer of each question that is mixed."""
    stepped: int
    """Trained parameters of the layers that a step runs; others have no gradient."""

    @property
    def trained(self) -> int:
        """Parameters of the network, logits apart."""
        return self.kernels + self.norms


@dataclass(frozen=True, slots=True)
class Pass:
    """One forward pass and one backward pass over a batch."""

    macs: int
    """Multiply-adds of conv, dwconv and linear, forward and backward."""
    maps_bytes: int
    """Maps that are kept from the forward pass until their gradient has been computed."""


@dataclass(frozen=True, slots=True)
class Part:
    """A cell, or a line outside of cells."""

    name: str
    params: int
    """Trained parameters of kernels and batch norms."""
    macs: int
    """Of one forward pass over a batch."""
    maps_bytes: int
    """Of its maps that are kept by a step that trains weights."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A step in 32-bit numbers, every open question mixed and each width at its largest."""

    batch: int
    image: Shape
    tensors: Tensors
    forward_macs: int
    """Of one forward pass over a batch."""
    weights: Pass
    """A step that trains weights, and logits with them."""
    answers: Pass
    """A step that trains logits alone: no weight has a gradient."""
    moments: int
    """How many numbers the optimizer keeps for each weight: 1 for momentum, 2 for Adam."""
    parts: tuple[Part, ...]

    @property
    def tensors_bytes(self) -> int:
        """Weights and statistics."""
        return _FLOAT * (self.tensors.trained + self.tensors.statistics)

    @property
    def gradients_bytes(self) -> int:
        return _FLOAT * self.tensors.stepped

    @property
    def optimizer_bytes(self) -> int:
        return _FLOAT * self.moments * self.tensors.stepped

    @property
    def step_bytes(self) -> int:
        """What a step that trains weights holds as its backward pass begins, without what layers need to work in."""
        return self.tensors_bytes + self.gradients_bytes + self.optimizer_bytes + self.weights.maps_bytes


def estimate(
    relaxer: Relaxer,
    answers: Answers | None = None,
    *,
    batch: int,
    moments: int = 1,
    plan: Callable[[RelaxedGraph], Plan] = planned,
) -> Estimate:
    """Of a step at the size of the program's image: load the space at the size of the search's crop.

    What `answers` decide is run as decided. Other questions for a width are taken to have their largest answer, as a
    step runs one width of a map at a time; all others are mixed. `plan` makes the steps. Raises NotRelaxable.
    """
    program = relaxer.program
    made = plan(relaxer.lower(widest(relaxer, answers)))
    graph = made.graph
    fulls, shared = full_layers(relaxer)
    scopes = _Scopes(program)
    stepped = {shared.get(node.owner, node.owner) for node in graph.nodes if node.owner is not None}
    tensors = _tensors(relaxer, fulls, answers or {}, stepped)
    of_weights, of_logits = (Backward(made, trains_weights=trains) for trains in (True, False))
    return Estimate(
        batch,
        graph.nodes[0].shape,
        tensors,
        batch * sum(of_weights.macs(each) for each in graph.nodes),
        of_weights.of(batch),
        of_logits.of(batch),
        moments,
        tuple(_parts(graph, of_weights, fulls, scopes, batch)),
    )


def widest(relaxer: Relaxer, answers: Answers | None = None) -> Structure:
    """With these answers, and the largest one to each other question for a width."""
    largest = {
        path: (max(relaxer.allowed.get(path, question.answers), key=int),)
        for path, question in relaxer.program.questions.items()
        if question.kind is QuestionKind.WIDTH
    }
    return Structure.of({**largest, **(answers or {})})


def mixed_questions(relaxer: Relaxer, answers: Answers) -> frozenset[QuestionPath]:
    """The questions that are mixed under these answers; a branch that has none of its own mixes that of all."""
    asked = {path.question for path in open_questions(relaxer.program, answers, searching=True)}
    return frozenset(path.question for path in relaxer.everything.questions) & asked


def _tensors(relaxer: Relaxer, fulls: Mapping[int, Full], answers: Answers, stepped: Collection[int]) -> Tensors:
    kernels = norms = statistics = with_gradient = 0
    for owner, full in fulls.items():
        norm = PRIMITIVES[full.apply.primitive].traits.batch_norm
        trained = _trained(full)
        statistics += sum(prod(map(number, weight.shape)) for weight in full.tensors() if not weight.trained)
        kernels += 0 if norm else trained
        norms += trained if norm else 0
        with_gradient += trained if owner in stepped else 0
    questions = relaxer.program.questions
    asked = [path for path in mixed_questions(relaxer, answers) if questions[path].kind is not QuestionKind.BRANCH]
    logits = sum(len(relaxer.allowed.get(path, questions[path].answers)) for path in asked)
    return Tensors(kernels, norms, statistics, logits, with_gradient)


def _trained(full: Full) -> int:
    return sum(prod(map(number, weight.shape)) for weight in full.tensors() if weight.trained)


class Backward:
    """What a backward pass computes, and what is kept for it."""

    def __init__(self, plan: Plan, *, trains_weights: bool) -> None:
        self.plan = plan
        self.graph = graph = plan.graph
        self.trains_weights = trains_weights
        self.has_gradient: list[bool] = []
        """Whether the map of a node gets a gradient."""
        for node in graph.nodes:
            self.has_gradient.append(self._trains(node) or any(self.has_gradient[source] for source in node.inputs))

    def _trains(self, node: Relaxed) -> bool:
        """Whether something that is trained decides the values of a node, its inputs apart."""
        match node.payload:
            case Apply(primitive):
                return self.trains_weights and PRIMITIVES[primitive].owns_tensors
            case Mix(weights):
                return any(map(self._is_learned, weights))
            case Weigh(weight):
                return self._is_learned(weight)
            case Mask():
                return True
            case Image() | Result() | Spread() | Narrow():
                return False
            case _:
                assert_never(node.payload)

    def _is_learned(self, scalar: Scalar) -> bool:
        match scalar:
            case Answered(path):
                return self.graph.questions[path].kind is not QuestionKind.BRANCH
            case _:
                return True

    def macs(self, node: Relaxed) -> int:
        """Of the forward pass, for one image."""
        if not isinstance(node.payload, Apply):
            return 0
        rule = PRIMITIVES[node.payload.primitive].macs
        return number(rule(self._read(node), self._shape(node), node.payload.attribute))

    def forward_macs(self, step: Step) -> int:
        """Of a step of the plan, for one image."""
        return sum(self.macs(self.graph.nodes[node]) for node in nodes_within(step))

    def backward_macs(self, node: Relaxed) -> int:
        """For one image: as many as forward for the gradient of the map read, and for that of the weights."""
        if not isinstance(node.payload, Apply) or not self.macs(node):
            return 0
        return self.macs(node) * (self.has_gradient[node.inputs[0]] + self.trains_weights)

    def again_macs(self, step: Step) -> int:
        """For one image: what is computed again rather than kept."""
        if not isinstance(step, Sum):
            return 0
        layers = (
            layer
            for term in step.terms
            if self.trains_weights or self.has_gradient[term.source]
            for layer in (term.layers if term.weight is not None else term.layers[:-1])
            if layer not in term.kept
        )
        return sum(self.macs(self.graph.nodes[layer]) for layer in layers)

    def kept(self, step: Step) -> Iterator[int]:
        """The nodes whose maps are kept for the gradients of a step."""
        match step:
            case Single(node):
                if self.has_gradient[node]:
                    yield from self._kept_by(node)
            case Alike(nodes):
                if self.has_gradient[nodes[0]]:
                    yield from self.graph.nodes[nodes[0]].inputs
            case Sum(node, terms):
                if not self.has_gradient[node]:
                    return
                weighed = any(term.weight is not None and self._is_learned(term.weight) for term in terms)
                for term in terms:
                    reads = self._keeps_source(term) if term.layers else weighed and term.weight is not None
                    if reads:
                        yield term.source
                    yield from self._kept_in(term)
            case _:
                assert_never(step)

    def _kept_in(self, term: Term) -> Sequence[int]:
        if self.plan.keeps_maps and not self.trains_weights and not self.has_gradient[term.source]:
            # Torch's own operations keep what a gradient reads: that of the weight alone.
            return term.kept[-1:] if term.weight is not None else ()
        return term.kept

    def _keeps_source(self, term: Term) -> bool:
        """Whether what its first layer read is kept.

        Where all maps are, the gradient of a ReLU reads what it gave. Torch's convolutions keep the map that they read
        even if their kernels have no gradient; products of matrices, which those of one pixel are, do not.
        """
        payload = self.graph.nodes[term.layers[0]].payload
        if not self.plan.keeps_maps or not isinstance(payload, Apply):
            return True
        product = self.plan.channels_last and payload.primitive == CONV.name and payload.attribute["k"] == (1, 1)
        return payload.primitive != RELU and (self.trains_weights or not product)

    def _kept_by(self, node: int) -> Sequence[int]:
        found = self.graph.nodes[node]
        match found.payload:
            case Apply(primitive):
                match PRIMITIVES[primitive].traits.kept:
                    case Kept.READ | Kept.READ_AND_INDICES:
                        return found.inputs
                    case Kept.WRITTEN:
                        return (node,)
                    case Kept.NOTHING:
                        return ()
            case Mix() | Weigh() | Mask():
                return found.inputs if self._trains(found) else ()
            case Image() | Result() | Spread() | Narrow():
                return ()
            case _:
                assert_never(found.payload)

    def map_bytes(self, node: int) -> int:
        """Of the map of a node, for one image."""
        return _FLOAT * _values(self._shape(self.graph.nodes[node]))

    def indices_bytes(self, node: int) -> int:
        """Of indices that are kept for a node, for one image."""
        found = self.graph.nodes[node]
        if not self.has_gradient[node] or not isinstance(found.payload, Apply):
            return 0
        kept = PRIMITIVES[found.payload.primitive].traits.kept
        return _INDEX * _values(self._shape(found)) if kept is Kept.READ_AND_INDICES else 0

    def maps_bytes(self) -> Iterator[tuple[int, int]]:
        """The nodes of which something is kept, each with its bytes for one image."""
        same = self.same_memory()
        kept = {same[node] for step in self.plan.steps for node in self.kept(step)}
        for node in range(len(self.graph.nodes)):
            size = self.indices_bytes(node) + (self.map_bytes(node) if node in kept else 0)
            if size:
                yield node, size

    def same_memory(self) -> Sequence[int]:
        """For each node the one in whose memory its map lies."""
        found = list(range(len(self.graph.nodes)))
        for step in self.plan.steps:
            if isinstance(step, Alike):
                for node in step.nodes:
                    found[node] = step.nodes[0]
        for position, node in enumerate(self.graph.nodes):
            if isinstance(node.payload, Result | Narrow):
                found[position] = found[node.inputs[0]]
        return found

    def of(self, batch: int) -> Pass:
        macs = sum(self.macs(node) + self.backward_macs(node) for node in self.graph.nodes)
        macs += sum(map(self.again_macs, self.plan.steps))
        return Pass(batch * macs, batch * sum(size for _, size in self.maps_bytes()))

    def _read(self, node: Relaxed) -> Sequence[Shape]:
        return [self._shape(self.graph.nodes[source]) for source in node.inputs]

    def _shape(self, node: Relaxed) -> Shape:
        return node.shape._replace(channels=node.layout.size)


def _values(shape: Shape) -> int:
    return number(shape.channels) * shape.height * shape.width


class _Scopes:
    """The part of a page that each node of a program stands in."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._tree: ScopeTree = scope_tree([node.location for node in program.nodes])
        self.names = tuple(dict.fromkeys(self.of(node) for node in range(len(program.nodes))))

    def of(self, node: int) -> str:
        path = self._program.nodes[node].path
        part = self._tree.part_of(path)
        return part.path if part else path


def _parts(
    graph: RelaxedGraph, step: Backward, fulls: Mapping[int, Full], scopes: _Scopes, batch: int
) -> Iterator[Part]:
    names: list[str] = []
    found: dict[str, list[int]] = {}
    for node in graph.nodes:
        name = scopes.of(node.key.node) if node.key is not None else names[node.inputs[0]]
        names.append(name)
        found.setdefault(name, [0, 0, 0])[1] += batch * step.macs(node)
    for node, size in step.maps_bytes():
        found[names[node]][2] += batch * size
    for owner, full in fulls.items():
        found.setdefault(scopes.of(owner), [0, 0, 0])[0] += _trained(full)
    for name in scopes.names:
        if any(numbers := found.get(name, ())):
            yield Part(name, *numbers)
