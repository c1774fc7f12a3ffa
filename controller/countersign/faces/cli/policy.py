"""``countersign policy``: whether policies are valid, and what they would deny."""

import json
from collections.abc import Sequence

import click

from countersign.core.errors import Malformed
from countersign.core.presets import PRESETS, Preset
from countersign.core.types.artifacts import Tree
from countersign.faces.cli import options
from countersign.faces.cli.policy_impact import impact
from countersign.faces.cli.session import Command, Exit, Session
from countersign.report.phrases import listed
from countersign.report.table import table


@click.group("policy")
def command() -> None:
    """Check policies, and see what they would deny.

    \b
    Example:
      countersign policy check -f policies/
      countersign policy impact -f policies/payments.yaml --cluster prod-eu
      countersign policy presets
    """  # noqa: D301 - click's mark for "do not wrap"


command.add_command(impact)


@command.command("check", cls=Command)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    required=True,
    help="File, folder, pattern or - with our objects. Repeatable.",
)
@options.output
@click.pass_obj
def check(session: Session, *, files: Sequence[str], output: str) -> int:
    """Say whether policies, rosters, trust roots and revocations are valid.

    They are read together, as the webhook reads them: a policy whose roster or trust
    root is not among them is invalid. An invalid one denies what it would have matched,
    and this exits with 10.

    \b
    Example:
      countersign policy check -f policies/
    """  # noqa: D301 - click's mark for "do not wrap"
    del session
    # pydantic, which --help does not need
    from countersign.faces.cli.policy_inputs import (  # noqa: PLC0415
        books_of,
        read_objects,
    )

    trees = read_objects(files)
    books = books_of(trees)
    wrong = {(one.kind, one.name): one.problems for one in books.problems}
    told = [
        {"kind": kind, "name": name, "problems": list(wrong.get((kind, name), ()))}
        for kind, name in sorted((str(t["kind"]), _name(t)) for t in trees)
    ]
    if output == "json":
        click.echo(json.dumps(told, indent=2))
    else:
        for one in told:
            problems = one["problems"]
            click.echo(f"{one['kind']}/{one['name']}: {'' if problems else 'valid'}")
            for text in problems:
                click.echo(f"  {text}")
    return Exit.DENIED if wrong else Exit.DONE


@command.command("presets", cls=Command)
@options.output
@click.pass_obj
def presets(session: Session, *, output: str) -> int:
    """List the presets that a policy may start from, and what they ask.

    They are our encoding: no standard prescribes a number of signatures for code that
    an assistant wrote. Every field of a policy overrides its preset.

    \b
    Example:
      countersign policy presets
    """  # noqa: D301 - click's mark for "do not wrap"
    del session
    if output == "json":
        told = {name: _preset(preset) for name, preset in PRESETS.items()}
        click.echo(json.dumps(told, indent=2))
        return Exit.DONE
    rows = [_row(name, preset) for name, preset in PRESETS.items()]
    header = ("PRESET", "SIGN-OFFS", "LINKS", "VALID", "HUMAN", "UNKNOWN", "AI")
    click.echo("\n".join(table(header, rows)))
    return Exit.DONE


def _name(tree: Tree) -> str:
    metadata = tree.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        raise Malformed("expected a name in the metadata of each object, saw none")
    return name


def _row(name: str, preset: Preset) -> tuple[str, ...]:
    slots = [
        f"{slot.role}"
        + (
            f" (not {'/'.join(sorted(slot.independent_of))})"
            if slot.independent_of
            else ""
        )
        for slot in preset.slots
    ]
    return (
        name,
        listed(slots, "none can help"),
        listed((demand.type for demand in preset.traceability), "-"),
        f"{preset.max_validity.days}d",
        preset.human.value,
        preset.unknown.value,
        preset.ai.value,
    )


def _preset(preset: Preset) -> dict[str, object]:
    return {
        "slots": [
            {
                "role": slot.role,
                "independentOf": sorted(slot.independent_of),
                "meaning": sorted(slot.meanings),
            }
            for slot in preset.slots
        ],
        "traceability": [demand.type for demand in preset.traceability],
        "maxValidity": f"{preset.max_validity.days}d",
        "human": preset.human.value,
        "unknown": preset.unknown.value,
        "ai": preset.ai.value,
        "clusterScoped": "recommended" if preset.recommended_cluster_scoped else "none",
    }
