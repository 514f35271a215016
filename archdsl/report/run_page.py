"""The page of one run: a search, a training, or a baseline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from archdsl import render
from archdsl.diff.amounts import short
from archdsl.pipeline import Loaded, NotLoaded, load
from archdsl.pipeline.logits import UnreadableLogits
from archdsl.report.candidates import candidates_html
from archdsl.report.charts import Chart
from archdsl.report.counts import counts, counts_tables, depth_chart
from archdsl.report.curves import Sheet, answer_charts, training_charts
from archdsl.report.film import Film, film
from archdsl.report.kept import Kept, stamps
from archdsl.report.learned import Learned, learned, shown_phases
from archdsl.report.markup import NOTHING, Html, element, joined, script_data
from archdsl.report.networks import Network, Prices, difference_html, network_html, open_html
from archdsl.report.page import Page, Section, Tile, charts_html, facts_html, folded
from archdsl.report.runs import Event, Run, mapping, number, phase_of, step_of
from archdsl.runs.errors import NoRun
from archdsl.runs.journal import JOURNAL
from archdsl.runs.record import RECORD
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.genotype import Request, found_by
from archdsl.search.derive.runs import Source

_REASONS: Final = (NoRun, NotDerived, NotLoaded, UnreadableLogits, OSError)
"""Why a part of a page is left out; the page says so in its place."""


def run_page(run: Run, cost: Path | None = None, kept: Kept | None = None) -> Page:
    """`cost` is a cost table, instead of the run's. Raises ToolMissing without Graphviz, TableUnreadable, OSError."""
    prices = Prices.of(run, cost)
    files = [*(file for steps in run.logits.values() for file in steps.values()), *run.genotypes.values()]
    key = (run.folder, cost, stamps([run.folder / RECORD, *files]))
    answers = (kept or Kept()).of(key, lambda: _answers(run, prices))
    notes = [*map(_stopped, run.of("stopped")), *filter(None, [prices.problem]), *answers.problems]
    sheet = Sheet.of(run)
    sections = [
        Section("Curves", charts_html(training_charts(run)), _about_curves(sheet)),
        Section("How sure the search is", charts_html([*answer_charts(run), *answers.changes])),
        Section("Film", answers.films, _ABOUT_FILM),
        Section("Counts", answers.counts, _ABOUT_COUNTS),
        Section("Candidates", candidates_html(run.of("candidate"))),
        Section("Networks", answers.networks, _about_networks(run, prices)),
        Section("What changed", answers.differences),
        Section("Record", _record(run)),
    ]
    return Page(run.name, _lead(run), [*_tiles(run), *answers.tiles], notes, sections)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a page shows of logits and genotypes, which takes its time and stays while these stay."""

    changes: Sequence[Chart]
    films: Html
    counts: Html
    networks: Html
    differences: Html
    tiles: Sequence[Tile]
    problems: Sequence[str]


def _answers(run: Run, prices: Prices) -> _Answers:
    phases: list[Learned] = []
    problems: list[str] = []
    for phase in shown_phases(run):
        try:
            phases.append(learned(run, phase))
        except _REASONS as reason:
            problems.append(f"what `{phase}` has learned is not shown: {reason}")
    found = _found(run, phases, prices)
    sheet = Sheet.of(run)
    networks = [*(open_html(*each) for each in found.open), *(_network(each, prices) for each in found.networks)]
    return _Answers(
        [each.changes(sheet) for each in phases],
        joined(map(_player, phases)),
        joined(map(_counts, phases)),
        joined(networks),
        _differences(run, phases, found.networks, prices),
        _network_tiles(found.networks[-1], prices) if found.networks else (),
        [*problems, *found.problems],
    )


# Heading ----------------------------------------------------------------------------------------


def _lead(run: Run) -> str:
    record = run.record
    what = {"train": "training", "search": "search"}.get(run.kind, run.kind)
    named = record.item or record.recipe.name or record.network
    journal = run.folder / JOURNAL
    size = "" if run.size is None else f" at {run.size[0]}x{run.size[1]}"
    parts = [f"{what} `{named}`" if named else what]
    if record.space is not None:
        parts[0] += f" of the space `{record.space}`"
    if record.data is not None:
        parts.append(f"on {record.data.kind}{size}")
    if record.seed is not None:
        parts.append(f"seed {record.seed}")
    if journal.is_file():
        parts.append(f"as of {datetime.fromtimestamp(journal.stat().st_mtime, UTC):%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts)


def _tiles(run: Run) -> list[Tile]:
    found = [_progress(run)] if run.events else []
    scored = list(run.of("score"))
    name, word = ("top-1", "top1") if scored and "top1" in scored[-1] else ("mean IoU", "miou")
    scores = [(score, step_of(each)) for each in scored if (score := number(each.get(word))) is not None]
    if scores:
        best, step = max(scores)
        found.append(Tile(name, f"{100 * scores[-1][0]:.2f} %", f"best {100 * best:.2f} % at step {step:,}"))
    for event in run.of("answers")[-1:]:
        for kind, value in mapping(event.get("entropy")).items():
            if (entropy := number(value)) is not None:
                found.append(Tile(f"entropy, {kind}", f"{entropy:.2f}", "1 is undecided, 0 is decided"))
    return found


def _network_tiles(last: Network, prices: Prices) -> list[Tile]:
    found = [Tile("params", short(last.figures.params), last.label), Tile("MACs", short(last.figures.macs), last.label)]
    if (priced := prices.estimate(last)) is not None:
        found.append(Tile("predicted latency", f"{1e3 * priced.seconds:,.3f} ms", prices.name))
    return found


def _progress(run: Run) -> Tile:
    last = run.events[-1]
    epoch = number(last.get("epoch"))
    about = ", ".join(
        [*([phase_of(last)] if phase_of(last) else []), *([f"epoch {epoch:g}"] if epoch is not None else [])]
    )
    what = "candidates" if run.of("candidate") else "step"
    if run.steps is None:
        return Tile(what, f"{run.step:,}", about)
    share = min(1.0, run.step / max(1, run.steps))
    return Tile(what, f"{run.step:,} of {run.steps:,}", about, share)


def _stopped(event: Event) -> str:
    return f"`{phase_of(event)}` stopped at step {step_of(event):,}: {event.get('why', 'no reason is written')}"


# Parts ------------------------------------------------------------------------------------------

_ABOUT_FILM: Final = (
    "The cells, or the grid, as the search would choose them. Lines are as wide as their most probable op is probable; "
    "the most probable are dark."
)
_ABOUT_COUNTS: Final = "How many questions have which answer as their most probable one, step by step."


def _about_curves(sheet: Sheet) -> str:
    marks = ", dotted lines are where phases begin" if sheet.marks else ""
    return f"Raw values are faint, smoothed ones bold{marks}."


def _player(learned: Learned) -> Html:
    """A film of each picture in which something changes; of a single step, each that shows what was learned."""
    sheet = render.Sheet(learned.loaded)
    films: list[Film] = []
    for cell in (None, *sheet.asking):
        pictures = [sheet.draw(cell=cell, chances=each) for each in learned.probabilities]
        made = film(cell or learned.loaded.program.name, pictures)
        still = len(pictures) == 1 and pictures[0] != sheet.draw(cell=cell, chances={})
        if made.moves or still:
            films.append(made)
    if not films:
        return NOTHING
    data = {"steps": learned.steps, "films": [each.frames for each in films]}
    last = len(learned.steps) - 1
    return element(
        "div",
        element("h3", f"phase {learned.phase}"),
        element(
            "div",
            element("button", "Play", type="button", class_="play"),
            element("input", type="range", min=0, max=last, value=last, aria_label="step"),
            element("output", f"step {learned.steps[-1]:,}"),
            class_="controls",
        ),
        element("div", *(element("button", each.name, type="button") for each in films), class_="tabs")
        if len(films) > 1
        else NOTHING,
        *(element("figure", each.svg, class_="pic") for each in films),
        element("script", script_data(data), type="application/json"),
        class_="player",
    )


def _counts(learned: Learned) -> Html:
    program = learned.loaded.program
    tables = counts_tables(counts(program, learned.steps, learned.probabilities))
    depth = depth_chart(program, learned.steps, learned.probabilities)
    charts = NOTHING if depth is None else charts_html([depth])
    return element("div", element("h3", f"phase {learned.phase}"), charts, tables) if tables or charts else NOTHING


def _about_networks(run: Run, prices: Prices) -> str:
    by = "MACs" if prices.table is None else f"latency by `{prices.name}`"
    at = "" if run.size is None else f", on an image of {run.size[0]}x{run.size[1]} as in the run"
    return f"Each box and op is coloured by its share of the {by}{at}."


def _network(found: Network, prices: Prices) -> Html:
    heading = element("h3", f"{found.label}: {found.name}, {found.counts()}")
    return element("div", heading, network_html(found, prices))


@dataclass(slots=True)
class _Found:
    """What a run has found: at the end of each phase, and so far of those that go on."""

    networks: list[Network] = field(default_factory=list[Network])
    open: list[tuple[str, Loaded]] = field(default_factory=list["tuple[str, Loaded]"])
    """Genotypes that leave questions open, each with what it is."""
    problems: list[str] = field(default_factory=list[str])


def _found(run: Run, phases: Sequence[Learned], prices: Prices) -> _Found:
    found = _Found()
    shown: set[str] = set()
    for phase, file in run.genotypes.items():
        label = f"phase {phase}" if phase else "found"
        try:
            loaded = load(str(file), size=run.size)
        except _REASONS as reason:
            found.problems.append(f"`{file}` is not shown: {reason}")
            continue
        shown.add(phase)
        if not loaded.closed:
            found.open.append((label, loaded))
        else:
            network = Network.of_loaded(label, loaded)
            if not any(network.equals(other) for other in found.networks):
                found.networks.append(network)
    for each in phases:
        if each.phase in shown:
            continue
        try:
            found.networks.append(_derived(run, each.sources[-1], prices))
        except _REASONS as reason:
            found.problems.append(f"no network is derived from the last step of `{each.phase}`: {reason}")
    if not run.logits and not run.genotypes:
        _add_trained(run, found)
    return found


def _derived(run: Run, source: Source, prices: Prices) -> Network:
    """Raises NotDerived, also where questions stay open."""
    assert source.step is not None
    request = Request(source, table=prices.table, table_name=prices.name)
    return Network.of_found(f"{source.step.phase}, step {source.step.step:,}", found_by(request), run.folder)


def _add_trained(run: Run, found: _Found) -> None:
    """The network of a training."""
    text, item = run.record.text, run.record.item
    if text is None:
        return
    target = str((run.folder / text).resolve()) + (f":{item}" if item else "")
    try:
        loaded = load(target, overrides=run.record.overrides, size=run.size)
    except _REASONS as reason:
        found.problems.append(f"the network is not shown: {reason}")
        return
    if loaded.program.hash != run.record.hash:
        found.problems.append(f"the network is not shown: `{text}` has changed since the run")
    elif loaded.closed:
        found.networks.append(Network.of_loaded("trained", loaded))


def _differences(run: Run, phases: Sequence[Learned], networks: Sequence[Network], prices: Prices) -> Html:
    """From each network to the next; and of the last phase from the last step at which another one was derived."""
    pairs = list(pairwise(networks))
    if phases and networks:
        before = _before(run, phases[-1], networks[-1], prices)
        pairs += [(before, networks[-1])] if before is not None else []
    return joined(difference_html(*pair) for pair in reversed(pairs))


def _before(run: Run, learned: Learned, last: Network, prices: Prices) -> Network | None:
    """What was derived last that is not the last network; None where it was so from the first step on."""
    for source in reversed(learned.sources[:-1]):
        try:
            found = _derived(run, source, prices)
        except _REASONS:
            return None  # the same holds of all steps, and the page says why
        if not found.equals(last):
            return found
    return None


def _record(run: Run) -> Html:
    stages = [
        (
            f"phase {stage.phase}",
            f"{stage.steps:,} steps" + (f", beside {', '.join(stage.beside)}" if stage.beside else ""),
        )
        for stage in run.stages
    ]
    written = json.dumps(run.values, indent=2, ensure_ascii=False)
    facts = [("folder", str(run.folder)), ("space hash", run.record.hash or ""), *stages]
    return element("div", facts_html(facts), folded(RECORD, element("pre", element("code", written))))
