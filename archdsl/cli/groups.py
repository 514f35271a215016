"""Groups of commands."""

from __future__ import annotations

import click

from archdsl.cli.output import note


class Group(click.Group):
    """A group that shows its help when called without a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Nothing to do is a mistake (a script may have lost its arguments), and whoever made it wants the help."""
        if not args:
            note(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise click.UsageError(self.unknown(ctx, args[0]), ctx)
        return super().resolve_command(ctx, args)

    def unknown(self, ctx: click.Context, name: str) -> str:
        """The message for an unknown command."""
        from difflib import get_close_matches

        known = [each for each in self.list_commands(ctx) if not self._hidden(ctx, each)]
        near = get_close_matches(name.lower(), known, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{each}`' for each in known)}"
        return f"there is no command `{name}`; {hint}"

    def _hidden(self, ctx: click.Context, name: str) -> bool:
        command = self.commands.get(name)
        return command is not None and command.hidden
