"""Found networks: their texts, pictures and costs, and what differs between two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archdsl.cost import Figures, figures
from archdsl.cost.estimate import Estimate, MissingRows, estimate
from archdsl.cost.node_costs import Counted, counted, timed
from archdsl.cost.tables import Table, TableUnreadable, read_table
from archdsl.diff import as_text, diff, side
from archdsl.diff.amounts import short
from archdsl.ir import ClosedGraph, Graph, open_graph
from archdsl.pipeline import Loaded
from archdsl.render import Picture, difference_picture, draw
from archdsl.report.markup import NOTHING, Html, element
from archdsl.report.page import folded
from archdsl.report.runs import Run
from archdsl.report.svg import inline
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.genotype import Found, network
from archdsl.space import Program
from archdsl.space.trace import Answers


@dataclass(frozen=True)
class Network:
    """A network with its text."""

    label: str
    """What it is among others: `phase student`."""
    name: str
    program: Program
    answers: Answers
    graph: ClosedGraph
    text: str

    @classmethod
    def of_loaded(cls, label: str, loaded: Loaded) -> Network:
        """A genotype without open questions, or a space that has none."""
        return cls(label, loaded.name, loaded.program, loaded.meaning.answers, loaded.network(), loaded.source.text)

    @classmethod
    def of_found(cls, label: str, found: Found, folder: Path) -> Network:
        """A derived one. Raises NotDerived where it leaves questions open."""
        if found.derived.left_open:
            raise NotDerived(f"it leaves {len(found.derived.left_open)} questions open")
        program, name = found.plan.program, f"{found.plan.program.name}_derived"
        answers = found.derived.answers
        return cls(label, name, program, answers, network(program, found.derived), found.text(name, folder))

    @property
    def meaning(self) -> Network:
        """Itself: pictures ask it for its answers."""
        return self

    @property
    def closed(self) -> bool:
        return True

    def network(self) -> ClosedGraph:
        return self.graph

    def supernet(self) -> Graph:
        return open_graph(self.program)

    def equals(self, other: Network) -> bool:
        """Whether both answer the same questions of the same space alike."""
        return self.program.hash == other.program.hash and self.answers == other.answers

    @cached_property
    def figures(self) -> Figures:
        return figures(self.graph)

    def counts(self) -> str:
        """`3.42 M params, 27.8 G MACs`."""
        return f"{short(self.figures.params)} params, {short(self.figures.macs)} MACs"


@dataclass(frozen=True, slots=True)
class Prices:
    """The cost table of a run, if it has one that can be read."""

    table: Table | None = None
    name: str = ""
    problem: str = ""

    @classmethod
    def of(cls, run: Run, given: Path | None = None) -> Prices:
        """A table that is given; else the one that the record names, as seen from here or from the run.

        Raises TableUnreadable, OSError for a given one.
        """
        if given is not None:
            return cls.of_table(given)
        written = run.record.cost
        if written is None:
            return cls()
        places = [place for place in (Path(written), run.folder / written) if place.is_file()]
        if not places:
            return cls(
                name=written,
                problem=f"the cost table `{written}` is not there: latencies are left out (`--cost` names one)",
            )
        try:
            return cls(read_table(places[0]), written)
        except (OSError, TableUnreadable) as error:
            return cls(name=written, problem=f"latencies are left out: {error}")

    @classmethod
    def of_table(cls, file: Path) -> Prices:
        """Raises TableUnreadable, OSError."""
        return cls(read_table(file), str(file))

    def estimate(self, found: Network) -> Estimate | None:
        """None without a table, and where it lacks rows of the network."""
        if self.table is None:
            return None
        try:
            return estimate(found.graph, self.table)
        except MissingRows:
            return None


def network_html(found: Network, prices: Prices, *, unfolded: bool = True) -> Html:
    """Its text, its picture by costs and its costs by cell, `unfolded` or not."""
    priced = prices.estimate(found)
    costs = counted(found.figures, Counted.MACS) if priced is None else timed(priced)
    return element(
        "div",
        picture_html(draw(found, costs=costs), paper=True),
        folded("costs by cell", _costs(found, priced), open_=unfolded),
        text_html(f"text of {found.name}", found.text),
    )


def text_html(summary: str, text: str) -> Html:
    return folded(summary, element("pre", element("code", text)))


def open_html(label: str, loaded: Loaded) -> Html:
    """A genotype that leaves questions open, as one is that an earlier phase has found."""
    heading = element("h3", f"{label}: {loaded.name}, which leaves {loaded.open_count} questions open")
    text = text_html(f"text of {loaded.name}", loaded.source.text)
    return element("div", heading, text, folded("picture", picture_html(draw(loaded))))


def difference_html(before: Network, after: Network) -> Html:
    """What changes from one to the other, as text and as a picture."""
    found = diff(*(side(each.name, each.program, each.answers, each.graph, each.figures) for each in (before, after)))
    heading = element("h3", f"{before.label} → {after.label}")
    if not found:
        return element("div", heading, element("p", "nothing differs"))
    picture = folded("as a picture", picture_html(difference_picture(found), paper=True))
    return element("div", heading, element("pre", as_text(found)), picture)


def picture_html(picture: Picture, caption: str = "", *, paper: bool = False) -> Html:
    """On `paper` it keeps its colours in the dark: those of costs and of changes mean something."""
    above = element("figcaption", caption) if caption else NOTHING
    return element("figure", above, inline(picture), class_="pic paper" if paper else "pic")


def _costs(found: Network, priced: Estimate | None) -> Html:
    seconds = {} if priced is None else {share.name: share.seconds for share in priced.cells()}
    whole = found.figures.macs if priced is None else priced.seconds
    names = ["cell", "params", "MACs", "activations", *([] if priced is None else ["latency, ms"]), "share"]
    rows: list[Html] = []
    for cell in found.figures.cells():
        share = (cell.macs if priced is None else seconds.get(cell.name, 0.0)) / (whole or 1)
        amounts: list[float] = [cell.params, cell.macs, cell.activations]
        timed = [] if priced is None else [_amount(1e3 * seconds.get(cell.name, 0.0), "{:,.3f}")]
        cells = [*(_amount(each, "{:,.0f}") for each in amounts), *timed, _share(share)]
        rows.append(element("tr", element("td", cell.name), *cells))
    figures = found.figures
    total = [f"{each:,}" for each in (figures.params, figures.macs, figures.activations)]
    total += [] if priced is None else [f"{1e3 * priced.seconds:,.3f}"]
    foot = element("tr", element("th", found.name), *(element("td", each) for each in (*total, "")))
    table = element(
        "table",
        element("thead", element("tr", *(element("th", name) for name in names))),
        element("tbody", *rows),
        element("tfoot", foot),
        class_="sortable",
    )
    return element("div", table, class_="scroll")


def _amount(value: float, form: str) -> Html:
    return element("td", form.format(value), data_value=f"{value:.9g}")


def _share(share: float) -> Html:
    bar = element("svg", element("rect", width=90 * share, height=9), class_="bar", viewBox="0 0 90 9")
    return element("td", bar, f" {100 * share:.1f} %", data_value=f"{share:.6f}")
