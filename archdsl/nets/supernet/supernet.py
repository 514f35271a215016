"""A space as one torch module that holds the weights of all its networks.

Legend of shape suffixes: B images, C channels, H height, W width.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from archdsl.cost.expectation.program import Expectation
from archdsl.ir import closed, module_path, shared_weights, spell_module, tensor_name
from archdsl.ir.graph import ClosedGraph, ClosedNode, OpenNode
from archdsl.nets.network import Scope
from archdsl.nets.supernet.decisions import Decisions
from archdsl.nets.supernet.evaluate import BatchNorm, Evaluation, Weights
from archdsl.nets.supernet.expected_cost import decided_chances, expected_cost
from archdsl.nets.supernet.logits import START, Logits
from archdsl.nets.supernet.relaxation import PhaseRelaxation
from archdsl.nets.supernet.superkernels import Superkernel, superkernel
from archdsl.nets.supernet.traced import CompiledStructure
from archdsl.relax.checkpoints import Budget, checkpointed, checkpoints
from archdsl.relax.full import full_layers
from archdsl.relax.lower import Relaxer
from archdsl.relax.phases import PhaseQuestions, questions_of
from archdsl.relax.plan import Plan, keeping, main_part, planned, unplanned
from archdsl.relax.relaxed import Layer, RelaxedGraph, Structure
from archdsl.settings.relaxations import RELAXED, Method, Relaxation
from archdsl.space import Apply, Program, Question, QuestionKind, QuestionPath
from archdsl.space.trace import Answers, trace

_KEPT: Final = 8
"""How many evaluations are kept: a search asks for the same few again and again, or for a new one in each step."""
_Asked: TypeAlias = "tuple[Structure, bool, bool]"
"""A structure, whether its auxiliary outputs are asked for, and whether it is trained."""


class Supernet(Scope):
    """Weights of every network of a space; `forward(x, decisions)` runs what decisions say.

    Nothing is decided here: decisions are an argument, and the logits they are made of are parameters of `logits()`.
    """

    def __init__(
        self,
        program: Program,
        *,
        allowed: Mapping[QuestionPath, tuple[str, ...]] | None = None,
        kernel_transform: bool = False,
        plan: Callable[[RelaxedGraph], Plan] = planned,
        memory: Budget | None = None,
        batch_norm: BatchNorm = functional.batch_norm,
    ) -> None:
        """Raises NotRelaxable, NotEnoughMemory.

        `allowed` are the answers that a question may have, where those are not all of its candidates.
        `kernel_transform` gives chosen windows a matrix each on the way from larger ones (once-for-all).
        `plan` makes the steps that a graph is run in: fused ones, or each node by itself (`unplanned`).
        `memory` is what a step on images of the program's size may hold: where it takes more, cells compute their maps
        again in the backward pass (`archdsl.relax.checkpoints`).
        `batch_norm` is what runs where a batch norm is a step by itself (`unplanned`): one over several processes.
        """
        super().__init__()
        self.program = program
        self._plan = plan
        self._batch_norm = batch_norm
        self.relaxer = Relaxer.of(program, allowed)
        self.checkpoints = None if memory is None else checkpoints(self.relaxer, memory)
        self._kernels: dict[int, Superkernel] = {}
        self._owners: dict[str, int] = {}
        fulls, shared = full_layers(self.relaxer)
        for owner, full in fulls.items():
            names = self._module_path(owner)
            kernel = superkernel(full, transform=kernel_transform)
            scope: Scope = self
            for name in names[:-1]:
                scope = scope.scope(name)
            scope.put(names[-1], kernel)
            self._kernels[owner] = kernel
            self._owners[spell_module(names)] = owner
        for owner, other in shared.items():
            self._kernels[owner] = self._kernels[other]
        self._evaluations: OrderedDict[tuple[Structure, bool], Evaluation] = OrderedDict()
        self._options: dict[Structure, dict[str, Any]] = {}
        self._compiled: dict[_Asked, CompiledStructure] = {}
        self._positions = {
            path: {answer: i for i, answer in enumerate(self.answers(path))} for path in program.questions
        }

    def _module_path(self, owner: int) -> tuple[str, ...]:
        node = self.program.nodes[owner]
        weights = shared_weights(self.program).get(owner)
        return module_path(OpenNode(node.location, node.payload, node.shape, weights))

    def kernels(self) -> Iterator[tuple[str, int, Superkernel]]:
        """Each kernel once, with its name and the node of the program that owns it."""
        for name, owner in self._owners.items():
            yield name, owner, self._kernels[owner]

    def accumulate_in_slices(self) -> None:
        """Let `backward()` add gradients of sliced kernels where they belong, without zeros for what is not sliced.

        A pass at small widths then costs what small kernels cost. `torch.autograd.grad` no longer sees kernels that are
        sliced.
        """
        for _, _, kernel in self.kernels():
            kernel.accumulates = True

    def __repr__(self) -> str:
        count = sum(parameter.numel() for parameter in self.parameters())
        asked = len(self.questions)
        questions = "1 question" if asked == 1 else f"{asked:,} questions"
        return f"<supernet of `{self.program.name}`: {questions}, {count:,} parameters>"

    @property
    def questions(self) -> Mapping[QuestionPath, Question]:
        """The questions that are mixed where nothing is answered, in the order in which they are met."""
        return {
            path: question
            for path, question in self.relaxer.everything.questions.items()
            if question.kind is not QuestionKind.BRANCH
        }

    def answers(self, path: QuestionPath) -> tuple[str, ...]:
        """The answers that a question may have, in the order of its logits."""
        question = path.question
        return self.relaxer.allowed.get(question, self.program.questions[question].answers)

    def forward(self, x_BCHW: Tensor, decisions: Decisions) -> Tensor | dict[str, Tensor]:
        """The main output for stacked inputs BxCxHxW (`archdsl.nets.inputs`): BxCxHxW, or BxC where it is a vector.

        A dict by name where there are several, with several views each as `view.name`.
        """
        found = self.main_outputs(x_BCHW, decisions)
        return found if len(found) > 1 else next(iter(found.values()))

    def main_outputs(self, x_BCHW: Tensor, decisions: Decisions) -> dict[str, Tensor]:
        """Every output by name but auxiliary ones; with several views each as `view.name`."""
        return self._run(x_BCHW, decisions, auxiliary=False)

    def outputs(self, x_BCHW: Tensor, decisions: Decisions) -> dict[str, Tensor]:
        """Every output by name, auxiliary ones too; with several views each as `view.name`."""
        return self._run(x_BCHW, decisions, auxiliary=True)

    def _run(self, x_BCHW: Tensor, decisions: Decisions, *, auxiliary: bool) -> dict[str, Tensor]:
        structure = decisions.structure
        if structure in self._options:
            compiled = self._compiled_structure(structure, auxiliary=auxiliary)
            return compiled(x_BCHW, self._weights(decisions, compiled.graph, x_BCHW))
        evaluation = self.evaluation(structure, auxiliary=auxiliary)
        return evaluation.outputs(x_BCHW, self._weights(decisions, evaluation.graph, x_BCHW))

    def compile_structure(self, structure: Structure, **options: Any) -> None:
        """From now on decisions of this structure run compiled, whole, by `torch.compile` with these options.

        It compiles when it first runs, and again where it is trained and then evaluated, or something else needs
        gradients; never for other weights of answers. Each node is a step and every map is kept: a compiler decides
        itself what it joins, and what it computes again. Other structures, as samples have them, run as before.
        Raises ValueError where a budget says that cells compute their maps again, and where there are several inputs.
        """
        if len(self.program.images) > 1:
            raise ValueError("a structure that reads several inputs is not compiled")
        if self.checkpoints is not None and self.checkpoints.cells:
            raise ValueError("what is compiled keeps its maps: build the supernet without `memory` to compile it")
        self._options[structure] = options

    def _compiled_structure(self, structure: Structure, *, auxiliary: bool) -> CompiledStructure:
        asked = (structure, auxiliary, self.training)
        if asked not in self._compiled:
            graph = self.relaxer.lower(structure)
            plan = keeping(graph if auxiliary else main_part(graph))
            evaluation = Evaluation(plan, self._kernels, self, self._batch_norm)
            self._compiled[asked] = CompiledStructure(evaluation, self._all_positions(graph), self._options[structure])
        return self._compiled[asked]

    def evaluation(self, structure: Structure, *, auxiliary: bool = True) -> Evaluation:
        """The steps of a structure, without those for auxiliary outputs alone where these are not asked for.

        Raises NotRelaxable.
        """
        asked = (structure, auxiliary)
        found = self._evaluations.get(asked)
        if found is None:
            graph = self.relaxer.lower(structure)
            plan = self._plan(graph if auxiliary else main_part(graph))
            if self.checkpoints is not None:
                plan = checkpointed(plan, self.checkpoints.cells)
            found = Evaluation(plan, self._kernels, self, self._batch_norm)
            self._evaluations[asked] = found
            while len(self._evaluations) > _KEPT:
                self._evaluations.popitem(last=False)
        self._evaluations.move_to_end(asked)
        return found

    @contextmanager
    def node_by_node(self) -> Generator[None]:
        """Inside, each node is a step of torch's own functions, all maps are kept, and nothing runs compiled.

        So gradients have gradients themselves, which fused steps and maps that are computed again do not have.
        """
        before = self._plan, self.checkpoints, self._options, self._evaluations
        self._plan, self.checkpoints, self._options, self._evaluations = unplanned, None, {}, OrderedDict()
        try:
            yield
        finally:
            self._plan, self.checkpoints, self._options, self._evaluations = before

    def _weights(self, decisions: Decisions, graph: RelaxedGraph, x_BCHW: Tensor) -> Weights:
        given = dict(decisions.weights)
        for path, question in graph.questions.items():
            if path not in given:
                if question.kind is not QuestionKind.BRANCH:
                    raise ValueError(f"`{self.program.spell(path)}` has neither an answer nor weights")
                count = len(question.answers)
                given[path] = torch.full((count,), 1 / count, device=x_BCHW.device)
        return Weights(given, self._all_positions(graph))

    def _all_positions(self, graph: RelaxedGraph) -> Mapping[QuestionPath, Mapping[str, int]]:
        """The answers of questions, and of branches' own, by their places among the weights."""
        positions = dict(self._positions)
        for path in graph.questions:
            positions.setdefault(path, self._positions[path.question])
        return positions

    def expected_cost(self, expectation: Expectation, decisions: Decisions) -> Tensor:
        """The expected cost of decisions whose answers are drawn by their weights, each by itself; differentiable.

        With an answer to each question it is the cost of that network, exactly. A branch without weights ends anywhere
        with the same chance.
        """
        chances = decided_chances(expectation.variables, expectation.asked, self.program, decisions, self.answers)
        return expected_cost(expectation, chances)

    # Relaxations --------------------------------------------------------------------------------

    def logits(self, questions: PhaseQuestions | None = None, *, scale: float = START, seed: int = 0) -> Logits:
        """Logits for the questions of a phase (`archdsl.relax.phases`), beside the network; for all by softmax."""
        if questions is None:
            questions = questions_of(self.program, (Relaxation(Method.SOFTMAX, RELAXED),))
        return Logits(questions, scale=scale, seed=seed)

    def relaxation(self, logits: Logits) -> PhaseRelaxation:
        """What makes decisions of logits, step by step."""
        return PhaseRelaxation(logits.questions, logits)

    # Genotypes ----------------------------------------------------------------------------------

    def one_hot(self, answers: Answers) -> Decisions:
        """The decisions of a genotype: the supernet computes what its network does with `weights_for(answers)`."""
        return Decisions(answers, searching=False)

    def network_graph(self, answers: Answers) -> ClosedGraph:
        return closed(self.program, trace(self.program, answers), self.program.name)

    def weights_for(self, answers: Answers) -> dict[str, Tensor]:
        """The state dict of a genotype's network: copies of slices, by the names of its specification."""
        return dict(self._copied(answers))

    def take_over(self, answers: Answers, tensors: Mapping[str, Tensor]) -> None:
        """Writes tensors of a genotype's network where `weights_for` takes them from; those of other names are left."""
        for node, found, kernel in self._layers(answers):
            names = {weight.name: tensor_name(node, weight.name) for weight in kernel.full.weights()}
            own = {name: tensors[named] for name, named in names.items() if named in tensors}
            kernel.write(found.apply, found.shapes, found.reads, own)

    def _copied(self, answers: Answers) -> Iterator[tuple[str, Tensor]]:
        for node, found, kernel in self._layers(answers):
            for name, tensor in kernel.sliced(found.apply, found.shapes, found.reads).items():
                yield tensor_name(node, name), tensor.detach().clone()

    def _layers(self, answers: Answers) -> Iterator[tuple[ClosedNode, Layer, Superkernel]]:
        """The layers of a genotype's network, as they run in the supernet."""
        graph = self.evaluation(self.one_hot(answers).structure).graph
        network = self.network_graph(answers)
        for path, _ in network.with_payload(Apply):
            node = network.node(path)
            assert node.origin is not None
            if node.origin in graph.layers:
                yield node, graph.layers[node.origin], self._kernels[node.origin.node]
