"""From a search request to a setup: the space, its search, its stages, the data, the tables of its costs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archdsl.cost.objective import tables_of
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Table, read_table
from archdsl.cost.variants import TooManyRows
from archdsl.data import Data, ImageInput, split_indices
from archdsl.ops import Shape
from archdsl.pipeline import Loaded
from archdsl.pipeline.classes import with_classes
from archdsl.pipeline.genotype_writer import use_of
from archdsl.pipeline.recipes import file_of_space, programs_of, space_parameters
from archdsl.search.derive.runs import searched
from archdsl.search.run.files import GENOTYPE
from archdsl.search.run.outputs import check_outputs
from archdsl.search.run.pretraining import example_of, part_in, training_of
from archdsl.search.run.setup import TRAIN, Parts, Pretraining, SearchSetup, Stage
from archdsl.sema.modules.load import may_use, root_of
from archdsl.settings import Search, Training
from archdsl.settings.objectives import costs_in
from archdsl.settings.printer import as_data
from archdsl.settings.searches import Phase, Split
from archdsl.settings.trainings import Duration, Epochs, Iterations
from archdsl.space import Program
from archdsl.space.divisibility import multiple, of_program
from archdsl.train.batch_norms import check_step
from archdsl.train.errors import Refused
from archdsl.train.outputs import inputs_of
from archdsl.train.prepare import crop_size, cropped, of_whole_images
from archdsl.train.run import Length, length, length_of


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search request; None stands for what the text says."""

    space: str
    """A space with one search, or a search: `spaces/gas.arch:gas_s`."""
    out: Path
    crop: tuple[int, int] | None = None
    batch: int | None = None
    epochs: int | None = None
    """Of every phase that steps."""
    iterations: int | None = None
    """Of every phase that steps."""
    seed: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    cost: Path | None = None
    """A cost table in place of those that the text names."""
    score_every: int = 1
    eigenvalue_every: int | None = None
    save_every_steps: int | None = None
    accumulate: int = 1
    train_on: str = "train"
    score_on: str = "val"
    memory_bytes: int | None = None
    keep_maps: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    setup: SearchSetup
    notices: tuple[str, ...]
    """Notices for the user, a sentence each."""


def prepare(request: SearchRequest, data: Data, pretraining: Data | None = None) -> Prepared:
    """Checks a request and makes its setup; `pretraining` are the data of phases that pretrain.

    Raises NotLoaded, NotDerived, Refused, BadData, TableUnreadable, MissingRows, OSError.
    """
    first, search = searched(request.space, overrides=request.overrides)
    _check(first, search)
    assert search is not None
    overrides = with_classes(first, request.overrides, data.classes.count)
    augment = next((each.augment for each in search.phases if each.augment), ())
    size, notices = crop_size(request.crop, augment, data, request.train_on, first.padding_multiple)
    loaded, search = searched(request.space, overrides=overrides, size=size)
    assert search is not None
    check_outputs(loaded, data)
    _check_place(loaded, request.out)
    tables, table, name, more = _tables(request, search, loaded, overrides, size)
    notices += more
    programs = programs_of(request.space, search, overrides=overrides, size=size)
    stages, more = _stages(request, search, loaded, programs, data, pretraining)
    notices += more
    _check_scores(request, search, loaded, data)
    for stage in stages:
        for phase in stage.phases:
            check_step(stage.program.nodes, phase.weights.batch, request.accumulate)
    splits = {phase.split for stage in stages for phase in stage.phases if phase.split is not None}
    classes = f"{data.classes.count} classes of {data.written}: {', '.join(data.classes.names)}"
    notices[:0] = (classes, *data.remarks.get(request.train_on, ()))
    setup = SearchSetup(
        loaded=loaded,
        search=search,
        stages=stages,
        parts={each: _parts(each, data, request) for each in splits},
        tables=tables,
        data=data,
        out=request.out,
        size=size,
        seed=request.seed,
        train_on=request.train_on,
        score_on=request.score_on,
        score_every=request.score_every,
        eigenvalue_every=request.eigenvalue_every,
        accumulate=request.accumulate,
        memory_bytes=request.memory_bytes,
        keep_maps=request.keep_maps,
        table=table,
        table_name=name,
        save_every_steps=request.save_every_steps,
        about=_about(request, loaded, search, overrides, name),
    )
    for stage in stages:
        if isinstance(stage, Pretraining):
            training_of(setup, stage, stage.example)
    return Prepared(setup, tuple(notices))


