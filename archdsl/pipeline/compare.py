"""Two items compared, with what each change costs."""

from __future__ import annotations

from archdsl.cost import figures
from archdsl.diff import Difference, Side, diff, side
from archdsl.pipeline.load import Loaded


def compare(before: Loaded, after: Loaded) -> Difference:
    """What changes from one space or genotype to the other; false where nothing does."""
    return diff(_side(before), _side(after))


def _side(loaded: Loaded) -> Side:
    answers = loaded.meaning.answers
    if not loaded.closed:
        return side(loaded.name, loaded.program, answers, loaded.supernet())
    graph = loaded.network()
    return side(loaded.name, loaded.program, answers, graph, figures(graph))
