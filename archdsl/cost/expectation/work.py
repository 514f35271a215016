"""What a space computes, and when: each op of a cost table at each of its places, as terms of independent conditions.

A term is a row with the chance that the network has it there. The chance is a product of conditions that hang on
different questions, each a diagram, so that the expectation is exact and small: for widths it is a table of pairs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise, product
from typing import Final

from archdsl.cost.expectation.diagrams import FALSE, LIMIT, TRUE, Diagram, Diagrams
from archdsl.cost.expectation.symbolic import Entry, Origin, Symbolic, Variables
from archdsl.cost.graph_passes import AS_WRITTEN, GraphPasses
from archdsl.cost.kernel import Kernel, kernel_of
from archdsl.cost.rows import Row, alone, call_of
from archdsl.ops import Shape
from archdsl.ops.joining import ADD
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Branch, Frame, Image, Program, Result
from archdsl.space.node_path import spell
from archdsl.space.values import values_read
from archdsl.space.walk import Key


@dataclass(frozen=True, slots=True)
class Term:
    """A row at a place, under conditions that hang on different questions."""

    row: Row
    kernel: Kernel
    path: str
    """The op's place: `trunk[5][8].stay.conv3x3`."""
    node: int
    """A node of the program in it."""
    sign: int
    """-1 takes away what branches share."""
    conditions: tuple[Diagram, ...]
    again: bool = False
    """Whether it takes away the parameters of a place whose weights another one has too; it computes nothing."""


@dataclass(frozen=True)
class Work:
    """All that the networks of a program compute."""

    program: Program
    diagrams: Diagrams
    variables: Variables
    terms: tuple[Term, ...]
    passes: GraphPasses = AS_WRITTEN
    definitions: Mapping[int, Diagram] = field(default_factory=dict[int, Diagram])
    """Variables behind those of questions, each with the condition that it stands for: see `of`."""

    @property
    def asked(self) -> frozenset[int]:
        """The variables that it hangs on."""
        return frozenset[int]().union(*(self.diagrams.support(each) for term in self.terms for each in term.conditions))

    @classmethod
    def of(
        cls,
        program: Program,
        *,
        ops: bool = True,
        passes: GraphPasses = AS_WRITTEN,
        auxiliary: bool = False,
        limit: int = LIMIT,
        diagrams: Diagrams | None = None,
        encoded: bool = False,
    ) -> Work:
        """Of ops as wholes, which cost tables have rows for; else of primitives, each by itself.

        `passes` as in `uses`, `auxiliary` with the outputs that are only trained with; `diagrams` are those of other
        works of the program, with a limit of their own. With `encoded`, what passes find out from cell to cell stands
        as variables of its own (Tseitin, 1968), which keeps conditions short; an expectation has no chances for these.
        Raises TooLarge where more than `limit` diagrams would be built, or a question has more answers.
        """
        diagrams, variables = diagrams or Diagrams(limit), Variables(program, limit)
        definitions = _Definitions(diagrams, len(variables.all)) if encoded else None
        places = _Places(program, diagrams, variables, definitions, ops=ops, passes=passes, auxiliary=auxiliary)
        terms = tuple(places.terms())
        return cls(program, diagrams, variables, terms, passes, definitions.of if definitions else {})


_LONG: Final = 1
"""A condition on more variables gets one of its own. With 6, GAS's range takes six times as many diagrams."""


class _Definitions:
    """Variables that stand for conditions."""

    def __init__(self, diagrams: Diagrams, first: int) -> None:
        self.diagrams = diagrams
        self.first = first
        self.of: dict[int, Diagram] = {}
        self._names: dict[Diagram, Diagram] = {}

    def short(self, condition: Diagram) -> Diagram:
        """A condition, or the variable that stands for it."""
        if condition not in self._names and len(self.diagrams.support(condition)) > _LONG:
            number = self.first + len(self.of)
            self.of[number] = condition
            self._names[condition] = self.diagrams.answered(number, answer=1, count=2)
        return self._names.get(condition, condition)


