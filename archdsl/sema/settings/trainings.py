"""`train NAME of SPACE { … }`: typed and checked."""

from __future__ import annotations

from archdsl.sema.modules.load import Unit
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.calls import Block
from archdsl.sema.settings.settings_reader import Reader
from archdsl.sema.settings.space_names import SpaceNames
from archdsl.sema.settings.subject import Subject
from archdsl.settings.trainings import Training
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse


def read_training(
    item: ast.Train, subject: Subject, parameters: tuple[tuple[str, str], ...], file: Unit, reporter: Reporter
) -> Training | None:
    """The training that an item describes; None where something in it has been reported to be wrong."""
    block = Block.of(item.name, "training", item.body, reporter)
    settings = Reader(reporter, SpaceNames(subject, reporter, file, item.name.text)).block(Training, block)
    block.finish()
    if block.wrong:
        return None
    name, space = item.name.text, subject.program.name
    return Training(name=name, space=space, parameters=parameters, of=unparse(item.of), **settings)
