"""A comment or a setting that names no rule."""

from archdsl.lint import codes
from archdsl.lint.rule import Rule

RULE = Rule(codes.UNKNOWN_RULE, "unknown-rule")
