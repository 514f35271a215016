"""From text to AST: lexer, parser, error recovery, unparse."""

from archdsl.syntax.header import VERSION
from archdsl.syntax.load import bytes_of, decode, read
from archdsl.syntax.parser import Parsed, parse
from archdsl.syntax.tokens import Comment, Token

__all__ = ["VERSION", "Comment", "Parsed", "Token", "bytes_of", "decode", "parse", "read"]
