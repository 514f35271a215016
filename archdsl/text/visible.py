r"""What may reach a screen: the one place that says which characters are shown as they are, and how others are spelled.

Spelled is what steers a terminal (control characters), what turns the direction of the text around it, and what
cannot be seen at all, such as a zero-width space: `\x1b`, `\u202e`, `\U000e0041`; and what has no encoding, for a byte
0xff of a file name that is no UTF-8 is U+DCFF. The joiners U+200C and U+200D stay, for Persian and the scripts of India
are not written without them.

A text that holds such a character is refused when it is read (`archdsl/syntax/load.py`), so what is printed of a text
is the text. Everything else, from file names to classes and tables, is spelled where it is printed: `say`, `note` and
`table` of `archdsl/cli/output.py`, and the formats of diagnostics.
"""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but the tab and the end of a line
    "\u00ad\u180e\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f"  # of no width
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # of direction
    "\u2028\u2029\ufff9-\ufffb"  # ends of lines and paragraphs, annotations
    "\ud800-\udfff"  # halves of characters, which stand for bytes that are no UTF-8
)
_IN_TEXTS: Final = re.compile(f"[{_HIDDEN}]")
_IN_LINES: Final = re.compile(f"[\t\n{_HIDDEN}]")
_HIDDEN_OR_RETURN: Final = re.compile(f"(?!\r\n)[{_HIDDEN}]")
_SHORT: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str) -> str:
    """`text` with all that cannot be seen spelled; tabs and ends of lines stay."""
    return text if text.isprintable() else _IN_TEXTS.sub(_spelled, text)


def visible_line(text: str) -> str:
    """`text` on one line: tabs and ends of lines are spelled too. For names: of files, classes, whatever was read."""
    return text if text.isprintable() else _IN_LINES.sub(_spelled, text)


def visible_json(text: str) -> str:
    r"""JSON that means the same, with all that cannot be seen as `\uXXXX`, which any program reads back."""
    return _IN_TEXTS.sub(_escaped, text)


def hidden(text: str) -> int | None:
    r"""Where the first character stands that `visible` would spell, `\r\n` taken as the end of a line; None without."""
    if text.isprintable():
        return None
    found = _HIDDEN_OR_RETURN.search(text)
    return None if found is None else found.start()


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _spelled(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
