"""Attesting: from a range and what was made of it to a file that carries the evidence."""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import click

from countersign.adapters.git import GitRepository
from countersign.binding.kinds import BUILT_IN
from countersign.binding.masking import SALT_BYTES, is_secret
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Subject, Tree
from countersign.faces.cli import attested, declare
from countersign.faces.cli.attest import ANNOTATIONS, BUNDLE_SET, OCI
from countersign.faces.cli.files import read_file, read_inputs, write_result
from countersign.faces.cli.images import pinned
from countersign.faces.cli.manifests import (
    read_manifests,
    warn_of_places,
    write_manifests,
)
from countersign.faces.cli.options import Inputs, SigningOptions
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
from countersign.usecases.carry import Placed, bundle_sets, unload
from countersign.usecases.companions import companions
from countersign.usecases.declare import consider
from countersign.usecases.lint_manifests import manifest_lints
from countersign.usecases.prepare import Prepared, prepare


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The objects that were made of the range, and what travels with them.

    Attributes:
        objects: Of ``-f``, with their digests.
        sets: BundleSets that were among them.
        beside: Bundles to travel with the objects.
        carrier: How evidence travels; None: the bundle is written alone.
        sets_only: The objects are not written: something else brings them.
    """

    objects: tuple[Prepared, ...] = ()
    sets: tuple[Placed, ...] = ()
    beside: tuple[bytes, ...] = ()
    carrier: str | None = None
    sets_only: bool = False


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
        click.echo(json.dumps(attested.summary(done, lints), indent=2))


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
    if load.carrier == ANNOTATIONS:
        return [one.annotated(travelling) for one in load.objects]
    what = f"provenance-{done.claim.repository.rpartition('/')[2]}"
    before = bundle_sets(load.objects, travelling, load.sets, what=what)
    if load.sets_only:
        return [*before]
    return [*before, *(one.manifest for one in load.objects)]


def load(
    inputs: Inputs,
    carrier: str | None,
    beside: Sequence[str],
    *,
    sets_only: bool = False,
) -> Load:
    """Read the objects of ``-f``, the BundleSets among them, and what goes with them.

    Raises:
        click.UsageError: the carrier does not fit what was read.
        Malformed, NoInput, Unavailable: a file cannot be read.
    """
    objects, sets = _objects(inputs, carrier)
    bundles = [raw for _, raw in read_inputs(beside)] if beside else []
    return Load(
        objects=objects,
        sets=sets,
        beside=tuple(bundles),
        carrier=carrier,
        sets_only=sets_only,
    )


def _objects(
    inputs: Inputs, carrier: str | None
) -> tuple[tuple[Prepared, ...], tuple[Placed, ...]]:
    """Read the objects of ``-f``, and the BundleSets that are among them."""
    if not inputs.given:
        return (), ()
    manifests, sets = unload(read_manifests(inputs))
    if sets and carrier in {ANNOTATIONS, OCI}:
        raise click.UsageError(
            "expected no BundleSet among objects that carry evidence themselves, saw "
            f"{sets[0][1].name}: give --carrier {BUNDLE_SET}"
        )
    if not carrier and any(is_secret(manifest) for manifest in manifests):
        # the salt would be lost, and with it the only way to find the digest again
        raise click.UsageError(
            "expected a carrier for the salted digests of a Secret, saw none: "
            f"give --carrier {BUNDLE_SET}"
        )
    kinds = BUILT_IN.adding(manifests)
    warn_of_places(manifests, inputs.namespace, kinds)
    prepared = prepare(
        manifests,
        namespace=inputs.namespace,
        salt=lambda: secrets.token_bytes(SALT_BYTES),
        beside=[raw for _, one in sets for raw in one.intents],
        kinds=kinds,
    )
    return prepared, sets


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
