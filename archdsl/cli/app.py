"""The commands by name; the module of a command is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

_SUMMARIES = {
    "check": "Find what is wrong in texts: syntax, names, shapes, questions, answers.",
    "fmt": "Bring texts into their one canonical form.",
    "explain": "Say what a code means, with a bad and a good example.",
    "show": "Show what the compiler understood: questions, answers, shapes, graph.",
    "stats": "Count parameters and multiply-adds by cell and branch; the size of a space.",
    "expand": "Write a network as explicit statements, with no space behind it.",
    "sample": "Draw genotypes of a space, each as likely as any other.",
    "draw": "Draw a cell, a grid or a network.",
    "diff": "Compare two architectures, with what each change costs.",
    "compile": "Compile a network to torch, ONNX or TensorRT.",
    "verify": "Compare compiled files with the torch network, cell by cell.",
    "doctor": "Say what is installed and what each part needs.",
}


class _Lazy(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUMMARIES:
            return None
        command: click.Command = import_module(f"archdsl.cli.commands.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Nothing to do is a mistake (a script may have lost its arguments), and whoever made it wants the help."""
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _SUMMARIES and not args[0].startswith("-"):
            raise click.UsageError(_unknown(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    if name.endswith(".arch") or name == "-":
        return f"`{name}` is a text and no command; write what to do with it, as in `archdsl check {name}`"
    near = get_close_matches(name.lower(), list(_SUMMARIES), 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{each}`' for each in _SUMMARIES)}"
    return f"there is no command `{name}`; {hint}"


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from archdsl import __version__

        click.echo(f"archdsl {__version__}")
        ctx.exit()


@click.group(cls=_Lazy, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and leave.",
)
def app() -> None:
    """A text language for neural-architecture search spaces and the networks found in them, and its compiler.

    FILE is a text, FILE:NAME one item in it, `-` standard input, git:REVISION:FILE a text as git has it. Results go to
    standard output, all else to standard error.

    Exit codes: 0 fine, 1 findings, 2 bad usage or an unreadable file, 3 a tool is missing or failed, 4 beyond the
    tolerance, 70 a bug of ours, 130 interrupted.
    """
