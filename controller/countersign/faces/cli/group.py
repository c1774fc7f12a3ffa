"""The command tree, with every command imported only when it is called.

``countersign --help`` answers in a blink: it reads the table below, not the modules,
which bring pydantic, sigstore or a Kubernetes client with them.
"""

from importlib import import_module

import click
from click.shell_completion import CompletionItem

# name -> module, attribute, and the first line of its help (a test compares the two)
COMMANDS = {
    "attest": (
        "countersign.faces.cli.attest",
        "Collect the provenance of a git range, and sign it.",
    ),
    "audit": (
        "countersign.faces.cli.audit",
        "Look at decisions, and at who signed what runs now.",
    ),
    "blame": (
        "countersign.faces.cli.blame",
        "Show the lines of a file with the assistants that had a hand in them.",
    ),
    "completion": (
        "countersign.faces.cli.completion",
        "Print the script that completes commands in a shell.",
    ),
    "explain": (
        "countersign.faces.cli.explain",
        "Say why, for every policy and all that it asks.",
    ),
    "gate": (
        "countersign.faces.cli.gate",
        "Give the verdict of admission in the formats of CI systems.",
    ),
    "hooks": (
        "countersign.faces.cli.hooks",
        "Have commits record which assistants had a hand in them.",
    ),
    "init": (
        "countersign.faces.cli.init",
        "Write a first trust root, roster and policy.",
    ),
    "inspect": (
        "countersign.faces.cli.inspect",
        "Tell what bundles say, and what of it is proven.",
    ),
    "keys": (
        "countersign.faces.cli.keys",
        "Make keys to sign with.",
    ),
    "operate": (
        "countersign.faces.cli.operate",
        "Run the operator and the recorder.",
    ),
    "policy": (
        "countersign.faces.cli.policy",
        "Check policies, and see what they would deny.",
    ),
    "probe": (
        "countersign.faces.cli.probe",
        "Send what must be denied, and see that it is.",
    ),
    "serve": (
        "countersign.faces.cli.serve",
        "Run the admission webhook.",
    ),
    "sign-off": (
        "countersign.faces.cli.sign_off",
        "Review a change as it would land, and sign it off.",
    ),
    "static-admission": (
        "countersign.faces.cli.static_admission",
        "Write admission files that an API server loads from its own disk.",
    ),
    "status": (
        "countersign.faces.cli.status",
        "Say how an installation is, and what needs attention.",
    ),
    "trust": (
        "countersign.faces.cli.trust",
        "Take over newer trust, as its Sigstore publishes it.",
    ),
    "verify": (
        "countersign.faces.cli.verify",
        "Give the verdict that admission would give.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports them on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, sorted."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command `cmd_name`; None if there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):  # pragma: no cover - a slip of ours
            raise TypeError(f"expected a command in {COMMANDS[cmd_name][0]}")
        return command

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the commands, and the group's own options, without importing any."""
        return [
            CompletionItem(name, help=COMMANDS[name][1])
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ] + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]
            )