def inputs_of_search(space: str, overrides: Mapping[str, str]) -> tuple[ImageInput, ...]:
    """What the networks of a search read. Raises NotLoaded, NotDerived."""
    return inputs_of(searched(space, overrides=overrides)[0])


def _check(loaded: Loaded, search: Search | None) -> None:
    if search is None:
        raise Refused(
            f"nothing says how `{loaded.program.name}` is searched: write "
            f"`search NAME of {loaded.program.name} {{ … }}` (see docs/search.md)"
        )
    if loaded.target.path is None:
        raise Refused("a search needs a text that lies in a file, which its genotypes name: save it first")
    if loaded.closed:
        raise Refused(f"`{loaded.name}` leaves no question open: `archdsl train` trains it")


def _check_place(loaded: Loaded, out: Path) -> None:
    """A genotype uses the text of its space, which a text of another project cannot. Raises Refused, NotNamed."""
    space = file_of_space(loaded)
    assert space is not None
    if not may_use(root_of(out / GENOTYPE), space.resolve()):
        raise Refused(
            f"genotypes in `{out}` could not use `{space}`, which lies outside of their project: take a folder of the "
            "same project with `--out`; a project is a folder with `.git` or `pyproject.toml`"
        )
    use_of(space, out)


def _check_scores(request: SearchRequest, search: Search, loaded: Loaded, data: Data) -> None:
    """Which of several networks is the best is decided by their accuracy."""
    if loaded.program.branches and request.score_on not in data.splits:
        raise Refused(
            f"where the branches of `{loaded.program.name}` end is decided by accuracy, and {data.written} has no "
            f"split `{request.score_on}`: name one with `--score-on`; it has {', '.join(data.splits)}"
        )


def _about(
    request: SearchRequest, loaded: Loaded, search: Search, overrides: Mapping[str, str], table: str
) -> dict[str, Any]:
    path = loaded.target.path
    assert path is not None
    return {
        "text": os.path.relpath(path, request.out),
        "item": search.name,
        "space": loaded.program.name,
        "hash": loaded.program.hash,
        "answers": {loaded.program.spell(each): list(answer) for each, answer in loaded.meaning.answers.items()},
        "overrides": dict(overrides),
        "search": as_data(search),
        "cost": os.path.relpath(table, request.out) if table else None,
        "padding_multiple": loaded.padding_multiple,
    }


# Stages -----------------------------------------------------------------------------------------


def _stages(
    request: SearchRequest,
    search: Search,
    loaded: Loaded,
    programs: Mapping[str, Program],
    data: Data,
    pretraining: Data | None,
) -> tuple[tuple[Stage | Pretraining, ...], list[str]]:
    phases = {each.name: _asked(each, request) for each in search.phases}
    beside = {name for each in phases.values() for name in each.beside}
    stages: list[Stage | Pretraining] = []
    notices: list[str] = []
    if pretraining is not None and all(each.pretrain is None for each in search.phases):
        raise Refused(
            f"no phase of `{search.name}` pretrains, and {pretraining.written} is for one: leave out `--pretrain`"
        )
    for phase in phases.values():
        if phase.name in beside:
            continue
        if phase.pretrain is not None:
            if pretraining is None:
                notices.append(
                    f"the phase `{phase.name}` is left out, as no data were given to it (`--pretrain KIND:PATH`): the "
                    "next phase goes on from the weights of the supernet before it"
                )
                continue
            before = next((each.main for each in reversed(stages) if isinstance(each, Stage)), None)
            stage, more = _pretraining(request, search, loaded, programs, phase, before, data, pretraining)
            stages.append(stage)
            notices += more
            continue
        stages.append(
            Stage(
                phase,
                tuple(phases[name] for name in phase.beside),
                programs.get(phase.name, loaded.program),
                _length(phase, request, data),
            )
        )
    return tuple(stages), notices


