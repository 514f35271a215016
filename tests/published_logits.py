"""FasterSeg's logits as its authors publish them (TAMU-VITA/FasterSeg at b52d3aa): `tests/data/fasterseg_logits.json`.

Layers count from 0 there, and scales 0 to 2 are 1/8 to 1/32.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from archdsl.pipeline.logits import Logits
from archdsl.space import Program, QuestionKind, QuestionPath

PUBLISHED: Final = Path(__file__).parent / "data" / "fasterseg_logits.json"


def published_logits(who: str, program: Program) -> Logits:
    """Those of the `student` or the `teacher` by the questions of the text; the teacher has no choice of a width."""
    published: dict[str, list[list[float]]] = json.loads(PUBLISHED.read_text(encoding="utf-8"))[who]
    found: dict[QuestionPath, tuple[float, ...]] = {}
    for path, question in program.questions.items():
        if not path.scope:
            continue
        layer, scale = path.scope[-1].indices[0] - 1, {8: 0, 16: 1, 32: 2}[path.scope[-1].indices[1]]
        if question.kind is QuestionKind.OPERATOR:
            found[path] = tuple(published[f"alpha_{scale}"][layer - scale])
        elif question.kind is QuestionKind.SOURCE and len(question.answers) > 1:
            finer, same = published[f"beta_{scale}"][layer - scale - 1]
            found[path] = tuple(finer if answer.endswith(".down") else same for answer in question.answers)
        elif question.kind is QuestionKind.WIDTH and layer > 0 and who == "student":
            found[path] = tuple(published[f"ratio_{scale}"][layer - max(scale, 1)])
    return found