class _Places:
    def __init__(
        self,
        program: Program,
        diagrams: Diagrams,
        variables: Variables,
        definitions: _Definitions | None,
        *,
        ops: bool,
        passes: GraphPasses,
        auxiliary: bool,
    ) -> None:
        self.program = program
        self.ops = ops
        self.passes = passes
        self.diagrams = diagrams
        self.variables = variables
        self.definitions = definitions
        self.whole = Symbolic(program, diagrams, variables)
        ends = [
            self.whole.walk.of(index)
            for index in program.results
            if isinstance(result := program.nodes[index].payload, Result) and (auxiliary or not result.auxiliary)
        ]
        self.read: dict[Key, Diagram] = {}
        """When each node is computed."""
        self.handed_on: dict[Key, Diagram] = {}
        """When its map is read by another op, or is an output."""
        self._reads(ends)
        if passes.constants_folded:
            self._fold_constants()
        self._same: dict[tuple[Key, Key], Diagram] = {}

    def _reads(self, ends: Iterable[Diagram]) -> None:
        """From the outputs back. Readers of one map are joined first: of a long path it can be many nodes."""
        waiting: dict[Key, dict[tuple[Diagram, Hashable], Diagram]] = {}

        def reads(source: Diagram, when: Diagram, op: Hashable) -> None:
            origins = [origin for origin in self.diagrams.leaves(source) if isinstance(origin, Key)]
            if not origins:
                return
            within = op if any(self._op(origin.node) == op for origin in origins) else None
            joined = waiting.setdefault(max(origins, key=self._order), {})
            joined[source, within] = self.diagrams.either(joined.get((source, within), FALSE), when)

        for end in ends:
            reads(end, TRUE, None)
        for key in sorted((key for key in self.whole.made if isinstance(key, Key)), key=self._order, reverse=True):
            for (source, op), when in waiting.pop(key, {}).items():
                self._add(source, when, op)
            made = self.whole.made[key]
            when = self.read.get(key, FALSE)
            inputs = made.inputs
            if self.passes.dead_code_removed:
                when, inputs = self._short(when), values_read(made.payload, made.inputs)
            if when != FALSE and self._is_primitive(key):
                for source in inputs:
                    reads(source, when, self._op(key.node))

    def _fold_constants(self) -> None:
        """What does not depend on an image is handed on without being computed."""
        depends: dict[Hashable, Diagram] = {None: FALSE}
        for key in sorted((key for key in self.whole.made if isinstance(key, Key)), key=self._order):
            made = self.whole.made[key]
            found = TRUE if isinstance(made.payload, Image) else FALSE
            for source in values_read(made.payload, made.inputs):
                after = {origin: depends[origin] for origin in self.diagrams.leaves(source)}
                found = self.diagrams.either(found, self.diagrams.bind(source, after))
            depends[key] = found = self._short(found)
            if key in self.handed_on:
                self.handed_on[key] = self.diagrams.conjunction(self.handed_on[key], found)

    def _short(self, condition: Diagram) -> Diagram:
        return condition if self.definitions is None else self.definitions.short(condition)

    def _is_primitive(self, key: Key) -> bool:
        return isinstance(self.whole.made[key].payload, Apply)

    def _order(self, key: Key) -> tuple[int, int]:
        return key.node, self.program.order(key.branch)

    def _add(self, source: Diagram, when: Diagram, op: Hashable) -> None:
        """A map is read under a condition, by nodes of an op or by others."""
        for origin in self.diagrams.leaves(source):
            if isinstance(origin, Key):
                condition = self.diagrams.conjunction(when, self.diagrams.has(source, origin))
                self.read[origin] = self.diagrams.either(self.read.get(origin, FALSE), condition)
                if op is None or self._op(origin.node) != op:
                    self.handed_on[origin] = self.diagrams.either(self.handed_on.get(origin, FALSE), condition)

    def _op(self, node: int) -> tuple[Frame, ...] | int:
        return (call_of(self.program.nodes[node].frames) if self.ops else ()) or node

    # Terms --------------------------------------------------------------------------------------

    def terms(self) -> Iterator[Term]:
        ops: dict[object, list[Key]] = {}
        for key, when in self.handed_on.items():
            if when != FALSE and self._is_primitive(key):
                ops.setdefault(self._op(key.node), []).append(key)
        inside: dict[object, list[int]] = {}
        for index in range(len(self.program.nodes)):
            inside.setdefault(self._op(index), []).append(index)
        for op, roots in ops.items():
            yield from self._of_op(inside[op], roots, whole=isinstance(op, tuple))
        if not self.ops:
            yield from self._shared()

    def _shared(self) -> Iterator[Term]:
        """What parameters that places share are counted too often: at each of them but the first that is computed."""
        places: dict[str, list[Key]] = {}
        for key in sorted((key for key, when in self.handed_on.items() if when != FALSE), key=self._order):
            weights = self.program.nodes[key.node].weights
            if weights is not None:
                places.setdefault(weights.spelled, []).append(key)
        for keys in places.values():
            before = FALSE
            for position, key in enumerate(keys):
                mine = self.handed_on[key]
                again = self.diagrams.conjunction(self._counted(key, keys[:position]), before)
                if again != FALSE:
                    for term in self._of_branch([key.node], [key], (key.branch,), again, whole=False):
                        yield replace(term, sign=-1, again=True)
                before = self.diagrams.either(before, mine)

    def _counted(self, key: Key, before: Sequence[Key]) -> Diagram:
        """That a node is computed for a branch, and not with another branch that has been counted."""
        found = self.handed_on[key]
        for other in before:
            if other.node == key.node:
                alike = self.diagrams.conjunction(self.handed_on[other], self.same(other, key))
                found = self.diagrams.conjunction(found, self.diagrams.negated(alike))
        return found

    def _of_op(self, nodes: Sequence[int], roots: Sequence[Key], *, whole: bool) -> Iterator[Term]:
        """An op, for each branch that computes it; what several compute alike is taken away again."""
        branches: list[Branch | None] = sorted(
            {root.branch for root in roots if root.branch is not None}, key=self.program.order
        )
        branches = branches or [None]
        for count in range(1, len(branches) + 1):
            for group in combinations(branches, count):
                alike = self._alike(roots, group)
                if alike != FALSE:
                    yield from self._of_branch(nodes, roots, group, alike, whole=whole)

    def _of_branch(
        self, nodes: Sequence[int], roots: Sequence[Key], group: Sequence[Branch | None], alike: Diagram, *, whole: bool
    ) -> Iterator[Term]:
        mine = [root for root in sorted(roots) if root.branch in (group[0], None)]
        local = Symbolic(self.program, self.diagrams, self.variables, around=self.whole, inside=frozenset(nodes))
        for root in mine:
            local.walk.of(root.node, root.branch)
        needed = _needed(local, mine)
        read = [self._all_read(root, group) for root in mine]
        computed = FALSE
        for each in read:
            computed = self.diagrams.either(computed, each)
        facts = _Facts(self.diagrams, local, mine, read, needed)
        conditions = [computed, alike, *facts.diagrams]
        sign = 1 if len(group) % 2 else -1
        node = self.program.nodes[mine[0].node]
        call = call_of(node.frames) if self.ops else ()
        path = spell(call) or node.path
        for values, parts in _independent(self.diagrams, conditions):
            if not values[0] or not values[1]:
                continue
            kernel = facts.kernel(values[2:], whole=whole)
            if kernel is None:
                continue
            op = call[-1].definition if call else _primitive(node.payload)
            yield Term(Row.of(op, kernel), kernel, path, mine[0].node, sign, parts)

    def _all_read(self, root: Key, group: Sequence[Branch | None]) -> Diagram:
        if root.branch is None:
            return self.handed_on[root]
        reads = (self.handed_on.get(Key(root.node, branch), FALSE) for branch in group)
        return self.diagrams.conjunction(*reads)

    def _alike(self, roots: Sequence[Key], group: Sequence[Branch | None]) -> Diagram:
        """That the op is one computation for these branches: the same of its maps are read, and are equal."""
        found = TRUE
        for node in dict.fromkeys(root.node for root in roots if root.branch is not None):
            for one, other in pairwise(group):
                first, second = Key(node, one), Key(node, other)
                left, right = self.handed_on.get(first, FALSE), self.handed_on.get(second, FALSE)
                both = self.diagrams.conjunction(left, right)
                neither = self.diagrams.negated(self.diagrams.either(left, right))
                equal = self.same(first, second) if both != FALSE else FALSE
                found = self.diagrams.conjunction(
                    found, self.diagrams.either(neither, self.diagrams.conjunction(both, equal))
                )
        return found

    def same(self, one: Key, other: Key) -> Diagram:
        """That two branches compute a node alike."""
        waiting = [(one, other)]
        while waiting:
            pair = waiting[-1]
            if pair in self._same:
                waiting.pop()
                continue
            left, right = self.whole.made[pair[0]], self.whole.made[pair[1]]
            before = [
                each
                for ours, theirs in zip(left.inputs, right.inputs, strict=True)
                for each in _pairs(self.diagrams, ours, theirs)
                if each not in self._same
            ]
            if before:
                waiting.extend(before)
                continue
            waiting.pop()
            found = TRUE
            for name, number in left.numbers.items():
                equal = self.diagrams.apply("equal", _equal, number, right.numbers[name])
                found = self.diagrams.conjunction(found, equal)
            for ours, theirs in zip(left.inputs, right.inputs, strict=True):
                found = self.diagrams.conjunction(found, self._same_map(ours, theirs))
            self._same[pair] = found
        return self._same[one, other]

    def _same_map(self, one: Diagram, other: Diagram) -> Diagram:
        found = self.diagrams.apply("equal", _equal, one, other)
        for left, right in _pairs(self.diagrams, one, other):
            both = self.diagrams.conjunction(self.diagrams.has(one, left), self.diagrams.has(other, right))
            found = self.diagrams.either(found, self.diagrams.conjunction(both, self._same[left, right]))
        return found


