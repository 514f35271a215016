"""What becomes of warnings: comments and settings of a project allow and deny them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.diagnostics import Severity, page, show, titles
from archdsl.lint import RULES
from archdsl.session import Buffers, Checked, Session, Text
from archdsl.text import SourceFile

NET = """archdsl 1

op spare(c) = conv(c) -> bn

space net() {
  in image: 3x32x64
  extra = image -> conv(8)
  out logits = image -> conv(8)
}
"""
TROUBLED = NET.replace("conv(8)\n}", "convv(8)\n}")


def checked(text: str, settings: str = "") -> Checked:
    folder = Path.cwd().resolve() / "project"
    path = folder / "net.arch"
    files = Buffers({folder / "pyproject.toml": settings} if settings else {})
    return Session().check(Text(SourceFile("net.arch", text), path, files))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)


def codes(found: Checked) -> list[str]:
    return [each.code for each in found.diagnostics]


def lines(*added: tuple[int, str]) -> str:
    """The text with something written behind some of its lines, numbered from 1."""
    written: list[str] = [*NET.splitlines()]
    for number, text in added:
        written[number - 1] += text
    return "\n".join(written) + "\n"


def above(number: int, text: str) -> str:
    written = NET.splitlines()
    return "\n".join([*written[: number - 1], text, *written[number - 1 :]]) + "\n"


def test_the_text_has_two_warnings() -> None:
    assert codes(checked(NET)) == ["W0203", "W0208"]


@pytest.mark.parametrize(
    "text",
    [
        lines((3, "  # archdsl: allow(W0203)")),
        lines((3, "  # archdsl: allow(unused-op)")),
        lines((3, "  #archdsl:allow( W0203 ): a reason, with (brackets)")),
        lines((3, "  # archdsl: allow(W0203, unused-op) said twice")),
        above(3, "# archdsl: allow(W0203)"),
        above(3, "# archdsl: allow(W0203)\n# with a reason below it\n"),
    ],
)
def test_a_comment_allows_a_warning_on_its_line_or_the_next(text: str) -> None:
    assert codes(checked(text)) == ["W0208"]


@pytest.mark.parametrize(
    "text",
    [
        lines((5, "  # archdsl: allow(W0203)")),
        lines((2, "# archdsl: allow(W0208)")),
        lines((9, "\n# archdsl: allow(W0203)")),
        above(5, "# archdsl: allow(W0203)"),
    ],
)
def test_a_comment_elsewhere_allows_nothing_and_that_is_said(text: str) -> None:
    assert sorted(codes(checked(text))) == ["W0001", "W0203", "W0208"]


def test_one_comment_allows_several_warnings() -> None:
    text = NET.replace(
        "op spare(c) = conv(c) -> bn", "op spare(c, d = 1) = conv(c) -> bn  # archdsl: allow(W0203, W0206)"
    )
    assert codes(checked(text)) == ["W0208"]


def test_errors_cannot_be_allowed() -> None:
    text = TROUBLED.replace("convv(8)", "convv(8)  # archdsl: allow(E0302)")
    assert codes(checked(text)) == ["E0302", "W0002"]


def test_a_text_with_errors_is_not_asked_for_comments_without_effect() -> None:
    assert codes(checked(TROUBLED.replace("-> bn", "-> bn  # archdsl: allow(W0203)"))) == ["E0302"]


def test_unknown_names_have_a_suggestion() -> None:
    found = checked(lines((3, "  # archdsl: allow(unused-opp)"))).diagnostics
    assert [(each.code, each.help) for each in found[1:2]] == [("W0002", "did you mean `unused-op`?")]
    found = checked(lines((3, "  # archdsl: allow(w0203)"))).diagnostics
    assert ("W0002", "did you mean `W0203`?") in [(each.code, each.help) for each in found]


@pytest.mark.parametrize("comment", ["# archdsl: ignore", "# archdsl: allow", "# archdsl: allow()", "# archdsl:"])
def test_comments_that_mean_nothing_are_said(comment: str) -> None:
    assert codes(checked(above(3, comment))) == ["W0003", "W0203", "W0208"]


@pytest.mark.parametrize("name", ["W0203", "unused-op"])
def test_a_project_allows_and_denies_by_code_and_by_name(name: str) -> None:
    assert codes(checked(NET, f'[tool.archdsl.lint]\n{name} = "allow"\n')) == ["W0208"]
    warned = checked(NET, f'[tool.archdsl.lint]\n{name} = "warn"\n')
    assert codes(warned) == ["W0203", "W0208"] and not warned.failed
    denied = checked(NET, f'[tool.archdsl.lint]\n{name} = "deny"\n')
    assert [each.severity for each in denied.diagnostics] == [Severity.ERROR, Severity.WARNING]
    assert denied.failed


def test_a_comment_counts_whatever_the_level() -> None:
    text = lines((3, "  # archdsl: allow(W0203)"))
    for level in ("allow", "warn", "deny"):
        assert codes(checked(text, f'[tool.archdsl.lint]\nW0203 = "{level}"\n')) == ["W0208"]


def test_warnings_about_comments_have_levels_too() -> None:
    text = lines((5, "  # archdsl: allow(W0203)"))
    assert codes(checked(text, '[tool.archdsl.lint]\nunused-allow = "allow"\n')) == ["W0203", "W0208"]


@pytest.mark.parametrize(
    ("settings", "code", "place", "help"),
    [
        ('[tool.archdsl.lint]\nW0298 = "warn"\n', "W0002", "W0298", "did you mean `W0208`?"),
        ('[tool.archdsl.lint]\nunused-opp = "warn"\n', "W0002", "unused-opp", "did you mean `unused-op`?"),
        ('[tool.archdsl.lint]\nW0203 = "never"\n', "E0030", "W0203", 'write `"allow"`, `"warn"` or `"deny"`'),
        ("[tool.archdsl.lint]\nW0203 = 3\n", "E0030", "W0203", 'write `"allow"`, `"warn"` or `"deny"`'),
        ("[tool.archdsl]\nlint = 3\n", "E0030", "lint", "write `[tool.archdsl.lint]`"),
        ("[tool.archdsl]\nlints = 3\n", "E0030", "lints", "known here: `lint`"),
    ],
)
def test_wrong_settings_are_reported_where_they_stand(settings: str, code: str, place: str, help: str) -> None:
    found = [each for each in checked(NET, settings).diagnostics if each.code == code]
    assert [each.help for each in found] == [help]
    assert found[0].primary is not None
    assert (found[0].primary.span.source.name.endswith("pyproject.toml"), found[0].primary.span.text) == (True, place)


def test_a_file_that_is_no_toml_is_reported_where_it_speaks_of_archdsl() -> None:
    assert codes(checked(NET, "[tool.archdsl.lint\n")) == ["E0030", "W0203", "W0208"]
    assert codes(checked(NET, "[tool.other\n")) == ["W0203", "W0208"]


@pytest.mark.parametrize(
    "settings",
    [
        '[tool.archdsl.lint]\nW0203 = "allow"\n',
        '[ tool . archdsl ]\nlint.W0203 = "allow"\n',
        """["tool".'archdsl'.lint]\nW0203 = "allow"\n""",
        '[tool]\narchdsl.lint.W0203 = "allow"\n',
        '["tool" ]\n"archdsl" = { lint = { W0203 = "allow" } }\n',
        'tool.archdsl.lint.W0203 = "allow"\n',
        'tool = { archdsl.lint.W0203 = "allow" }\n',
    ],
)
def test_settings_are_read_in_every_spelling(settings: str) -> None:
    assert codes(checked(NET, settings)) == ["W0208"]


def test_settings_change_without_a_check() -> None:
    session, path = Session(), Path.cwd() / "project" / "net.arch"
    text = Text(SourceFile("net.arch", NET), path)
    assert codes(session.check(text)) == ["W0203", "W0208"]
    path.with_name("pyproject.toml").write_text('[tool.archdsl.lint]\nW0208 = "allow"\n', encoding="utf-8")
    assert codes(session.check(text)) == ["W0203"]
    assert session.statistics.checks == 1


def test_every_form_carries_the_severity() -> None:
    found = checked(NET, '[tool.archdsl.lint]\nW0203 = "deny"\n').diagnostics
    assert "error[W0203]" in show(found, "full") and "warning[W0208]" in show(found, "full")
    assert "error[W0203]" in show(found, "concise") and "warning[W0208]" in show(found, "concise")
    assert [each["severity"] for each in json.loads(show(found, "json"))["diagnostics"]] == ["error", "warning"]
    assert [line.split()[0] for line in show(found, "github").splitlines()] == ["::error", "::warning"]
    (run,) = json.loads(show(found, "sarif"))["runs"]
    assert [each["level"] for each in run["results"]] == ["error", "warning"]


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--deny", "warnings"), 1)])
def test_the_command_fails_for_warnings_only_where_they_are_denied(arguments: tuple[str, ...], code: int) -> None:
    Path("net.arch").write_text(NET, encoding="utf-8")
    command = [sys.executable, "-m", "archdsl", "check", "net.arch", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == code, done.stderr
    assert "warning[W0203]" in done.stdout


def test_rules_have_names_of_their_own_and_pages() -> None:
    assert len({name for rule in RULES for name in (rule.code, rule.name)}) == 2 * len(RULES)
    assert [rule.code for rule in RULES] == sorted(rule.code for rule in RULES)
    assert {rule.code for rule in RULES} == {code for code in titles() if code.startswith("W")}
    assert all(page(rule.code) for rule in RULES)
