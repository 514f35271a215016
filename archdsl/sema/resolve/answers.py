"""Names in genotypes, searches, trainings and costs: they point at the space that these are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archdsl.ops import Primitive
from archdsl.sema.modules.load import Unit
from archdsl.sema.resolve.index import Definition, Index, Kind, Resolution, name_of
from archdsl.sema.resolve.reach import Reach
from archdsl.syntax import ast
from archdsl.syntax.tree import children, names


def resolution_of(index: Index) -> Resolution:
    """What every name of the files is, once all bodies have been read."""
    reach = Reach(index)
    reach.finish()
    for unit in index.units:
        for item in unit.items.values():
            match item:
                case ast.Genotype(of=of, body=body):
                    around = _around(item, of, unit, index, reach)
                    for statement in body:
                        around.answer(statement, ())
                case ast.Search(of=of, body=body) | ast.Train(of=of, body=body):
                    around = _around(item, of, unit, index, reach)
                    around.parameters.update(index.bodies.get(id(item), {}))
                    around.settings(body)
                case ast.Cost(value=value):
                    _Around(index, reach, unit, None, index.item(item, unit)).setting(value)
                case _:
                    pass
    return index.resolution()


def _around(
    item: ast.Genotype | ast.Search | ast.Train, of: ast.Expr, unit: Unit, index: Index, reach: Reach
) -> _Around:
    target = of.target if isinstance(of, ast.Call) else of
    found = unit.find_path(target) if isinstance(target, ast.Path) else None
    if found is None or isinstance(found.item, Primitive) or not isinstance(target, ast.Path):
        return _Around(index, reach, unit, None, index.item(item, unit))
    index.use_item(found, target, unit)
    subject = index.item(found.item, found.unit)
    around = _Around(index, reach, unit, subject, index.item(item, unit))
    if isinstance(of, ast.Call) and isinstance(found.item, ast.Space):
        for argument in of.arguments:
            if argument.name is not None and (parameter := index.parameter(found.item, found.unit, argument.name.text)):
                index.use(parameter, argument.name.span)
            around.setting(argument.value)
    return around


@dataclass(slots=True)
class _Around:
    """What names in the body of an item can point at."""

    index: Index
    reach: Reach
    unit: Unit
    subject: Definition | None
    """The space, or of a training the genotype."""
    owner: Definition
    phases: dict[str, Definition] = field(default_factory=dict[str, Definition])
    parameters: dict[str, Definition] = field(default_factory=dict[str, Definition])
    """Of a search."""

    @property
    def space(self) -> Definition | None:
        """The space itself, also where the item is of a genotype."""
        if self.subject is None or not isinstance(self.subject.node, ast.Genotype):
            return self.subject
        of = self.subject.node.of
        target = of.target if isinstance(of, ast.Call) else of
        found = self.subject.unit.find_path(target) if isinstance(target, ast.Path) else None
        if found is None or not isinstance(found.item, ast.Space):
            return None
        return self.index.item(found.item, found.unit)

    # Genotypes ----------------------------------------------------------------------------------

    def answer(self, statement: ast.Statement, scopes: Sequence[Definition]) -> None:
        """A line of answers; `scopes` are the cells and structures of the block that it stands in."""
        match statement:
            case ast.Assign(target=ast.Target(path=ast.Path(head=head, parts=())), value=value) if (
                not scopes and head.text in ("open", "also", "hash")
            ):
                for path in names(value):
                    if not self._item(path):
                        self._point(path, ())
            case ast.Assign(target=target, value=value):
                found = self._point(target.path, scopes)
                self._tag(target.path.head.text, target.tag)
                self._answers(value, (*scopes, *found))
            case ast.Answer(target=target, body=body):
                inner = self._point(target.path, scopes)
                self._tag(target.path.head.text, target.tag)
                for line in body:
                    self.answer(line, inner)
            case _:
                pass

    def _answers(self, value: ast.Expr, scopes: Sequence[Definition]) -> None:
        """Candidates as the space spells them: names of the bodies around the question, else ops and cells there."""
        for path in _outer(value):
            if not self._point(path, scopes):
                self._candidate(path, scopes)
        for call in _calls(value):
            self._candidate(call.target, scopes, call.arguments)

    def _candidate(self, path: ast.Path, scopes: Sequence[Definition], arguments: Sequence[ast.Argument] = ()) -> None:
        space = self.space
        units = [each.unit for each in (*scopes, *((space,) if space else ()))]
        for unit in dict.fromkeys(map(_Same, (*units, self.unit))):
            found = unit.unit.find_path(path)
            if found is None:
                continue
            self.index.use_item(found, path, self.unit)
            if isinstance(found.item, ast.Op | ast.Cell):
                for argument in arguments:
                    if argument.name is not None and (
                        parameter := self.index.parameter(found.item, found.unit, argument.name.text)
                    ):
                        self.index.use(parameter, argument.name.span)
            return

    def _point(self, path: ast.Path, scopes: Sequence[Definition]) -> tuple[Definition, ...]:
        """What a path of questions or places names, each of its parts recorded: `a.trunk[5][8].operator`."""
        found = self._start(path.head.text, scopes)
        for each in found:
            self.index.use(each, path.head.span)
        for part in path.parts:
            if isinstance(part, ast.Index):
                continue
            inner = self._inside(found, part.name)
            if not inner and any(each.kind is Kind.BRANCH for each in found):
                inner = self._start(part.name, ())
            for each in inner:
                self.index.use(each, name_of(part))
            found = inner or found
        return found

    def _start(self, name: str, scopes: Sequence[Definition]) -> tuple[Definition, ...]:
        if found := self._inside(scopes, name):
            return found
        space = self.space
        if space is None:
            return ()
        if name in (body := self.index.bodies.get(id(space.node), {})):
            return (body[name],)
        cell = space.unit.find(name)
        if cell is not None and isinstance(cell.item, ast.Cell):
            return (self.index.item(cell.item, cell.unit),)
        return ()

    def _inside(self, scopes: Iterable[Definition], name: str) -> tuple[Definition, ...]:
        """A name of the bodies of cells and structures, or of the body that a line belongs to."""
        found: list[Definition] = []
        for scope in scopes:
            found += [body[name] for body in self._bodies(scope) if name in body]
        return tuple(dict.fromkeys(found)) or self.reach.member(scopes, name)

    def _bodies(self, scope: Definition) -> Iterable[dict[str, Definition]]:
        match scope.node:
            case ast.Structure(body=body) as structure:
                yield dict(self.index.bodies.get(id(structure), {}))
                for place in body:
                    if isinstance(place, ast.Place):
                        for each in self.reach.callables(place.cell):
                            if isinstance(each.what, Definition):
                                yield dict(self.index.bodies.get(id(each.what.node), {}))
            case ast.Cell() | ast.Space() as item:
                yield dict(self.index.bodies.get(id(item), {}))
            case _:
                if scope.owner is not None:
                    yield dict(self.index.bodies.get(id(scope.owner.node), {}))

    def _tag(self, cell: str, tag: ast.Name | None) -> None:
        if tag is not None and (found := self.index.tags.get((cell, tag.text))) is not None:
            self.index.use(found, tag.span)

    # Settings -----------------------------------------------------------------------------------

    def settings(self, body: Sequence[ast.Statement]) -> None:
        """The lines of a search or a training; names that are neither of the space nor of the file are its words."""
        for statement in body:
            if isinstance(statement, ast.Phase):
                phase = self.index.define(statement.name, Kind.PHASE, statement, self.unit, self.owner)
                self.phases[phase.name] = phase
        for statement in body:
            lines = statement.body if isinstance(statement, ast.Phase) else (statement,)
            for line in lines:
                if isinstance(line, ast.Assign):
                    phases = line.target.path.head.text == "with"
                    for value in line.value.items if isinstance(line.value, ast.Tuple) else (line.value,):
                        if phases and isinstance(value, ast.Path) and value.head.text in self.phases:
                            self.index.use(self.phases[value.head.text], value.head.span)
                        else:
                            self.setting(value)

    def setting(self, value: ast.Expr) -> None:
        """A value of a setting. What is called is a word of the settings or a cost, not an op."""
        for call in _calls(value):
            found = self.unit.find_path(call.target)
            if found is not None and isinstance(found.item, ast.Cost):
                self.index.use_item(found, call.target, self.unit)
        for path in _outer(value):
            if not path.parts and (parameter := self.parameters.get(path.head.text)) is not None:
                self.index.use(parameter, path.head.span)
            elif not self._item(path):
                self._point(path, ())

    def _item(self, path: ast.Path) -> bool:
        """Whether a path names an item of the file or of the space's."""
        space = self.space
        for unit in (self.unit, *((space.unit,) if space else ())):
            found = unit.find_path(path)
            if found is not None and not isinstance(found.item, Primitive):
                self.index.use_item(found, path, self.unit)
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Same:
    """A file, equal to itself."""

    unit: Unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.unit is self.unit

    def __hash__(self) -> int:
        return id(self.unit)


def _outer(node: ast.Node) -> Iterable[ast.Path]:
    """The paths of a value that are no targets of calls."""
    if isinstance(node, ast.Path):
        yield node
        return
    for child in children(node):
        if not (isinstance(node, ast.Call) and child is node.target):
            yield from _outer(child)


def _calls(node: ast.Node) -> Iterable[ast.Call]:
    if isinstance(node, ast.Call):
        yield node
    for child in children(node):
        yield from _calls(child)
