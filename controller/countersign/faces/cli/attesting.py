"""Attesting: from a range and what was made of it to a file that carries the evidence."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import click

from countersign.adapters.git import GitRepository
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Subject, Tree
from countersign.faces.cli import attested, declare
from countersign.faces.cli.attest import ANNOTATIONS
from countersign.faces.cli.files import read_file, write_result
from countersign.faces.cli.images import pinned
from countersign.faces.cli.loading import Load
from countersign.faces.cli.manifests import (
    write_manifests,
)
from countersign.faces.cli.options import SigningOptions
from countersign.faces.cli.progress import working
from countersign.faces.cli.session import Session
from countersign.faces.cli.signing import choose
from countersign.provenance.ci import CiRun, ci_run
from countersign.provenance.pull_request import (
    NO_REQUEST,
    PullRequest,
    read_request,
)
from countersign.provenance.registry import known_agents
from countersign.usecases.attest import Attested, AttestOrder, attest
from countersign.usecases.carry import bundle_sets
from countersign.usecases.companions import companions
from countersign.usecases.declare import consider
from countersign.usecases.lint_manifests import manifest_lints
from countersign.usecases.prepare import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What both ways to attest are given.

    Attributes:
        revisions: The range.
        repo: The repository's work tree.
        repo_uri: Address under which policies know it; ``""``: as the CI or git says.
        signing: Who signs.
        out: Where the result is written; None: standard output.
        output: ``text`` or ``json``.
    """

    revisions: str
    repo: Path
    repo_uri: str
    signing: SigningOptions
    out: Path | None
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a collector says of itself, and of where its word may be used.

    Attributes:
        collector: Its name; ``""``: the CI's workflow.
        clusters: At least one.
        valid: For how long.
        images: References with a digest, built from the end of the range.
        pull_request: File about the pull request; None: what the CI system tells.
    """

    collector: str
    clusters: frozenset[str]
    valid: timedelta
    images: tuple[str, ...]
    pull_request: Path | None = None


def declare_human(
    session: Session, given: Given, policies: Path | None, *, assent: bool
) -> None:
    """Sign an author's own word that no AI had a hand in the range.

    Raises:
        click.UsageError: nobody can be asked, and nobody assented.
        CountersignError: as `consider` and `speak`.
    """
    declare.require_assent(session, assent=assent)
    considered = consider(
        given.revisions,
        given.repo_uri or _ci(session).repository,
        repository=GitRepository(given.repo),
        registry=known_agents(),
        clock=session,
    )
    speaker = declare.Speaker(
        signatory=choose(given.signing, session),
        policies=policies,
        trusted_root=given.signing.trusted_root,
        assent=assent,
    )
    declared = declare.speak(session, considered, speaker)
    write_result(given.out, declared.bundle)
    if given.output == "json":
        click.echo(json.dumps(declare.summary(declared), indent=2))


def collect(session: Session, given: Given, scope: Scope, load: Load) -> None:
    """Collect the provenance of the range, sign it, and write what carries it.

    Raises:
        click.UsageError: an image without a digest.
        CountersignError: as `attest` and the signer.
    """
    if is_unchanged(load, scope):
        write_unchanged(given, load)
        return
    images = tuple(
        Subject(f"image:{one.repository}", one.digest) for one in pinned(scope.images)
    )
    done = attest_range(session, given, scope, load, images)
    if load.carrier:
        write_manifests(given.out, carried(done, load))
    else:
        write_result(given.out, done.bundle)
    attested.tell(done, given.out, lints := sorted({*manifest_lints(load.objects)}))
    if given.output == "json":
        refs: list[Json] = [str(ref) for ref in load.over.refs]
        kept = {"carriedOver": refs} if refs else {}
        click.echo(json.dumps({**attested.summary(done, lints), **kept}, indent=2))


def attest_range(
    session: Session,
    given: Given,
    scope: Scope,
    load: Load,
    images: tuple[Subject, ...],
) -> Attested:
    """Collect the provenance of the range, and sign it.

    Args:
        session: Its environment tells of the CI.
        given: What is attested, and by whom.
        scope: Where it may be used.
        load: Objects that were made of the range.
        images: That were made of it.

    Raises:
        CountersignError: as `attest` and the signer.
    """
    run = _ci(session)
    order = AttestOrder(
        revisions=given.revisions,
        repository=given.repo_uri or run.repository,
        collector=scope.collector or run.collector or "countersign",
        collector_version=version("countersign"),
        clusters=scope.clusters,
        namespaces=_namespaces(load.objects),
        valid=scope.valid,
        artifacts=(*(o.subject for o in load.objects), *images),
        actors=run.actors,
        source_branch=run.source_branch,
        target_ref=run.target_ref,
        review_link=run.review_link,
        request=_request(scope.pull_request) if scope.pull_request else run.request,
    )
    signer = choose(given.signing, session)().signer
    with working(session, "collecting and signing") as tell:
        return asyncio.run(
            attest(
                order,
                repository=GitRepository(given.repo, lambda n: tell(f"{n} commits")),
                registry=known_agents(),
                signer=signer,
                clock=session,
            )
        )


def carried(done: Attested, load: Load) -> list[Tree]:
    """Return the objects with their evidence, in the order to apply them in.

    Raises:
        Malformed: an object, or a set, would grow beyond what it may hold; or what is
            to travel along does not fit.
    """
    travelling = [*companions(load.beside, done), done.bundle]
    over = load.over
    if load.carrier == ANNOTATIONS:
        made = [one.annotated(travelling) for one in load.objects]
        return over.with_kept((), made, sets_only=False)
    what = f"provenance-{done.claim.repository.rpartition('/')[2]}"
    before = bundle_sets(load.objects, travelling, load.sets, what=what)
    plain = [one.manifest for one in load.objects]
    return over.with_kept(before, plain, sets_only=load.sets_only)


def is_unchanged(load: Load, scope: Scope) -> bool:
    """Tell whether everything keeps its evidence, so that nothing is to be attested."""
    return load.over.kept is not None and not (load.objects or scope.images)


def write_unchanged(given: Given, load: Load) -> None:
    """Write the objects as they were attested before, and say so."""
    again = load.over.with_kept((), (), sets_only=load.sets_only)
    write_manifests(given.out, again)
    click.echo("nothing changed, so nothing was attested", err=True)
    if given.output == "json":
        refs: list[Json] = [str(ref) for ref in load.over.refs]
        click.echo(json.dumps({"carriedOver": refs}, indent=2))


def _namespaces(objects: Sequence[Prepared]) -> frozenset[str]:
    """Return where the objects live; empty, so any, if one lives in no namespace."""
    found = frozenset(one.ref.namespace for one in objects)
    return frozenset() if "" in found else found


def _ci(session: Session) -> CiRun:
    return ci_run(session.environ, _event(session.environ))


def _request(file: Path) -> PullRequest:
    """Return what a file about a pull request tells.

    Raises:
        Malformed: it is no such file.
    """
    try:
        found = read_request(json.loads(read_file(str(file))))
    except ValueError as error:
        raise Malformed(f"expected JSON about a pull request: {error}") from error
    if found == NO_REQUEST:
        raise Malformed(
            "expected a file about a pull request, saw another: give an event or an "
            "API's answer (gh api repos/{owner}/{repo}/pulls/42, or "
            "glab api projects/:id/merge_requests/42)"
        )
    return found


def _event(environ: Mapping[str, str]) -> Json:
    """Return GitHub's event, which names who opened the pull request."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path or environ.get("GITHUB_ACTIONS") != "true":
        return None
    try:
        event: Json = json.loads(read_file(path))
    except ValueError as error:
        raise Malformed(f"expected JSON in GITHUB_EVENT_PATH: {error}") from error
    return event
