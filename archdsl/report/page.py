"""A page: one HTML file that needs no network and may use none."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from archdsl.report.charts import Chart, chart_svg
from archdsl.report.markup import NOTHING, Html, element


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    body: Html
    about: str = ""
    """What is seen here, in a sentence."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that matters."""

    what: str
    value: str
    about: str = ""
    share: float | None = None
    """Of a progress, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    lead: str
    tiles: Sequence[Tile]
    notes: Sequence[str]
    """What a reader must know before anything else."""
    sections: Sequence[Section]


def page_html(page: Page, *, live: bool = False) -> str:
    """The file. A page that is `live` may reach the server it came from, any other page nothing."""
    shown = [section for section in page.sections if section.body]
    style, script = (Html(_resource(name)) for name in ("style.css", "page.js"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    policy += "; form-action 'none'" + ("; connect-src 'self'" if live else "")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{page.title} - archdsl"),
        element("style", style),
    )
    links = [element("a", section.name, href=f"#{_anchor(section)}") for section in shown]
    state = [element("span", "live", id="live"), " · "] if live else []
    body = element(
        "body",
        element("header", element("h1", page.title), element("p", page.lead, class_="lead"), class_="top"),
        element("nav", element("div", *links), aria_label="Sections"),
        element(
            "main",
            *(element("p", note, class_="note") for note in page.notes),
            element("div", *map(_tile, page.tiles), class_="tiles") if page.tiles else NOTHING,
            *map(_section, shown),
        ),
        element("footer", *state, "made by archdsl"),
        element("script", script),
        data_live="yes" if live else None,
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def charts_html(charts: Sequence[Chart]) -> Html:
    """Charts side by side, as many as fit; those without values are left out."""
    drawn = [(chart, svg) for chart in charts if (svg := chart_svg(chart))]
    figures = [
        element(
            "figure",
            element("figcaption", chart.title, element("span", chart.unit, class_="unit")),
            svg,
            element("div", class_="read"),
            class_="card",
        )
        for chart, svg in drawn
    ]
    return element("div", *figures, class_="charts") if figures else NOTHING


def facts_html(facts: Sequence[tuple[str, str]]) -> Html:
    pairs = [element("dt", name) + element("dd", value) for name, value in facts]
    return element("dl", *map(Html, pairs), class_="facts")


def folded(summary: str, *inside: str, open_: bool = False) -> Html:
    return element("details", element("summary", summary), *inside, open="" if open_ else None)


def _section(section: Section) -> Html:
    about = element("p", section.about, class_="about") if section.about else NOTHING
    return element("section", element("h2", section.name), about, section.body, id=_anchor(section))


def _tile(tile: Tile) -> Html:
    bar = NOTHING if tile.share is None else element("progress", value=f"{tile.share:.4f}", max="1")
    about = element("small", tile.about) if tile.about else NOTHING
    return element("div", element("span", tile.what), element("b", tile.value), bar, about, class_="tile")


def _anchor(section: Section) -> str:
    return "-".join(section.name.lower().split())


@cache
def _resource(name: str) -> str:
    return files("archdsl.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
