"""A comment that begins with `# archdsl:` and is none that archdsl knows. Found by `allow.malformed`."""

from archdsl.lint import codes
from archdsl.lint.rule import Rule

RULE = Rule(codes.MALFORMED_COMMENT, "malformed-comment")
