"""What Python users call. Every verb imports what it needs when it is called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from archdsl.extras import Extra, require, require_for
from archdsl.pipeline import Loaded, NotLoaded
from archdsl.pipeline import check as check_text
from archdsl.pipeline import load as load_item
from archdsl.text import visible_line

if TYPE_CHECKING:
    import os
    from fractions import Fraction

    from archdsl.backends import Compiled, Request
    from archdsl.backends import Refused as NotPossible
    from archdsl.diagnostics import Diagnostic
    from archdsl.diff import Difference
    from archdsl.ir import ClosedGraph, OpenGraph
    from archdsl.nets import Network
    from archdsl.nets.supernet import Supernet
    from archdsl.pipeline.stats import NetworkStats, SpaceStats
    from archdsl.pipeline.supernet_report import SupernetReport
    from archdsl.render import Format
    from archdsl.space import Program, Question, QuestionPath
    from archdsl.weights import Weights

    PathLike = str | os.PathLike[str]
    Overrides = Mapping[str, str | int | float | Fraction]


_T = TypeVar("_T")


class Refused(Exception):
    """A request that cannot be met; the text says why, and what to ask for instead."""


@dataclass(frozen=True, slots=True, repr=False)
class Architecture:
    """A space or a genotype, as `load` gives it. It does not change; a text that did is loaded again.

    A notebook shows its picture.
    """

    loaded: Loaded
    """What the compiler found, with the text and everything that it uses."""

    @property
    def name(self) -> str:
        return self.loaded.name

    @property
    def is_genotype(self) -> bool:
        """Whether it answers the questions of a space; else it is a space."""
        return self.loaded.is_genotype

    @property
    def is_closed(self) -> bool:
        """Whether it is one network: no question is open."""
        return self.loaded.closed

    @property
    def space(self) -> Program:
        """The space, laid out: its nodes, questions, branches and grids. That of a genotype is the one it answers."""
        return self.loaded.program

    @property
    def questions(self) -> Mapping[QuestionPath, Question]:
        """Every question of the space, by its path."""
        return self.loaded.program.questions

    @property
    def answers(self) -> Mapping[QuestionPath, tuple[str, ...]]:
        """The answers of a genotype, by the path of the question; a space has none."""
        return self.loaded.meaning.answers

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is allowed and seldom meant."""
        return self.loaded.diagnostics

    def stats(self) -> NetworkStats | SpaceStats:
        """Parameters and multiply-adds of a network, by cell and branch; of a space its questions and genotypes."""
        from archdsl.pipeline.stats import network_stats, space_stats

        return network_stats(self.loaded) if self.is_closed else space_stats(self.loaded)

    def network(self) -> ClosedGraph:
        """The graph of the network, auxiliary outputs included. Raises Refused where questions are open."""
        return closed_graph(self.loaded)

    def supernet(self) -> OpenGraph:
        """The graph of the space, its questions in it."""
        return self.loaded.supernet()

    def supernet_report(
        self, *, batch: int = 1, memory_bytes: int | None = None, keep_maps: bool = False
    ) -> SupernetReport:
        """The questions of its supernet, the steps that run it, and what a step on `batch` images takes.

        What a genotype answers is not mixed. With `memory_bytes` it says which cells compute their maps again so that a
        step takes no more; with `keep_maps` none does, whatever it takes. Raises Refused where no question is open,
        where that is too little or both are asked for; NotLoaded for what cannot be relaxed.
        """
        from archdsl.pipeline.supernet_report import supernet_report
        from archdsl.relax.checkpoints import NotEnoughMemory

        require_open(self.loaded)
        require_one(memory_bytes, keep_maps=keep_maps)
        try:
            return supernet_report(self.loaded, batch=batch, memory_bytes=memory_bytes, keep_maps=keep_maps)
        except NotEnoughMemory as error:
            raise Refused(str(error)) from None

    def svg(self, *, cell: str | None = None) -> str:
        """Its picture as SVG: a grid with its paths, else the network by its cells; or the one `cell` of that name.

        Raises NothingToDraw where there is no such cell, ToolMissing without the extra `draw`.
        """
        from archdsl.render import svg

        return svg(self.loaded, cell=cell)

    def draw(self, out: PathLike, *, cell: str | None = None) -> Path:
        """Write its picture to a file that ends in `.svg`, `.png`, `.pdf`, `.dot` or `.json`; see `svg`.

        Raises Refused for any other file, NothingToDraw, ToolMissing, OSError.
        """
        from archdsl.render import draw, render
        from archdsl.staging import write_atomic

        path = Path(out)
        write_atomic(path, render(draw(self.loaded, cell=cell), picture_format(path)))
        return path

    def diff(self, other: Architecture) -> Difference:
        """What changes from this one to the other, with what each change costs; false where nothing does."""
        from archdsl.pipeline.compare import compare

        return compare(self.loaded, other.loaded)

    def __repr__(self) -> str:
        what = f"genotype `{self.name}` of `{self.space.name}`" if self.is_genotype else f"space `{self.name}`"
        count = self.loaded.open_count
        left = {0: "a network", 1: "1 open question"}.get(count, f"{count:,} open questions")
        return f"<{what}: {left}>"

    def _repr_svg_(self) -> str:
        return self.svg()


