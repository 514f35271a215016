"""A genotype whose answers fit and whose hash is that of another version of its space. Found by `sema.driver`."""

from archdsl.lint.rule import Rule
from archdsl.sema.codes import OUTDATED_HASH

RULE = Rule(OUTDATED_HASH, "outdated-hash")
