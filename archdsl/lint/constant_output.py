"""A network with an output that is the same for every image. Found by `sema.genotype`."""

from archdsl.lint.rule import Rule
from archdsl.sema.codes import CONSTANT_OUTPUT

RULE = Rule(CONSTANT_OUTPUT, "constant-output")
