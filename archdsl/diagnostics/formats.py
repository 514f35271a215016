"""Machine-readable diagnostics: one line each, JSON, GitHub annotations, SARIF."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from archdsl.diagnostics.model import Diagnostic, Fix, Label, Severity
from archdsl.text import Span, visible, visible_json, visible_line

FORMAT_VERSION: Final = 1
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def concise(diagnostics: Iterable[Diagnostic]) -> str:
    """`file:line:col: error[E0502]: message`, one line each."""
    return "".join(f"{_place(d)}{d.severity}[{d.code}]: {_one_line(d.message)}\n" for d in diagnostics)


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One JSON object with `format_version` and `diagnostics`; lines, columns and ends count from 1."""
    body = {"format_version": FORMAT_VERSION, "diagnostics": [_object(d) for d in diagnostics]}
    return visible_json(json.dumps(body, indent=2, ensure_ascii=False)) + "\n"


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """GitHub Actions workflow commands, one line each."""
    return "".join(_annotation(d) for d in diagnostics)


def sarif(diagnostics: Sequence[Diagnostic], titles: Mapping[str, str], version: str = "") -> str:
    """A SARIF 2.1.0 log; `titles` gives the rule texts by code, `version` is the tool's."""
    found = sorted({d.code for d in diagnostics})
    rules: list[dict[str, Any]] = [{"id": c, "shortDescription": {"text": titles.get(c, c)}} for c in found]
    driver: dict[str, Any] = {"name": "archdsl", "rules": rules}
    if version:
        driver["version"] = version
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, found.index(d.code)) for d in diagnostics],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _file(diagnostic: Diagnostic) -> str:
    return diagnostic.primary.span.source.name if diagnostic.primary is not None else diagnostic.file


def _place(diagnostic: Diagnostic) -> str:
    if diagnostic.primary is None:
        return f"{visible_line(diagnostic.file)}: " if diagnostic.file else ""
    line, column = diagnostic.primary.span.position
    return f"{visible_line(_file(diagnostic))}:{line}:{column}: "


def _one_line(text: str) -> str:
    return visible_line(" ".join(text.splitlines()))


def _region(span: Span) -> dict[str, int]:
    line, column = span.position
    end_line, end_column = span.source.position(span.stop)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _object(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "file": _file(diagnostic) or None,
        "primary": None if diagnostic.primary is None else _label(diagnostic.primary),
        "secondary": [_label(label) for label in diagnostic.secondary],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "fix": None if diagnostic.fix is None else _fix(diagnostic.fix),
    }


def _label(label: Label) -> dict[str, Any]:
    return {"file": label.span.source.name, **_region(label.span), "text": label.text}


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{"file": e.span.source.name, **_region(e.span), "text": e.text} for e in fix.edits]
    return {"title": fix.title, "certain": fix.certain, "edits": edits}


def _annotation(diagnostic: Diagnostic) -> str:
    properties: list[str] = []
    if _file(diagnostic):
        properties.append(f"file={_escaped(_file(diagnostic), in_property=True)}")
    if diagnostic.primary is not None:
        region = _region(diagnostic.primary.span)
        properties += [f"line={region['line']}", f"endLine={region['end_line']}", f"col={region['column']}"]
        if region["end_line"] == region["line"]:
            properties.append(f"endColumn={region['end_column']}")
    properties.append(f"title={diagnostic.code}")
    text = diagnostic.message if diagnostic.help is None else f"{diagnostic.message}\nhelp: {diagnostic.help}"
    return f"::{diagnostic.severity} {','.join(properties)}::{_escaped(text)}\n"


def _escaped(text: str, *, in_property: bool = False) -> str:
    text = visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    message = diagnostic.message if diagnostic.help is None else f"{diagnostic.message}\nhelp: {diagnostic.help}"
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": "error" if diagnostic.severity is Severity.ERROR else "warning",
        "message": {"text": message},
    }
    if diagnostic.primary is not None:
        result["locations"] = [_location(diagnostic.primary.span)]
    elif diagnostic.file:
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": _uri(diagnostic.file)}}}]
    if diagnostic.secondary:
        result["relatedLocations"] = [
            {**_location(label.span), "message": {"text": label.text}} for label in diagnostic.secondary
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    region = _region(span)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(span.source.name)},
            "region": {
                "startLine": region["line"],
                "startColumn": region["column"],
                "endLine": region["end_line"],
                "endColumn": region["end_column"],
            },
        }
    }


def _uri(name: str) -> str:
    from urllib.parse import quote

    return quote(name.replace("\\", "/"), errors="surrogateescape")
