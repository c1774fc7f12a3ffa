"""``countersign sign-off``: review a change as it would land, and sign it off."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click

from countersign.binding.masking import SALT_BYTES
from countersign.core.errors import Malformed
from countersign.core.questions import DEFAULT, Question, texts
from countersign.core.types.artifacts import Digest
from countersign.core.types.change import Base, Operation
from countersign.core.types.evidence import Answer, Result, Trace
from countersign.core.types.policy import GroupKind, QuestionSet
from countersign.faces.cli import cluster, judgement, options, params, questions
from countersign.faces.cli.conversation import converse
from countersign.faces.cli.files import read_file, read_inputs, write_result
from countersign.faces.cli.manifests import read_manifests, write_manifests
from countersign.faces.cli.rulebook import Rulebook, open_rulebook
from countersign.faces.cli.session import Command, Exit, Session
from countersign.faces.cli.signing import choose
from countersign.usecases.prepare import Prepared, prepare
from countersign.usecases.sign_off import LookOrder, Review, Stretch
from countersign.wire.answers import parse_answers, render_answers

_OPERATIONS = [
    Operation.CREATE.value,
    Operation.UPDATE.value,
    Operation.CREATE_OR_UPDATE.value,
]


@click.command("sign-off", cls=Command)
@options.files
@options.namespace
@options.clusters
@click.option(
    "--provenance",
    "bundles",
    multiple=True,
    help="Bundles that do not travel in the manifests. Repeatable.",
)
@click.option("--answers", help="File with the answers, or - for standard input.")
@click.option(
    "--write-answers",
    type=options.FILE,
    help="Write an empty answers file to fill in, and end.",
)
@click.option(
    "--operation",
    type=click.Choice(_OPERATIONS),
    default=_OPERATIONS[-1],
    show_default=True,
    help="What may be done with the objects.",
)
@click.option(
    "--base",
    type=params.BaseType(),
    help="State they are approved on; else the live one where the cluster is seen.",
)
@click.option(
    "--elastic",
    "stretches",
    multiple=True,
    type=params.StretchType(),
    help="A value that scaling may move: Deployment/web:/spec/replicas=2..20.",
)
@click.option(
    "--valid",
    type=options.Duration(),
    default="30d",
    show_default=True,
    help="For how long it may admit.",
)
@click.option(
    "--restore-until",
    type=params.UntilType(),
    help="Until when this state may return after newer ones.",
)
@click.option(
    "--meaning",
    default="review,approval",
    show_default=True,
    help="What the signature means.",
)
@click.option(
    "--trace",
    "traces",
    multiple=True,
    type=params.TraceType(),
    help="A link to a requirement, a ticket or a test. Repeatable.",
)
@click.option("--link", default="", help="Where the review can be read.")
@click.option("--reject", is_flag=True, help="Record a rejection instead.")
@click.option("--no-diff", is_flag=True, help="Do not look at the cluster.")
@options.kubeconfig
@options.policies
@options.signing
@options.out
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    filenames: Sequence[str],
    namespace: str,
    clusters: Sequence[str],
    bundles: Sequence[str],
    answers: str | None,
    write_answers: Path | None,
    operation: str,
    base: Digest | Base | None,
    stretches: tuple[Stretch, ...],
    valid: timedelta,
    restore_until: datetime | timedelta | None,
    meaning: str,
    traces: tuple[Trace, ...],
    link: str,
    reject: bool,
    no_diff: bool,
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

    \b
    Example:
      countersign sign-off -f release.yaml --cluster prod-eu --out signed.yaml
      kubectl apply -f signed.yaml
    """  # noqa: D301 - click's mark for "do not wrap"
    if write_answers:
        with open_rulebook(policies, signing.trusted_root, session) as rulebook:
            return _write_answers(write_answers, _asked((), rulebook) or DEFAULT)
    _require(filenames, clusters, session, answered=bool(answers) or reject)
    options.require_out(output, out)
    now = session.now()
    objects = prepare(
        read_manifests(filenames),
        namespace=namespace,
        salt=lambda: secrets.token_bytes(SALT_BYTES),
    )
    order = LookOrder(
        objects=objects,
        bundles=tuple(raw for _, raw in read_inputs(bundles)) if bundles else (),
        operation=Operation(operation),
        base=base,
        stretches=stretches,
    )
    signatory = choose(signing, session)
    with open_rulebook(policies, signing.trusted_root, session) as rulebook:
        asked = _asked(objects, rulebook)
        review = Review(
            result=Result.REJECTED if reject else Result.APPROVED,
            meanings=frozenset(filter(None, map(str.strip, meaning.split(",")))),
            reviewer="",
            started_on=now,
            clusters=frozenset(clusters),
            question_set=(asked.uri, asked.digest) if asked else None,
            answers=_read_answers(answers, asked),
            traceability=traces,
            valid=valid,
            restore_until=_moment(restore_until, now + valid),
            link=link,
        )
        done = asyncio.run(
            converse(
                session,
                order,
                review,
                to_ask=_to_ask(asked) if not (answers or reject) else (),
                confirm=session.interactive and not answers,
                rulebook=rulebook,
                where=None
                if no_diff
                else cluster.given(kubeconfig, context, session.environ),
                signatory=signatory,
            )
        )
    write_manifests(out, done.objects)
    if output == "json":
        click.echo(json.dumps(done.summary(), indent=2))
    if policies and not reject:
        judgement.tell(
            line
            for name in clusters
            for line in judgement.outlook(done.objects, policies, name, session)
        )
    if out:
        click.echo(f"written to {out}; next: kubectl apply -f {out}", err=True)
    return Exit.DONE


