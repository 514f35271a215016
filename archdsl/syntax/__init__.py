"""From text to AST: lexer, parser, error recovery, unparse."""

from archdsl.syntax.build import MAX_DIGITS, digits_of
from archdsl.syntax.header import VERSION
from archdsl.syntax.load import MAX_BYTES, bytes_of, decode, read, rest_of
from archdsl.syntax.parser import Parsed, parse
from archdsl.syntax.tokens import Comment, Token

__all__ = [
    "MAX_BYTES",
    "MAX_DIGITS",
    "VERSION",
    "Comment",
    "Parsed",
    "Token",
    "bytes_of",
    "decode",
    "digits_of",
    "parse",
    "read",
    "rest_of",
]