def _pretraining(
    request: SearchRequest,
    search: Search,
    loaded: Loaded,
    programs: Mapping[str, Program],
    phase: Phase,
    before: Phase | None,
    data: Data,
    other: Data,
) -> tuple[Pretraining, list[str]]:
    """The stage of a phase that pretrains on other data, behind another one, and notices."""
    program = programs.get(phase.name) or programs.get("" if before is None else before.name) or loaded.program
    example = example_of(loaded, search, before, program, phase.name)
    recipe = Training(
        name=phase.name,
        space=program.name,
        parameters=(),
        of=program.name,
        duration=_duration(phase, request),
        loss=phase.loss.loss,
        weights=phase.weights,
        augment=cropped(phase.augment),
    )
    notices: list[str] = []
    if other.task == "classification":
        recipe, notices = of_whole_images(recipe)
    size, more = crop_size(None, phase.augment, other, TRAIN, multiple(of_program(program)))
    # A head of its own tells whole images apart; pixels are told apart by the network.
    classes = (data if other.task == "classification" else other).classes.count
    overrides = with_classes(loaded, request.overrides, classes)
    again, _ = searched(request.space, overrides=overrides, size=size)
    layouts = programs_of(request.space, search, overrides=overrides, size=size)
    trained = layouts.get(phase.name) or layouts.get("" if before is None else before.name) or again.program
    stage = Pretraining(
        main=phase,
        program=program,
        trained=trained,
        length=length_of(recipe, len(other.splits[TRAIN])),
        data=other,
        recipe=recipe,
        size=size,
        example=example,
    )
    what = f"`{part}` of `{program.name}`" if (part := part_in(phase)) else f"`{program.name}`"
    told = f"the phase `{phase.name}` trains {what} on {other.written}: {other.classes.count} classes, {more[0]}"
    return stage, [told, *notices]


def _asked(phase: Phase, request: SearchRequest) -> Phase:
    if request.batch is None:
        return phase
    return replace(phase, weights=replace(phase.weights, batch=request.batch))


def _length(phase: Phase, request: SearchRequest, data: Data) -> Length:
    duration = _duration(phase, request)
    images = len(data.splits[request.train_on])
    if phase.split is not None:
        parts = _parts(phase.split, data, request)
        assert parts.weights is not None
        images = len(parts.weights)
    return length(duration, phase.weights.batch, images)


def _duration(phase: Phase, request: SearchRequest) -> Duration:
    duration: Duration | None = phase.duration
    if request.iterations is not None:
        duration = Iterations(request.iterations)
    elif request.epochs is not None:
        duration = Epochs(request.epochs, duration.iterations if isinstance(duration, Epochs) else None)
    if duration is None:
        raise Refused(f"nothing says how long the phase `{phase.name}` is: write `epochs = 30` in it")
    return duration


def _parts(split: Split, data: Data, request: SearchRequest) -> Parts:
    weights, answers = split_indices(data.splits[request.train_on], split, request.seed)
    return Parts(tuple(weights), tuple(answers))


# Costs ------------------------------------------------------------------------------------------


def _tables(
    request: SearchRequest,
    search: Search,
    loaded: Loaded,
    overrides: Mapping[str, str],
    size: tuple[int, int],
) -> tuple[Mapping[Path, Table], Table | None, str, list[str]]:
    """The tables of objectives, the one that derived networks are priced by with its name, and notices."""
    program = loaded.program
    objectives = [phase.objective for phase in search.phases]
    picks = [phase.pick for phase in search.phases if phase.pick is not None]
    if request.cost is not None:
        given = read_table(request.cost)
        named = {term.cost.table.path for each in (*objectives, *picks) for term in costs_in(each) if term.cost.table}
        found = {path: given for path in named if path is not None}
        return found, *_whole(given, str(request.cost), program)
    try:
        found = tables_of([*objectives, *picks])
    except FileNotFoundError as error:
        raise Refused(
            f"`{error.filename}` is not there, the table of a cost that `{search.name}` searches under: fill one "
            f"(`{_filling(loaded, search, overrides, size)}`), and give it with `--cost TABLE`"
        ) from None
    one = next(iter(found.items())) if len(found) == 1 else None
    if one is None:
        return found, None, "", []
    return found, *_whole(one[1], str(one[0]), program)


def _filling(loaded: Loaded, search: Search, overrides: Mapping[str, str], size: tuple[int, int]) -> str:
    """The command that measures what the search needs."""
    names = dict.fromkeys([loaded.program.name, *(each.network for each in search.phases if each.network)])
    spaces = " ".join(f"{loaded.target.file}:{name}" for name in names)
    sets = "".join(f" --set {name}={value}" for name, value in space_parameters(search, overrides).items())
    image = Shape(loaded.program.image.shape.channels, *size)
    return f"archdsl cost fill {spaces}{sets} --input 1x{image} --runtime RUNTIME -o TABLE"


def _whole(table: Table, name: str, program: Program) -> tuple[Table | None, str, list[str]]:
    """The table, if it prices every network of the space as a whole."""
    try:
        missing = table.missing(rows_of_space(program))
    except TooManyRows:
        return None, name, []
    if not missing:
        return table, name, []
    return None, name, [f"`{name}` lacks rows of whole networks ({len(missing)}): derived ones get no latency"]