def _require(
    filenames: Sequence[str],
    clusters: Sequence[str],
    session: Session,
    *,
    answered: bool,
) -> None:
    if not filenames:
        raise click.UsageError("expected manifests to sign off, saw none: give -f")
    if not clusters:
        raise click.UsageError(
            "expected the cluster it holds for, saw none: give --cluster NAME"
        )
    if not (answered or session.interactive):
        raise click.UsageError(
            "expected a terminal to ask the questions on, saw none: give --answers "
            "FILE (--write-answers FILE makes one)"
        )


def _asked(objects: Sequence[Prepared], rulebook: Rulebook) -> QuestionSet | None:
    """Return the questions that the policies of the objects ask.

    Without policies the default ones; None where policies ask none.
    """
    if rulebook.policies is None:
        return DEFAULT
    kinds = [(GroupKind(o.ref.group, o.ref.kind), o.ref.namespace) for o in objects]
    sets = [
        policy.demands.questions
        for policy in rulebook.policies
        if not kinds or any(policy.scope.holds(*kind) for kind in kinds)
    ]
    return next((found for found in sets if found), None) if sets else DEFAULT


def _to_ask(asked: QuestionSet | None) -> tuple[Question, ...]:
    """Return the questions to ask; none where policies ask none.

    Raises:
        Malformed: they ask what this version of countersign does not know.
    """
    found = texts(asked.digest) if asked else ()
    if asked and not found:
        raise Malformed(f"expected a question set that is known here, saw {asked.uri}")
    return found


def _read_answers(file: str | None, asked: QuestionSet | None) -> tuple[Answer, ...]:
    if file is None or asked is None:
        return ()
    return questions.check(parse_answers(read_file(file)), asked)


def _write_answers(out: Path, asked: QuestionSet) -> int:
    text = render_answers(asked.uri, texts(asked.digest))
    write_result(out, text.encode())
    click.echo(f"written to {out}: fill it in, then give it with --answers", err=True)
    return Exit.DONE


def _moment(until: datetime | timedelta | None, ends: datetime) -> datetime | None:
    """Return when the state may no longer return; a span is measured from `ends`."""
    return ends + until if isinstance(until, timedelta) else until
