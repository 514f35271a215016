"""Whether the networks of a space give what data label: as many classes, of pixels or of whole images."""

from __future__ import annotations

from archdsl.data import Data
from archdsl.ir import vector_outputs_of_space
from archdsl.pipeline import Loaded
from archdsl.pipeline.classes import CLASSES
from archdsl.space import Result
from archdsl.train.errors import Refused


def check_outputs(loaded: Loaded, data: Data) -> None:
    """Raises Refused for an output, auxiliary ones aside, that does not fit."""
    program = loaded.program
    vectors = vector_outputs_of_space(program)
    for node in program.nodes:
        result = node.payload
        if not isinstance(result, Result) or result.auxiliary:
            continue
        if node.shape.channels != data.classes.count:
            raise Refused(
                f"`{program.name}` gives {node.shape.channels} classes, and {data.written} has {data.classes.count}: "
                f"write the number as a parameter `{CLASSES}` of the space, or give it with `--set`"
            )
        whole = result.name in vectors
        if whole != (data.task == "classification"):
            gives = "one answer for a whole image" if whole else "a map"
            has = "a class for each pixel" if data.task == "segmentation" else "whole images in classes"
            raise Refused(f"the output `{result.name}` of `{program.name}` is {gives}, and {data.written} has {has}")