def _equal(one: Hashable, other: Hashable) -> bool:
    return one == other


def _one_map(one: Hashable, other: Hashable) -> bool:
    return one is not None and one == other


def _primitive(payload: object) -> str:
    return payload.primitive if isinstance(payload, Apply) else ADD.name


def _pairs(diagrams: Diagrams, one: Diagram, other: Diagram) -> list[tuple[Key, Key]]:
    """The nodes of two branches that two maps can be, the same in the program."""
    theirs = {origin.node: origin for origin in diagrams.leaves(other) if isinstance(origin, Key)}
    return [
        (origin, theirs[origin.node])
        for origin in diagrams.leaves(one)
        if isinstance(origin, Key) and origin.node in theirs and theirs[origin.node] != origin
    ]


def _needed(local: Symbolic, roots: Sequence[Key]) -> list[Origin]:
    """All that the maps of an op can be made of, maps from outside too."""
    found: dict[Origin, None] = {}
    waiting: list[Origin] = list(roots)
    while waiting:
        origin = waiting.pop()
        if origin in found:
            continue
        found[origin] = None
        for source in local.made[origin].inputs:
            waiting.extend(local.origins(source))
    return list(found)


class _Facts:
    """What decides what an op does: diagrams in an order, and the kernel of their values."""

    def __init__(
        self,
        diagrams: Diagrams,
        local: Symbolic,
        roots: Sequence[Key],
        read: Sequence[Diagram],
        needed: Sequence[Origin],
    ) -> None:
        self.made = local.made
        self.roots = roots
        self.needed = needed
        self.diagrams: list[Diagram] = []
        self._place: dict[object, int] = {}
        self._fixed: dict[object, Hashable] = {}
        self._all = diagrams
        for root, each in zip(roots, read, strict=True):
            # Of one map that is read, the condition of the whole says it.
            self._put(("read", root), each if len(roots) > 1 else TRUE)
        for origin in needed:
            made = local.made[origin]
            for name, number in made.numbers.items():
                self._put(("number", origin, name), number)
            for position, source in enumerate(made.inputs):
                self._put(("input", origin, position), source)
            if isinstance(origin, Entry):
                self._put(("channels", origin), made.channels)
        entries = [origin for origin in needed if isinstance(origin, Entry)]
        assert local.around is not None
        for one, other in combinations(entries, 2):
            ours = local.around.walk.of(one.key.node, one.key.branch)
            theirs = local.around.walk.of(other.key.node, other.key.branch)
            equal = diagrams.apply("one map", _one_map, ours, theirs)
            self._put(("one map", one, other), equal)
        self.entries = entries
        self._kernels: dict[tuple[Hashable, ...], Kernel | None] = {}

    def _put(self, name: object, diagram: Diagram) -> None:
        leaves = self._all.leaves(diagram)
        if len(leaves) == 1:
            self._fixed[name] = leaves[0]
        else:
            self._place[name] = len(self.diagrams)
            self.diagrams.append(diagram)

    def kernel(self, values: tuple[Hashable, ...], *, whole: bool) -> Kernel | None:
        if values not in self._kernels:
            self._kernels[values] = self._made(values, whole=whole)
        return self._kernels[values]

    def _made(self, values: Sequence[Hashable], *, whole: bool) -> Kernel | None:
        def value(*name: object) -> Hashable:
            return values[self._place[name]] if name in self._place else self._fixed[name]

        steps: dict[Origin, tuple[Apply, tuple[Origin, ...]]] = {}
        shapes: dict[Origin, Shape] = {}
        first: dict[Origin, Origin] = {}
        for position, entry in enumerate(self.entries):
            first[entry] = next((one for one in self.entries[:position] if value("one map", one, entry)), entry)
            channels = value("channels", entry)
            assert isinstance(channels, int)
            shapes[entry] = Shape(channels, self.made[entry].height, self.made[entry].width)
        ordered = sorted(each for each in self.needed if isinstance(each, Key))
        for key in ordered:
            made = self.made[key]
            assert isinstance(made.payload, Apply)
            sources = [value("input", key, position) for position in range(len(made.inputs))]
            primitive = PRIMITIVES[made.payload.primitive]
            inputs = tuple(first.get(each, each) for each in sources if isinstance(each, Key | Entry))
            if len(inputs) < (1 if primitive.variadic else len(sources)) or any(each not in shapes for each in inputs):
                continue
            attributes = dict(made.attributes)
            for name in made.numbers:
                number = value("number", key, name)
                assert isinstance(number, int)
                attributes[name] = number
            order = tuple((name, attributes[name]) for name, _ in made.payload.attributes)
            applied = Apply(made.payload.primitive, order)
            steps[key] = (applied, inputs)
            shapes[key] = primitive.shape([shapes[each] for each in inputs], applied.attribute)
        roots = [root for root in self.roots if value("read", root) and root in steps]
        if not roots:
            return None
        if not whole:
            applied, inputs = steps[roots[0]]
            return alone(applied, [shapes[each] for each in inputs], shapes[roots[0]])
        return kernel_of(roots, steps, shapes.__getitem__)


def _independent(
    diagrams: Diagrams, conditions: Sequence[Diagram]
) -> Iterator[tuple[tuple[Hashable, ...], tuple[Diagram, ...]]]:
    """Each combination of values of some diagrams, with what its chance is the product of.

    Diagrams that hang on a common question are taken together.
    """
    groups: list[tuple[set[int], list[int]]] = []
    for position, diagram in enumerate(conditions):
        support, members = set(diagrams.support(diagram)), [position]
        apart: list[tuple[set[int], list[int]]] = []
        for group in groups:
            if group[0].isdisjoint(support):
                apart.append(group)
            else:
                support |= group[0]
                members = [*group[1], *members]
        groups = [*apart, (support, members)]
    options: list[list[tuple[list[int], tuple[Hashable, ...], Diagram]]] = []
    for _, members in groups:
        joint = diagrams.together([conditions[position] for position in members])
        options.append([(members, values, diagrams.has(joint, values)) for values in diagrams.joint_leaves(joint)])
    for combination in product(*options):
        values: list[Hashable] = [None] * len(conditions)
        for members, found, _ in combination:
            for position, value in zip(members, found, strict=True):
                values[position] = value
        yield tuple(values), tuple(each for _, _, each in combination if each != TRUE)
