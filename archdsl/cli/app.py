"""The commands by name; the module of a command is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from archdsl.cli.groups import Group

_SUMMARIES = {
    "check": "Check texts: syntax, names, shapes, questions, answers.",
    "fmt": "Format texts in their canonical form.",
    "explain": "Explain a diagnostic code, with a bad and a good example.",
    "show": "Show what the compiler understood: questions, answers, shapes, graph.",
    "stats": "Count parameters and multiply-adds by cell and branch; the size of a space.",
    "expand": "Write a network as explicit statements, without its space.",
    "sample": "Sample genotypes of a space uniformly.",
    "draw": "Draw a cell, a grid or a network.",
    "diff": "Compare two architectures, with what each change costs.",
    "cost": "Show cost tables, check them against texts, list rows to measure.",
    "search": "Search a space, and derive a genotype.",
    "derive": "Derive a genotype from the logits of a search.",
    "sweep": "Run searches or trainings for values of parameters and seeds, and compare them.",
    "baseline": "Search a space by random search, evolution or local search.",
    "rank": "Compare a supernet's order of networks with theirs when trained alone.",
    "report": "Write one page about a search, a training or a sweep.",
    "view": "Show that page in a browser while the run goes on.",
    "compile": "Compile a network to torch, ONNX or TensorRT.",
    "verify": "Compare compiled files with the torch network, cell by cell.",
    "data": "Check datasets before training, and draw examples.",
    "new": "Start a space, a genotype or an op from a small valid text.",
    "import": "Write a genotype or network of another program as a text.",
    "export": "Write a genotype as DARTS or NAS-Bench-201 do.",
    "weights": "Make a checkpoint of another program fit a network.",
    "git": "Set up git to compare and merge texts by meaning.",
    "train": "Train a network on labelled images.",
    "eval": "Evaluate a network on labelled images, class by class.",
    "predict": "Predict the classes of images, and draw them.",
    "bench": "Time compiled files.",
    "doctor": "Show what is installed and what each command needs.",
}

_MODULES = {"import": "importing"}
"""Of commands that no module can be named after."""


class _Lazy(Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUMMARIES:
            return None
        command: click.Command = import_module(f"archdsl.cli.commands.{_MODULES.get(cmd_name, cmd_name)}").command
        return command

    def unknown(self, ctx: click.Context, name: str) -> str:
        if name.endswith(".arch") or name == "-":
            return f"`{name}` is a text and no command; write what to do with it, as in `archdsl check {name}`"
        return super().unknown(ctx, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from archdsl import __version__
        from archdsl.cli.output import say

        say(f"archdsl {__version__}")
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

    FILE is a text, FILE:NAME one item in it, `-` standard input, git:REVISION:FILE a text as git has it. FILE alone
    means the item that is named like the file, else its only genotype, else its only space. Results go to standard
    output, all else to standard error.

    Exit codes: 0 fine, 1 findings, 2 bad usage or an unreadable file, 3 a tool is missing or failed, 4 beyond the
    tolerance, 70 an internal error, 130 interrupted.
    """
