"""A comment that allows a warning which is not there. Found by `levels.reported`."""

from archdsl.lint import codes
from archdsl.lint.rule import Rule

RULE = Rule(codes.UNUSED_ALLOW, "unused-allow")