def load(path: PathLike, *, overrides: Overrides | None = None, size: tuple[int, int] | None = None) -> Architecture:
    """A space or a genotype of a text: `file.arch:NAME`, or of `file.arch` the one that is meant.

    That is the one that is named like the file, else its only genotype, else its only space. `overrides` are
    parameters of the space, as numbers or as a command line gives them (`{"classes": 11}`), `size` is the image's
    height and width. Raises NotLoaded, which carries the diagnostics.
    """
    return Architecture(load_item(str(path), overrides=_texts(overrides), size=size))


def check(path: PathLike, *, overrides: Overrides | None = None) -> tuple[Diagnostic, ...]:
    """What is wrong with a text and all that it uses; empty where nothing is."""
    try:
        return check_text(str(path), overrides=_texts(overrides)).diagnostics
    except NotLoaded as unreadable:
        return unreadable.diagnostics


def format(text: str) -> str:
    """A text in canonical form. Raises ValueError where it has syntax mistakes."""
    from archdsl.fmt import format as canonical
    from archdsl.syntax import parse
    from archdsl.text import SourceFile

    return canonical(parse(SourceFile("<text>", text)))


def build(
    path: PathLike,
    *,
    weights: PathLike | None = None,
    seed: int = 0,
    auxiliary: bool = False,
    overrides: Overrides | None = None,
) -> Network:
    """The network of a genotype, or of a space without questions, as a torch module of torch's own layers.

    It is called on float images N x C x H x W of any size that divides and gives the logits. With `auxiliary` it has
    the heads that are only trained with, and `network.outputs(x)` gives all outputs by name. Without `weights`, a
    safetensors file or the folder of a run, it has the random ones that every target has for this `seed`.
    Raises NotLoaded, Refused where questions are open, WeightsMismatch, UnreadableWeights, NoRun, ToolMissing.
    """
    require(Extra.TORCH)
    from archdsl.nets import Network, load_weights

    graph = closed_graph(load_for(str(path), weights, overrides=_texts(overrides)))
    network = Network(graph, auxiliary=auxiliary)
    load_weights(network, tensors(graph, weights, seed).tensors)
    return network


def supernet(
    path: PathLike,
    *,
    weights: PathLike | None = None,
    seed: int = 0,
    kernel_transform: bool = False,
    memory_bytes: int | None = None,
    batch: int = 1,
    keep_maps: bool = False,
    overrides: Overrides | None = None,
    size: tuple[int, int] | None = None,
) -> Supernet:
    """The supernet of a space as a torch module: one set of weights for all its networks.

    It is called with images N x C x H x W and `archdsl.nets.supernet.Decisions`, which say how each question is
    answered or mixed. Of a genotype that leaves questions open it is the supernet of its space; its answers go into the
    decisions. Without `weights`, a safetensors file with the supernet's state, kernels are drawn by He's rule for this
    `seed`. `kernel_transform` gives chosen windows a matrix each on the way from larger ones (once-for-all).
    With `memory_bytes`, cells compute maps again in the backward pass where else a step on `batch` images of the text's
    size, or of `size`, would hold more. With `keep_maps` no layer is computed again: more memory and fewer kernels, for
    accelerators.
    Raises NotLoaded; Refused where no question is open, a step does not fit, or both are asked for; WeightsMismatch,
    UnreadableWeights, ToolMissing, OSError.
    """
    require(Extra.TORCH)
    from archdsl.nets.supernet import Supernet
    from archdsl.nets.supernet.initial import initialise, load_weights
    from archdsl.relax.checkpoints import Budget, NotEnoughMemory
    from archdsl.relax.lower import NotRelaxable
    from archdsl.relax.plan import keeping, planned

    loaded = load_item(str(path), overrides=_texts(overrides), size=size)
    require_open(loaded)
    require_one(memory_bytes, keep_maps=keep_maps)
    try:
        memory = None if memory_bytes is None else Budget(memory_bytes, batch)
        plan = keeping if keep_maps else planned
        made = Supernet(loaded.program, kernel_transform=kernel_transform, plan=plan, memory=memory)
    except NotEnoughMemory as error:
        raise Refused(str(error)) from None
    except NotRelaxable as found:
        raise NotLoaded([found.diagnostic(loaded.program)]) from None
    if weights is None:
        initialise(made, seed)
    else:
        load_weights(made, Path(weights))
    return made


