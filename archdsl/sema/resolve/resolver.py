"""Names, order and form in every body, whether or not something uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archdsl.diagnostics import Fix
from archdsl.diagnostics import Label as Mark
from archdsl.ops import Channels, Primitive
from archdsl.ops.primitives import PRIMITIVES
from archdsl.plugins import CANNOT_LOAD
from archdsl.sema import codes
from archdsl.sema.modules.load import BUILT_IN, Unit
from archdsl.sema.modules.load import Definition as Item
from archdsl.sema.reporter import Reporter, replacement, suggestion
from archdsl.sema.resolve.index import Call, Definition, Index, Kind
from archdsl.sema.resolve.name_ranges import names_between
from archdsl.sema.resolve.scales import check_scales
from archdsl.syntax import ast
from archdsl.syntax.tree import children, names
from archdsl.text import Span, TextEdit

_IN_BODY = (ast.Input, ast.Output, ast.Choose, ast.Assign, ast.Structure, ast.Branches)
_IN_STRUCTURE: dict[str, tuple[type[ast.Node], ...]] = {
    "chain": (ast.Place, ast.Choose),
    "hyper": (ast.Place, ast.Choose),
    "grid": (ast.Start, ast.Choose, ast.Assign, ast.Place),
}


LISTED = 12
"""So many ops are named where one is not known, and it is like none of them."""


def check_names(unit: Unit, reporter: Reporter) -> Index:
    """Report what is wrong with the names of a file and of the files that it uses, and collect what they are."""
    index = Index()
    waiting, seen = [unit], {id(unit)}
    while waiting:
        current = waiting.pop()
        index.units.append(current)
        for each in current.parsed.file.items:
            index.item(each, current)
        unknown: set[str] = set()
        for name, item in current.items.items():
            if name not in current.broken:
                _check_item(item, current, reporter, unknown, index)
        for used in (*current.used, *current.aliases.values()):
            if id(used) not in seen:
                seen.add(id(used))
                waiting.append(used)
    return index


def _check_item(item: Item, unit: Unit, reporter: Reporter, unknown: set[str], index: Index) -> None:
    check = _Body(unit, reporter, item.name, unknown, index, index.item(item, unit))
    index.bodies[id(item)] = check.known
    match item:
        case ast.Op(parameters=parameters, pipe=pipe, body=body):
            check.parameters(parameters)
            for step in pipe:
                check.step(step, {}, -1)
            if body or not pipe:
                check.body(body)
        case ast.Ops(parameters=parameters, value=value):
            check.parameters(parameters)
            check.expression(value, {})
            if isinstance(value, ast.Set) and not value.items:
                reporter.report(codes.EMPTY_SET, f"`{item.name.text}` has no ops", value.span, "an empty set")
        case ast.Cell(parameters=parameters, body=body, stride=stride):
            check.parameters(parameters)
            check.body(body)
            if stride is not None and (not isinstance(stride.value, int) or stride.value < 1):
                reporter.report(codes.WRONG_KIND, "a stride is a whole number of at least 1", stride.span, "no stride")
        case ast.Space(parameters=parameters, body=body):
            check.parameters(parameters)
            check.body(body, is_space=True)
            check_scales(item, reporter)
        case ast.Search(parameters=parameters):
            check.parameters(parameters)
        case ast.Genotype() | ast.Cost() | ast.Train():
            pass


@dataclass(slots=True)
class _Line:
    name: ast.Name
    statement: ast.Statement
    position: int


@dataclass(slots=True)
class _Body:
    unit: Unit
    reporter: Reporter
    owner: ast.Name
    unknown: set[str]
    """Names that have been reported; each of them is reported where the file reads it first."""
    index: Index
    item: Definition
    known: dict[str, Definition] = field(default_factory=dict[str, Definition])
    """Names in scope so far."""
    around: dict[str, Definition] = field(default_factory=dict[str, Definition])
    """The parameters of the item."""
    lines: dict[str, _Line] = field(default_factory=dict[str, _Line])
    """All lines of the body, also those to come."""
    circles: set[frozenset[str]] = field(default_factory=set[frozenset[str]])
    """Cycles that have been reported."""

    def parameters(self, parameters: Sequence[ast.Parameter]) -> None:
        for parameter in parameters:
            if parameter.default is not None:
                self.expression(parameter.default, {})
            self.define(parameter.name, Kind.PARAMETER, parameter)
        self.around.update(self.known)

    def define(self, name: ast.Name, kind: Kind, node: ast.Node, *, run: bool = False) -> None:
        if name.text in BUILT_IN:
            self.reporter.report(
                codes.RESERVED,
                f"`{name.text}` is a word of the language",
                name.span,
                "cannot be defined again",
                help="choose another name",
            )
        elif (first := self.known.get(name.text)) is not None:
            self.reporter.report(
                codes.DUPLICATE,
                f"the {kind} `{name.text}` stands twice in `{self.owner.text}`",
                name.span,
                "again here",
                also=(Mark(first.span, "first here"),),
                help="rename one of them",
            )
        else:
            self.known[name.text] = self.index.define(name, kind, node, self.unit, self.item, run=run)

    # Bodies -------------------------------------------------------------------------------------

    def body(self, body: Sequence[ast.Statement], *, is_space: bool = False) -> None:
        self._forms(body, (*_IN_BODY, ast.Scales) if is_space else _IN_BODY)
        self._collect(body)
        for statement in body:
            if isinstance(statement, ast.Input):
                for port in statement.ports:
                    self.define(port.name, Kind.INPUT, port)
        for position, statement in enumerate(body):
            self._statement(statement, position, is_space=is_space)
        self._check_outputs(body, is_space=is_space)

    def _forms(self, body: Sequence[ast.Statement], allowed: tuple[type[ast.Node], ...]) -> None:
        for statement in body:
            if not isinstance(statement, allowed):
                self._out_of_place(statement, f"the body of `{self.owner.text}`")

    def _out_of_place(self, statement: ast.Statement, where: str) -> None:
        what = {
            ast.Start: "`start`",
            ast.Place: "a cell",
            ast.Phase: "`phase`",
            ast.Answer: "`answer`",
            ast.Input: "`in`",
            ast.Output: "`out`",
            ast.Branches: "`branches`",
            ast.Structure: "a structure",
            ast.Assign: "a line with `=`",
            ast.Choose: "`choose`",
            ast.Scales: "`scales`",
        }[type(statement)]
        homes: dict[type[ast.Statement], str] = {
            ast.Start: "it stands in a `grid`",
            ast.Place: "it stands in a `chain`, a `hyper` or a `grid`; elsewhere write `y = cell(x)`",
            ast.Phase: "it stands in a `search`",
            ast.Answer: "it stands in a `genotype`",
            ast.Scales: "it stands in a `space`, whose parameters it gives",
        }
        self.reporter.report(
            codes.OUT_OF_PLACE,
            f"{what} does not stand in {where}",
            statement.span,
            "out of place",
            help=homes.get(type(statement)),
        )

    def _collect(self, body: Sequence[ast.Statement]) -> None:
        for position, statement in enumerate(body):
            for name in _defined(statement):
                self.lines.setdefault(name.text, _Line(name, statement, position))

    def _statement(self, statement: ast.Statement, position: int, *, is_space: bool) -> None:
        match statement:
            case ast.Input(ports=ports):
                for port in ports:
                    for step in port.steps:
                        self.step(step, {}, position)
                    if port.shape is not None and not is_space:
                        self.reporter.report(
                            codes.OUT_OF_PLACE,
                            "only the image of a space has a shape",
                            port.shape.span,
                            "not here",
                            help="leave the shape out: a cell takes what it is given",
                        )
            case ast.Assign(target=target, value=value):
                self.expression(value, {}, position)
                if target.path.parts or target.tag is not None:
                    self.reporter.report(
                        codes.OUT_OF_PLACE,
                        "a line defines one plain name",
                        target.span,
                        "not a plain name",
                        help="write `name = …`",
                    )
                for name in _defined(statement):
                    self.define(name, Kind.LINE, statement, run=target.upto is not None)
            case ast.Output(value=value, name=name):
                self.expression(value, {}, position)
                self._check_twice(value)
                if name is not None:
                    self.define(name, Kind.OUTPUT, statement)
            case ast.Choose(name=name, domain=domain):
                self.expression(domain, {}, position)
                self.define(name, Kind.QUESTION, statement)
            case ast.Branches(names=found, domain=domain):
                self.expression(domain, {}, position)
                for name in found:
                    self.define(name, Kind.BRANCH, statement)
            case ast.Structure():
                self._structure(statement, position)
            case ast.Scales(scales=scales):
                for scale in scales:
                    for each in scale.values:
                        self._scaled(each)
            case ast.Start() | ast.Place() | ast.Phase() | ast.Answer():
                pass

    def _scaled(self, given: ast.Argument) -> None:
        """A value of a scale: a use of the parameter that it names, and nothing that only the space knows."""
        parameter = given.name and self.around.get(given.name.text)
        if parameter and given.name:
            self.index.use(parameter, given.name.span)

    def _structure(self, structure: ast.Structure, position: int) -> None:
        local: dict[str, Definition] = {}
        for argument in structure.arguments:
            if argument.within is not None and isinstance(argument.value, ast.Path):
                self.expression(argument.within, {}, position)
                axis = argument.value.head
                local[axis.text] = self.index.define(axis, Kind.AXIS, argument, self.unit, self.item)
            else:
                self.expression(argument.value, {}, position)
        name = structure.target.path.head
        self.define(name, Kind.STRUCTURE, structure)
        allowed = _IN_STRUCTURE.get(structure.kind.text)
        if allowed is None:
            return  # a syntax error took its word away
        for statement in structure.body:
            if isinstance(statement, ast.Assign) and structure.kind.text != "grid":
                self._named_cell(statement, name.text)
            elif not isinstance(statement, allowed):
                self._out_of_place(statement, f"the {structure.kind.text} `{name.text}`")
            kind = Kind.LINE
            if isinstance(statement, ast.Choose):
                kind = Kind.QUESTION if structure.kind.text == "grid" else Kind.EXIT
            for each in _defined(statement):
                local[each.text] = self.index.define(each, kind, statement, self.unit, self.item)
        self.index.bodies[id(structure)] = local
        for statement in structure.body:
            self._in_structure(statement, local, position)
        if not any(isinstance(statement, ast.Place | ast.Assign) for statement in structure.body):
            self.reporter.report(
                codes.OUT_OF_PLACE,
                f"the {structure.kind.text} `{name.text}` holds no cell",
                structure.target.span,
                "nothing stands in it",
                help="write a cell in it, such as `normal(c = 32)`",
            )

    def _named_cell(self, statement: ast.Assign, chain: str) -> None:
        """`second = reduction(c = 32)` in a chain."""
        name, value = statement.target.path.head.text, statement.value
        self.reporter.report(
            codes.OUT_OF_PLACE,
            f"a line with `=` does not stand in the chain `{chain}`, whose cells have no names",
            statement.span,
            "out of place",
            help=f"write `{value.span.text}` alone; behind the chain `{name} = {chain}[n]` is what its n-th cell gives"
            if isinstance(value, ast.Call)
            else f"write the line above `{chain}`",
        )

    def _in_structure(self, statement: ast.Statement, local: dict[str, Definition], position: int) -> None:
        match statement:
            case ast.Start(indices=indices, value=value):
                for expr in (*indices, value):
                    self.expression(expr, local, position)
            case ast.Choose(domain=domain):
                self.expression(domain, local, position)
            case ast.Assign(value=value):
                self.expression(value, local, position)
            case ast.Place(cell=cell, arguments=arguments, repeat=repeat, tag=tag):
                if tag is not None:
                    self._tag(statement, cell.head.text, tag)
                self._check_cell(cell, local)
                self._arguments(arguments, local, position)
                self._call(cell, arguments, local, statement.span)
                if repeat is not None:
                    self.expression(repeat, local, position)
            case _:
                pass

    def _tag(self, place: ast.Place, cell: str, tag: ast.Name) -> None:
        known = self.index.tags.get((cell, tag.text))
        if known is not None:
            self.index.use(known, tag.span)
        else:
            self.index.tags[cell, tag.text] = self.index.define(tag, Kind.TAG, place, self.unit, self.item)

    def _check_cell(self, cell: ast.Path, local: dict[str, Definition]) -> None:
        found = self.unit.find_path(cell)
        if self._reads_name(cell, local) or self.unit.incomplete or cell.head.text in self.unknown:
            return
        if found is not None:
            self.index.use_item(found, cell, self.unit)
            return
        self.unknown.add(cell.head.text)
        if self.reporter.full:
            return
        known = self.unit.names(ast.Cell)
        self.reporter.report(
            codes.UNKNOWN_CELL,
            f"there is no cell `{cell.head.text}`",
            cell.span,
            "not known here",
            help=suggestion(cell.head.text, known),
            fix=replacement(cell.head.text, known, cell.head.span),
        )

    # Expressions --------------------------------------------------------------------------------

    def expression(self, expr: ast.Expr, local: dict[str, Definition], position: int = -1) -> None:
        match expr:
            case ast.Path():
                self._path(expr, local, position)
            case ast.Call(target=target, arguments=arguments):
                self._target(target, local, position)
                self._arguments(arguments, local, position)
                self._call(target, arguments, local, expr.span)
            case ast.Pipe(head=head, steps=steps):
                self.expression(head, local, position)
                for piped, step in zip((head, *steps), steps, strict=False):
                    self.step(step, local, position, piped=piped)
            case ast.Range(low=ast.Path(parts=()) as low, high=ast.Path(parts=()) as high) if between := names_between(
                low.head, high.head
            ):
                self._path(low, local, position)
                for name in between[1:-1]:
                    self._path(ast.Path(expr.span, ast.Name(expr.span, name)), local, position)
                self._path(high, local, position)
            case _:
                if isinstance(expr, ast.Set):
                    self._check_set(expr, local)
                for child in children(expr):
                    if isinstance(child, ast.When):
                        if child.pattern is not None:
                            self.expression(child.pattern, local, position)
                        self.expression(child.value, local, position)
                    elif isinstance(child, ast.Expr):
                        self.expression(child, local, position)

    def _arguments(self, arguments: Sequence[ast.Argument], local: dict[str, Definition], position: int) -> None:
        for argument in arguments:
            inner = local
            if argument.over is not None and argument.bound is not None:
                self.expression(argument.over, local, position)
                bound = self.index.define(argument.bound, Kind.BOUND, argument, self.unit, self.item)
                inner = {**local, argument.bound.text: bound}
            if argument.within is not None:
                self.expression(argument.within, local, position)
            if isinstance(argument.value, ast.Tag) and argument.name is not None and argument.name.text != "weights":
                self._not_weights(argument.name, argument.value)
            if not self._bare_word(argument, inner):
                self.expression(argument.value, inner, position)

    def _bare_word(self, argument: ast.Argument, local: dict[str, Definition]) -> bool:
        """Whether an argument is a word without its quotes (`mode = nearest`), which is reported."""
        match argument:
            case ast.Argument(
                name=ast.Name(text=parameter), value=ast.Path(head=ast.Name(text=word), parts=()) as path
            ):
                pass
            case _:
                return False
        named = (each for primitive in PRIMITIVES.values() for each in primitive.parameters if each.name == parameter)
        if not any(word in each.words for each in named):
            return False
        if word in local or word in self.known or word in BUILT_IN or self.unit.find_path(path) is not None:
            return False
        fix = Fix("write it in quotes", (TextEdit(path.span, f'"{word}"'),))
        help = f'a word stands in quotes: write `{parameter} = "{word}"`'
        self.reporter.report(
            codes.UNKNOWN_NAME, f"`{word}` is not defined", path.span, "not known here", help=help, fix=fix
        )
        return True

    def _not_weights(self, name: ast.Name, tag: ast.Tag) -> None:
        self.reporter.report(
            codes.UNKNOWN_PARAMETER,
            f"`{name.text}` cannot be shared under a name; weights can",
            name.span,
            "not `weights`",
            help=f"write `weights@{tag.name.text if tag.name is not None else 'each'}`",
        )

    def _target(self, target: ast.Path, local: dict[str, Definition], position: int) -> None:
        if target.head.text not in BUILT_IN:
            self._path(target, local, position, called=True)

    def step(
        self, step: ast.Expr, local: dict[str, Definition], position: int, *, piped: ast.Expr | None = None
    ) -> None:
        """What stands behind `->`."""
        match step:
            case ast.Path():
                self._path(step, local, position, called=True)
                self._call(step, (), local, step.span, piped=piped, step=True)
            case ast.Call(target=target, arguments=arguments):
                self._target(target, local, position)
                self._arguments(arguments, local, position)
                self._call(target, arguments, local, step.span, piped=piped, step=True)
            case _:
                self.expression(step, local, position)
                self._call(step, (), local, step.span, piped=piped, step=True)

    def _reads_name(self, path: ast.Path, local: dict[str, Definition]) -> bool:
        """Whether a path begins with a name of this body."""
        found = local.get(path.head.text) or self.known.get(path.head.text)
        if found is None:
            return False
        written = path.head.span.text == path.head.text
        self.index.use(found, path.head.span, written=written)
        if written:
            self.index.meanings[id(path)] = found
        if path.parts:
            self.index.reached.append(path)
        return True

    def _path(self, path: ast.Path, local: dict[str, Definition], position: int, *, called: bool = False) -> None:
        for part in path.parts:
            if isinstance(part, ast.Index):
                self.expression(part.value, local, position)
        name = path.head.text
        if name == "earlier":
            self._earlier(path, position)
        if self._reads_name(path, local) or name in BUILT_IN or not name:
            return
        if (found := self.unit.find_path(path)) is not None:
            self.index.use_item(found, path, self.unit)
            return
        if name in self.unit.aliases:
            self._not_in_alias(path, name)
            return
        line = self.lines.get(name)
        if line is not None and position >= 0:
            self._later(path, line, position)
            return
        self._unknown(path.head, local, called=called)

    def _earlier(self, path: ast.Path, position: int) -> None:
        """`earlier` reads the names of the run that stand before the last."""
        run = [line.name for line in self.lines.values() if line.position == position]
        for name in run[:-1]:
            node = self.lines[name.text].statement
            found = self.index.define(name, Kind.LINE, node, self.unit, self.item, run=True)
            self.index.use(found, path.span, written=False)

    def _not_in_alias(self, path: ast.Path, alias: str) -> None:
        if self.unit.aliases[alias].incomplete:
            return
        known = list(self.unit.aliases[alias].items)
        written = path.parts[0].name if path.parts and isinstance(path.parts[0], ast.Attribute) else ""
        self.reporter.report(
            codes.UNKNOWN_OP,
            f"`{alias}` defines no `{written}`",
            path.span,
            "not known there",
            help=suggestion(written, known),
        )

    def _later(self, path: ast.Path, line: _Line, position: int) -> None:
        """A line that reads a later one; where that one reads this one in turn it is a cycle."""
        here = [
            name.text for name, at in ((each.name, each.position) for each in self.lines.values()) if at == position
        ]
        circle = self._reads(line, set(here), set())
        if circle or line.position == position:
            steps = [*here[:1], *(name for name in circle if name not in here)]
            if frozenset(steps) in self.circles:
                return
            self.circles.add(frozenset(steps))
            through = " reads ".join(f"`{name}`" for name in [*steps, *here[:1]])
            self.reporter.report(
                codes.CYCLE,
                f"`{here[0] if here else path.head.text}` reads itself" + (f": {through}" if len(steps) > 1 else ""),
                path.span,
                "closes the circle",
                also=(Mark(line.name.span, f"`{line.name.text}` stands here"),) if line.position != position else (),
                help="a network has no loops: let one of the lines read something else",
            )
            return
        self.reporter.report(
            codes.LATER_NODE,
            f"`{path.head.text}` is read before it is defined",
            path.span,
            "not defined yet",
            also=(Mark(line.name.span, "defined here"),),
            help=f"move the line of `{path.head.text}` above this one",
        )

    def _reads(self, line: _Line, wanted: set[str], seen: set[str]) -> list[str]:
        """The lines through which one line reads one of the wanted, or nothing."""
        waiting: list[tuple[_Line, list[str]]] = [(line, [line.name.text])]
        while waiting:
            current, through = waiting.pop()
            for path in names(current.statement):
                name = path.head.text
                if name in wanted:
                    return through
                if name in self.lines and name not in seen:
                    seen.add(name)
                    waiting.append((self.lines[name], [*through, name]))
        return []

    def _unknown(self, name: ast.Name, local: dict[str, Definition], *, called: bool) -> None:
        if self.unit.incomplete or name.text in self.unknown:
            return
        self.unknown.add(name.text)
        if self.reporter.full:
            return
        if (failure := PRIMITIVES.failure(name.text)) is not None:
            self.reporter.report(CANNOT_LOAD, failure.reason, name.span, "used here", help=failure.help)
            return
        ops = self.unit.names(ast.Op, ast.Ops, ast.Cell)
        known = [*local, *self.known, *(each for each in self.lines if each not in self.known), *ops]
        near = replacement(name.text, known, name.span)
        if called:
            code, message = codes.UNKNOWN_OP, f"there is no op `{name.text}`"
        else:
            code, message = codes.UNKNOWN_NAME, f"`{name.text}` is not defined"
        here = [*local, *self.known]
        help = suggestion(name.text, known) if near else suggestion(name.text, ops if called else here)
        if called and not near and len(ops) > LISTED:
            help = f"define it (`op {name.text}(…) = …`), or use the file that does"
        if called and not self.unit.used and not self.unit.aliases and not near:
            help = "the packaged ops are there after `use std`"
        self.reporter.report(code, message, name.span, "not known here", help=help, fix=near)

    def _call(
        self,
        target: ast.Expr,
        arguments: tuple[ast.Argument, ...],
        local: dict[str, Definition],
        span: Span,
        *,
        piped: ast.Expr | None = None,
        step: bool = False,
    ) -> None:
        """A call is kept for the index; the named arguments of one whose target is an item are checked."""
        strided = step and isinstance(self.item.node, ast.Cell) and self.item.node.stride is not None
        self.index.calls.append(Call(target, arguments, piped, self.around, span, step=step, strided=strided))
        if not isinstance(target, ast.Path) or target.head.text in BUILT_IN:
            return
        if target.head.text in local or target.head.text in self.known:
            return
        found = self.unit.find_path(target)
        if found is None or not isinstance(found.item, ast.Op | ast.Cell | Primitive):
            return
        if not isinstance(found.item, Primitive) and found.item.name.text in found.unit.broken:
            return
        if isinstance(found.item, Primitive):
            known = [*(each.name for each in found.item.parameters), *found.item.maps]
        else:
            known = [each.name.text for each in found.item.parameters]
        for argument in arguments:
            if isinstance(argument.value, ast.Tag):
                continue
            if argument.name is not None and argument.name.text not in known:
                self.reporter.report(
                    codes.UNKNOWN_PARAMETER,
                    f"`{target.head.text}` has no parameter `{argument.name.text}`",
                    argument.name.span,
                    "not a parameter",
                    help=suggestion(argument.name.text, known) or "it has no parameters",
                    fix=replacement(argument.name.text, known, argument.name.span),
                )

    # What a body gives and reads ----------------------------------------------------------------

    def _check_set(self, expr: ast.Set, local: dict[str, Definition]) -> None:
        seen: dict[ast.Expr, Span] = {}
        for item in expr.items:
            if item in seen:
                self.reporter.report(
                    codes.EDGE_TWICE if self._is_edge(item, local) else codes.REPEATED_CANDIDATE,
                    f"`{item.span.text}` stands twice in this set",
                    item.span,
                    "again here",
                    also=(Mark(seen[item], "first here"),),
                    help="leave one of them out",
                )
            seen.setdefault(item, item.span)

    def _is_edge(self, item: ast.Expr, local: dict[str, Definition]) -> bool:
        """Whether an item of a set is a map, and no candidate of a question."""
        match item:
            case ast.Path(head=ast.Name(text=name)):
                return name in local or name in self.known or self.unit.find_path(item) is None
            case ast.Pipe():
                return True
            case _:
                return False

    def _concatenates(self, target: ast.Path) -> bool:
        found = self.unit.find_path(target)
        item = None if found is None else found.item
        return isinstance(item, Primitive) and item.traits.channels is Channels.SUM

    def _check_twice(self, value: ast.Expr) -> None:
        """`out concat(x1, x1)`."""
        calls = [value.head, *value.steps] if isinstance(value, ast.Pipe) else [value]
        for call in calls:
            if not isinstance(call, ast.Call) or not self._concatenates(call.target):
                continue
            seen: dict[str, Span] = {}
            for argument in call.arguments:
                if isinstance(argument.value, ast.Path) and argument.name is None and argument.bound is None:
                    name = argument.value.span.text
                    if name in seen:
                        self.reporter.report(
                            codes.OUTPUT_TWICE,
                            f"the output of `{self.owner.text}` lists `{name}` twice",
                            argument.span,
                            "again here",
                            also=(Mark(seen[name], "first here"),),
                            help="leave one of them out",
                        )
                    seen.setdefault(name, argument.span)

    def _check_outputs(self, body: Sequence[ast.Statement], *, is_space: bool) -> None:
        outputs = [statement for statement in body if isinstance(statement, ast.Output)]
        if not outputs and not is_space:
            self.reporter.report(
                codes.NO_OUTPUT,
                f"`{self.owner.text}` has no output",
                self.owner.span,
                "gives nothing",
                help="write `out …` as its last line",
            )
        if not any(isinstance(statement, ast.Input) for statement in body) and not is_space:
            self.reporter.report(
                codes.NO_INPUT,
                f"`{self.owner.text}` has no input",
                self.owner.span,
                "reads nothing",
                help="write `in x` as its first line",
            )
        plain = [output for output in outputs if output.name is None]
        if len(plain) > 1 or (plain and len(outputs) > 1 and not is_space):
            self.reporter.report(
                codes.DUPLICATE,
                f"`{self.owner.text}` has several outputs, and this one has no name",
                plain[-1].span,
                "without a name",
                help="name each of them: `out fine = …`",
            )


def _defined(statement: ast.Statement) -> Iterable[ast.Name]:
    """The names that a line defines."""
    match statement:
        case ast.Assign(target=ast.Target(path=path, upto=upto)):
            if upto is None:
                return (path.head,)
            between = names_between(path.head, upto) or (path.head.text,)
            ends = {path.head.text: path.head.span, upto.text: upto.span}
            return tuple(ast.Name(ends.get(name, path.head.span), name) for name in between)
        case ast.Choose(name=name):
            return (name,)
        case ast.Branches(names=found):
            return found
        case ast.Structure(target=target):
            return (target.path.head,)
        case ast.Output(name=ast.Name() as name):
            return (name,)
        case _:
            return ()
