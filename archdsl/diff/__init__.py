"""What differs between two networks or spaces, as edits on paths with what each costs. Knows nothing of pictures."""

from archdsl.diff.answer_diff import apply
from archdsl.diff.compare import diff, side
from archdsl.diff.data import as_data
from archdsl.diff.model import Change, Difference, Figures, Side
from archdsl.diff.text import as_text

__all__ = [
    "Change",
    "Difference",
    "Figures",
    "Side",
    "apply",
    "as_data",
    "as_text",
    "diff",
    "side",
]