def compare(one: PathLike, other: PathLike, *, overrides: Overrides | None = None) -> Difference:
    """What changes from one text to another, with what each change costs. Raises NotLoaded."""
    from archdsl.pipeline.compare import compare as compare_items

    one_item, other_item = (load_item(str(each), overrides=_texts(overrides)) for each in (one, other))
    return compare_items(one_item, other_item)


def compile(
    path: PathLike,
    target: str = "onnx",
    out: PathLike | None = None,
    *,
    size: tuple[int, int] | None = None,
    precision: str = "fp32",
    emit: str = "logits",
    weights: PathLike | None = None,
    seed: int = 0,
    verify: bool = False,
    overrides: Overrides | None = None,
) -> Compiled:
    """Compile a network to `torch`, `onnx`, `trt` or a target of an installed package.

    `size` is the image's height and width, `precision` is `fp32` or `fp16`, `emit` is `logits` or `labels`.
    The report that a command writes for `supernet` is data here: `load(path).supernet_report()`.
    Raises Refused for whatever else is asked for; NotLoaded, also where the target has no form for a primitive;
    WeightsMismatch, UnreadableWeights, NoRun, ToolMissing, TargetFailed, PluginFailed, OSError.
    """
    from archdsl.backends.registry import SUPERNET

    if target == SUPERNET:
        raise Refused(
            "a supernet is no network with files to run: `archdsl.load(path).supernet_report()` says what it is made "
            "of, `archdsl.supernet(path)` is the module"
        )
    require_for(f"compile --target {target}")
    if verify:
        require_for(f"compile --target {target} --verify")
    from archdsl.backends import compile_graph

    loaded = load_for(str(path), weights, overrides=_texts(overrides), size=size)
    place = None if out is None else Path(out)
    wanted = request(loaded, target, place, precision, emit, weights, seed, verify=verify, written=str(path))
    return _possible(compile_graph(wanted))


def load_for(
    path: str, weights: PathLike | None, *, overrides: Mapping[str, str], size: tuple[int, int] | None = None
) -> Loaded:
    """The item that a path names, with as many classes as its weights were trained for, where they say so.

    Raises NotLoaded, NoRun, Refused, UnreadableWeights, OSError.
    """
    loaded = load_item(path, overrides=overrides, size=size)
    if weights is None:
        return loaded
    from archdsl.pipeline.classes import fitted
    from archdsl.weights.description import describe

    return fitted(loaded, path, overrides, len(describe(weights_file(weights)).class_names), size)


