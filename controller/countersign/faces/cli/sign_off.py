"""``countersign sign-off``: review a change as it would land, and sign it off."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import click

from countersign.core.questions import DEFAULT
from countersign.core.types.evidence import Carrier
from countersign.faces.cli import cluster, options
from countersign.faces.cli.inputs import Inputs, inputs
from countersign.faces.cli.plans import require_signable
from countersign.faces.cli.recorder import recorder
from countersign.faces.cli.review_options import ReviewOptions, review_options
from countersign.faces.cli.session import Command, Session


@click.command("sign-off", cls=Command)
@click.argument("what", metavar="[KIND[/NAME]]...", nargs=-1)
@inputs
@options.carry_over
@click.option(
    "--decision",
    default="",
    metavar="ID",
    help="Review what was denied, instead of -f.",
)
@click.option("--live", is_flag=True, help="Review what runs in -n, instead of -f.")
@options.source
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="REF@DIGEST",
    help="An image to approve as such. What lies beside it is shown, and with --carrier "
    "oci the evidence is put there. Repeatable.",
)
@options.clusters
@review_options
@click.option(
    "--carrier",
    type=click.Choice([each.value for each in Carrier]),
    help="How the evidence travels; else in annotations where that goes, and in a "
    "BundleSet for a decision, a Secret, a deletion, or much of it. With oci it is put "
    "beside the images that the objects run.",
)
@options.sets_only
@options.registries
@recorder
@options.kubeconfig
@options.policies
@options.signing
@options.out
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    what: Sequence[str],
    inputs: Inputs,
    earlier: Sequence[str],
    decision: str,
    live: bool,
    revisions: str,
    repo: Path,
    repo_uri: str,
    images: Sequence[str],
    clusters: Sequence[str],
    review: ReviewOptions,
    carrier: str | None,
    sets_only: bool,
    registry: options.RegistryOptions,
    recorder: str | None,
    recorder_ca: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    policies: Path | None,
    signing: options.SigningOptions,
    out: Path | None,
    output: str,
) -> int:
    """Review a change as it would land, and sign it off.

    Shows each object with its difference from the live one, who and what made the
    change, and what would make the signature fail; asks the questions that no tool can
    answer; signs. The result is one file to apply as it is, evidence included. A file
    that was signed before keeps what it carries: so a second person signs the first
    one's result.

    With --decision it is what was denied, as it was denied; the evidence goes into a
    BundleSet in the cluster, and the same request passes when it is made again.

    With --break-glass it is an emergency: somebody on call signs for hours, without
    questions, and it has to be reviewed afterwards (countersign status says how). With
    -n alone, instead of -f, two of them open a whole namespace for an hour.

    With --carry-over the objects that are as they were keep the evidence they had, if
    admission would still take it; asked and signed is about the others. With --previous
    what a release no longer holds is signed as deleted, with the rest.

    \b
    Example:
      countersign sign-off -f release.yaml --cluster prod-eu --out signed.yaml
      kubectl apply -f signed.yaml
    """  # noqa: D301 - click's mark for "do not wrap"
    if review.write_answers:
        return _write_form(session, review.write_answers, policies, signing)
    review.require_consistent()
    sets_only |= require_signable(inputs, carrier, review.operation)
    ways = _Ways(inputs, decision, revisions, images, live=live)
    _require_files(inputs, earlier, review, carrier)
    window = review.break_glass and bool(inputs.namespace) and not ways.given
    _require_one_way(ways, what, window=window)
    if review.break_glass:
        _require_urgent(ways, carrier)
    if not (decision or clusters):
        raise click.UsageError(
            "expected the cluster it holds for, saw none: give --cluster NAME"
        )
    _require_answers(session, review)
    if not (decision or live or window):
        options.require_out(output, out)
    # pydantic, git and cryptography, which --help does not need
    from countersign.faces.cli.conversation import Ask  # noqa: PLC0415

    where = cluster.given(kubeconfig, context, session.environ)
    ask = Ask(
        session=session,
        review=review,
        clusters=tuple(clusters),
        where=where if decision or live or window or not review.no_diff else None,
        policies=policies,
        signing=signing,
        carrier=_carrier(
            carrier,
            beside=bool(decision or live or window or sets_only),
            sets_only=sets_only,
        ),
        out=out,
        output=output,
        sets_only=sets_only,
        images=tuple(images),
        registry=registry,
    )
    if decision:
        from countersign.faces.cli.sign_denied import (  # noqa: PLC0415
            Recorder,
            sign_denied,
        )

        return sign_denied(ask, decision, Recorder(recorder, recorder_ca))
    if window:
        from countersign.faces.cli.sign_window import sign_window  # noqa: PLC0415

        return sign_window(ask, inputs.namespace)
    if live:
        from countersign.faces.cli.sign_live import sign_live  # noqa: PLC0415

        if not inputs.namespace:
            raise click.UsageError("expected a namespace with --live: give -n")
        return sign_live(ask, inputs.namespace, what)
    from countersign.faces.cli.sign_files import sign_files  # noqa: PLC0415
    from countersign.faces.cli.source import read_source  # noqa: PLC0415

    seen = read_source(revisions, repo, repo_uri, session)
    return sign_files(ask, inputs, seen, earlier)


def _write_form(
    session: Session, form: Path, policies: Path | None, signing: options.SigningOptions
) -> int:
    """Write the questions to answer: those of the policies, else the usual ones."""
    from countersign.faces.cli import asking  # noqa: PLC0415
    from countersign.faces.cli.rulebook import open_rulebook  # noqa: PLC0415

    with open_rulebook(policies, signing.trusted_root, session) as rulebook:
        return asking.write_form(form, asking.asked_for((), rulebook) or DEFAULT)


@dataclass(frozen=True, slots=True)
class _Ways:
    """How it is said what is signed."""

    inputs: Inputs
    decision: str
    revisions: str
    images: Sequence[str]
    _: KW_ONLY
    live: bool

    @property
    def given(self) -> int:
        """How many of them are used; files, a source and images go together."""
        files = bool(self.inputs.given or self.revisions or self.images)
        return sum((files, bool(self.decision), self.live))


def _require_one_way(ways: _Ways, what: Sequence[str], *, window: bool) -> None:
    if not (ways.given or window):
        raise click.UsageError(
            "expected something to sign off, saw none: give -f, --decision, --live, "
            "--source or --image; in an emergency --break-glass -n NAMESPACE opens all of it"
        )
    if ways.given > 1:
        raise click.UsageError(
            "expected one of -f, --decision and --live, saw several: sign one after "
            "the other (--source and --image go with -f)"
        )
    if what and not ways.live:
        raise click.UsageError(
            f"expected kinds and names with --live only, saw {' '.join(what)}: give -f "
            "for files"
        )


def _require_answers(session: Session, review: ReviewOptions) -> None:
    said = review.answers or review.reject or review.break_glass
    if not (said or session.interactive):
        raise click.UsageError(
            "expected a terminal to ask the questions on, saw none: give --answers "
            "FILE (--write-answers FILE makes one)"
        )


def _require_files(
    inputs: Inputs,
    earlier: Sequence[str],
    review: ReviewOptions,
    carrier: str | None,
) -> None:
    """What is carried over, or was there before, is of a release that is given."""
    if (earlier or review.previous) and not inputs.given:
        name = "--carry-over" if earlier else "--previous"
        raise click.UsageError(
            f"expected the objects of the release beside {name}, saw none: give -f"
        )
    if not earlier:
        return
    refused = {
        "--break-glass": review.break_glass,
        "--reject": review.reject,
        "--operation delete": review.operation == "delete",
        "--carrier oci": carrier == Carrier.OCI,
    }
    if said := [name for name, given in refused.items() if given]:
        raise click.UsageError(
            f"expected --carry-over with an approval of objects, saw {said[0]}: "
            "leave one of the two out"
        )


def _require_urgent(ways: _Ways, carrier: str | None) -> None:
    """What runs already, and what is only a source or an image, is no emergency.

    And in one nobody waits for a registry.
    """
    if carrier == Carrier.OCI:
        raise click.UsageError(
            "expected the carrier annotations or bundleset with --break-glass, saw oci"
        )
    if ways.live or ways.revisions or ways.images:
        saw = "--live" if ways.live else "--source" if ways.revisions else "--image"
        raise click.UsageError(
            f"expected -f, --decision or -n with --break-glass, saw {saw}"
        )


def _carrier(name: str | None, *, beside: bool, sets_only: bool) -> Carrier | None:
    if beside and name == Carrier.OCI:
        raise click.UsageError(
            "expected the carrier bundleset, saw oci: only what -f names, or --image, "
            "goes beside images"
        )
    if beside and name == Carrier.ANNOTATIONS:
        raise click.UsageError(
            "expected the carrier bundleset, saw annotations: there is no manifest here "
            "to annotate"
        )
    if sets_only:
        return Carrier.BUNDLE_SET
    return Carrier(name) if name else None
