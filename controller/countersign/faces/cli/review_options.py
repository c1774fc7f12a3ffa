"""The options that say what a reviewer says, whatever is reviewed."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from countersign.core.types.artifacts import Digest
from countersign.core.types.change import Base, Operation, Stretch
from countersign.core.types.evidence import Emergency, Trace
from countersign.faces.cli import options, params

F = TypeVar("F", bound=Callable[..., Any])

_OPERATIONS = [
    Operation.CREATE.value,
    Operation.UPDATE.value,
    Operation.CREATE_OR_UPDATE.value,
    Operation.DELETE.value,
]
_USUAL, _EMERGENCY = timedelta(days=30), timedelta(hours=1)  # of validity
_PROPAGATIONS = ["background", "foreground", "orphan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOptions:
    """What was said on the command line; `Review` and `LookOrder` have the meanings."""

    bundles: tuple[str, ...]
    answers: str | None
    write_answers: Path | None
    operation: str
    propagation: str | None
    previous: tuple[str, ...]
    base: Digest | Base | None
    stretches: tuple[Stretch, ...]
    valid_for: timedelta | None
    restore_until: datetime | timedelta | None
    meaning: str
    traces: tuple[Trace, ...]
    link: str
    reject: bool
    no_diff: bool
    break_glass: bool
    incident: str
    justification: str

    @property
    def valid(self) -> timedelta:
        """For how long it may admit."""
        usual = _EMERGENCY if self.break_glass else _USUAL
        return usual if self.valid_for is None else self.valid_for

    @property
    def emergency(self) -> Emergency | None:
        """Why it is signed for an emergency, or None."""
        if not self.break_glass:
            return None
        return Emergency(self.incident.strip(), self.justification.strip())

    def require_consistent(self) -> None:
        """Check what only makes sense together.

        Raises:
            click.UsageError: it does not.
        """
        told = [bool(self.incident.strip()), bool(self.justification.strip())]
        if self.break_glass and not all(told):
            raise click.UsageError(
                "expected what the emergency is, saw --break-glass alone: give "
                "--incident ID and --justification TEXT"
            )
        if any(told) and not self.break_glass:
            raise click.UsageError(
                "expected --break-glass beside --incident and --justification, saw none"
            )
        if self.previous and self.operation == Operation.DELETE:
            raise click.UsageError(
                "expected --previous beside objects that stay, saw --operation delete: "
                "give what is to be deleted with -f"
            )
        if self.break_glass and self.reject:
            raise click.UsageError(
                "expected one of --break-glass and --reject, saw both"
            )

    @property
    def meanings(self) -> frozenset[str]:
        """What the signature means."""
        return frozenset(filter(None, map(str.strip, self.meaning.split(","))))

    def restore_by(self, ends: datetime) -> datetime | None:
        """Return when the state may no longer return; a span is measured from `ends`."""
        until = self.restore_until
        return ends + until if isinstance(until, timedelta) else until


_REVIEW = (
    click.option(
        "--provenance",
        "bundles",
        multiple=True,
        help="Bundles that do not travel in the manifests. Repeatable.",
    ),
    click.option("--answers", help="File with the answers, or - for standard input."),
    click.option(
        "--write-answers",
        type=options.FILE,
        help="Write an empty answers file to fill in, and end.",
    ),
    click.option(
        "--operation",
        type=click.Choice(_OPERATIONS),
        default=Operation.CREATE_OR_UPDATE.value,
        show_default=True,
        help="What may be done with the objects.",
    ),
    click.option(
        "--propagation",
        type=click.Choice(_PROPAGATIONS),
        help="With --operation delete: what may become of the objects' own children. "
        "Orphaning them has to be signed for.",
    ),
    click.option(
        "--previous",
        multiple=True,
        metavar="FILE",
        help="What the release holds now (helm get manifest), or - for standard input: "
        "what is no longer among the objects is signed as deleted. Repeatable.",
    ),
    click.option(
        "--base",
        type=params.BaseType(),
        help="State they are approved on; else the live one where the cluster is seen.",
    ),
    click.option(
        "--elastic",
        "stretches",
        multiple=True,
        type=params.StretchType(),
        help="A value that scaling may move: Deployment/web:/spec/replicas=2..20.",
    ),
    click.option(
        "--valid",
        "valid_for",
        type=params.Duration(),
        help="For how long it may admit; else 30d, or what the policies allow if less, "
        "and 1h with --break-glass.",
    ),
    click.option(
        "--restore-until",
        type=params.Until(),
        help="Until when this state may return after newer ones.",
    ),
    click.option(
        "--meaning",
        default="review,approval",
        show_default=True,
        help="What the signature means.",
    ),
    click.option(
        "--trace",
        "traces",
        multiple=True,
        type=params.TraceType(),
        help="A link to a requirement, a ticket or a test. Repeatable.",
    ),
    click.option("--link", default="", help="Where the review can be read."),
    click.option("--reject", is_flag=True, help="Record a rejection instead."),
    click.option(
        "--break-glass",
        is_flag=True,
        help="Sign for an emergency: on call, for hours, to be reviewed afterwards.",
    ),
    click.option("--incident", default="", help="With --break-glass: its id."),
    click.option("--justification", default="", help="With --break-glass: why."),
    click.option("--no-diff", is_flag=True, help="Do not look at the cluster."),
)


def review_options(function: F) -> F:
    """Add the options of a review, given as one `ReviewOptions`."""

    @wraps(function)
    def gathered(*args: Any, **given: Any) -> Any:  # noqa: ANN401 - click's own calls
        said = {field.name: given.pop(field.name) for field in fields(ReviewOptions)}
        return function(*args, review=ReviewOptions(**said), **given)

    made: Any = gathered
    for option in reversed(_REVIEW):
        made = option(made)
    return cast("F", made)
