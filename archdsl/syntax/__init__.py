"""From text to syntax tree: the grammar, the tree, and what is said about syntax mistakes."""

from archdsl.syntax.header import VERSION
from archdsl.syntax.load import bytes_of, decode, read
from archdsl.syntax.parser import Parsed, parse
from archdsl.syntax.tokens import Comment, Token

__all__ = ["VERSION", "Comment", "Parsed", "Token", "bytes_of", "decode", "parse", "read"]