def request(
    loaded: Loaded,
    target: str,
    out: Path | None,
    precision: str,
    emit: str,
    weights: PathLike | None,
    seed: int,
    *,
    verify: bool,
    written: str,
) -> Request:
    """A compile as back ends take it.

    Raises Refused for a target, precision or output that there is not, NotLoaded where the target has no form for a
    primitive, PluginFailed, WeightsMismatch, UnreadableWeights, NoRun, ToolMissing.
    """
    from archdsl.backends.expressible import inexpressible, no_form
    from archdsl.backends.manifest import FileWeights, RandomWeights, SourceFile
    from archdsl.backends.options import Emit, Precision, find_option
    from archdsl.backends.protocol import Described, Request
    from archdsl.backends.registry import find_target
    from archdsl.weights.description import Description, describe

    backend = _possible(find_target(target))
    chosen_precision = _possible(find_option(Precision, "precision", precision))
    chosen_emit = _possible(find_option(Emit, "output", emit))
    graph = closed_graph(loaded)
    if missing := inexpressible(graph, backend):
        raise NotLoaded([no_form(loaded.program, backend, name) for name in missing])
    place = None if weights is None else weights_file(weights)
    trained = Description() if place is None else describe(place)
    sources = tuple(
        SourceFile(path=visible_line(source.name), sha256=hashlib.sha256(source.text.encode()).hexdigest())
        for source in loaded.sources
    )
    described = Described(
        text=visible_line(written),
        space=loaded.program.name,
        hash=loaded.program.hash,
        sources=sources,
        parameters={name: value for name, value in loaded.program.parameters if isinstance(value, int | str)},
        class_names=trained.class_names,
        mean=trained.mean,
        std=trained.std,
        padding_multiple=loaded.padding_multiple,
    )
    origin = (
        RandomWeights(seed=seed)
        if place is None
        else FileWeights(path=visible_line(str(place)), sha256=hashlib.sha256(place.read_bytes()).hexdigest())
    )
    found = tensors(graph, place, seed)
    return Request(
        graph=graph,
        weights=found.tensors,
        weights_source=origin,
        target=backend.name,
        out=out,
        described=described,
        precision=chosen_precision,
        emit=chosen_emit,
        notices=found.notices,
        verify=verify,
    )


def _possible(found: _T | NotPossible) -> _T:
    """Raises Refused for what a back end cannot do."""
    from archdsl.backends.options import Refused as NotPossible

    if isinstance(found, NotPossible):
        raise Refused(f"{found.message}: {found.help}" if found.help else found.message)
    return found


def picture_format(path: Path) -> Format:
    """The format of a picture that a file's suffix says. Raises Refused."""
    from archdsl.render import FORMATS

    found: Format | None = next((each for each in FORMATS if path.suffix == f".{each}"), None)
    if found is None:
        raise Refused(f"`{path}` is no picture: write a file that ends in {', '.join(f'.{each}' for each in FORMATS)}")
    return found


def closed_graph(loaded: Loaded) -> ClosedGraph:
    """The network's graph. Raises Refused where questions are open."""
    if not loaded.closed:
        kind = "genotype" if loaded.is_genotype else "space"
        count = loaded.open_count
        questions = "one question" if count == 1 else f"{count} questions"
        raise Refused(
            f"`{loaded.name}` is a {kind} that still asks {questions}: answer them in a genotype, and name that"
        )
    return loaded.network()


def require_one(memory_bytes: int | None, *, keep_maps: bool) -> None:
    """Raises Refused for a budget of memory where every map is to be kept."""
    if keep_maps and memory_bytes is not None:
        raise Refused("a supernet computes maps again to fit in a budget, or keeps all of them: ask for one of the two")


def require_open(loaded: Loaded) -> None:
    """Raises Refused for a network, which has no question that a supernet could mix."""
    if loaded.open_count:
        return
    if loaded.is_genotype:
        raise Refused(
            f"`{loaded.name}` is one network and leaves no question open: name its space, `{loaded.program.name}`, "
            "or build the network itself"
        )
    raise Refused(f"`{loaded.name}` asks no question, so it is one network: build that, or ask something in it")


def tensors(graph: ClosedGraph, weights: PathLike | None, seed: int) -> Weights:
    """The weights of a file or of a run's folder, or the random ones of a seed.

    Raises WeightsMismatch, UnreadableWeights, BrokenWeights, NoRun, OSError.
    """
    from archdsl.weights import Weights, random_weights
    from archdsl.weights import load as load_tensors

    return Weights(random_weights(graph, seed)) if weights is None else load_tensors(weights_file(weights), graph)


def weights_file(weights: PathLike) -> Path:
    """The weights that a path stands for: a file, or the best ones in the folder of a run. Raises NoRun, Refused."""
    place = Path(weights)
    if not place.is_dir():
        return place
    from archdsl.train.inference import weights_of_run

    return weights_of_run(place)


def _texts(overrides: Overrides | None) -> dict[str, str]:
    """Parameters as a command line gives them."""
    return {
        name: ("yes" if value else "no") if isinstance(value, bool) else str(value)
        for name, value in (overrides or {}).items()
    }


__all__: Sequence[str] = [
    "Architecture",
    "Refused",
    "build",
    "check",
    "compare",
    "compile",
    "format",
    "load",
    "supernet",
]
