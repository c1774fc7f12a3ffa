"""The engine that commands ask: by a folder's rules, or by a cluster's own."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click
from click.core import ParameterSource

from countersign.assemble.looking import Bench, bench, look_at_cluster
from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import BUILT_IN
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.explained import Explained
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Verdict
from countersign.faces.cli import cluster
from countersign.faces.cli.images import AtHand, at_hand, pinned_now
from countersign.faces.cli.options import RegistryOptions
from countersign.faces.cli.rulebook import read_policies, say_source, tell_problems
from countersign.faces.cli.session import NoInput, Session
from countersign.ports import RememberedEvidence
from countersign.usecases.attach import intents_beside
from countersign.usecases.explain import explained
from countersign.usecases.judged import Judged
from countersign.usecases.verify import on_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where rules and live objects come from, as the command line says.

    Attributes:
        policies: A folder, which wins over the cluster's rules.
        where: A cluster to look at; None: only files are looked at.
        registry: How registries are reached; None: none is asked.
    """

    policies: Path | None
    where: cluster.Where | None
    registry: RegistryOptions | None = None

    def __post_init__(self) -> None:
        if self.policies is None and self.where is None:
            raise click.UsageError(
                "expected policies to judge by: give --policies DIR, or a kubeconfig "
                "of a cluster that has some"
            )


def sources(
    session: Session,
    policies: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    registry: RegistryOptions | None = None,
) -> Sources:
    """Find out where to look.

    A folder of policies is judged by without any cluster, unless one is named: so the
    answer in CI does not depend on a kubeconfig that happens to be there.

    Raises:
        click.UsageError: there is neither a folder nor a kubeconfig.
    """
    named = bool(kubeconfig or context)
    where = None
    if named or policies is None:
        where = cluster.given(kubeconfig, context, session.environ)
    return Sources(policies=policies, where=where, registry=registry)


@asynccontextmanager
async def open_bench(
    session: Session,
    found: Sources,
    cluster_name: str,
    manifests: Sequence[Tree] = (),
    images: RememberedEvidence | None = None,
) -> AsyncIterator[Bench]:
    """Open the engine, and say on standard error by whose rules it judges.

    Definitions among `manifests` count as applied, where the cluster has no others.

    Raises:
        Malformed, Unavailable: the rules cannot be read.
        Misconfigured: the kubeconfig is not usable.
    """
    if found.where is None:
        assert found.policies is not None  # noqa: S101 - `Sources` has one of the two
        rules = read_policies(found.policies)
        if _from_environment("policies"):
            say_source(f"{found.policies} (COUNTERSIGN_POLICIES)")
        settings = ClusterFacts(kinds=BUILT_IN.adding(manifests))
        with bench(
            rules,
            cluster=cluster_name,
            clock=session,
            settings=settings,
            images=images,
        ) as made:
            yield made
        return
    folder = None if found.policies is None else read_policies(found.policies)
    async with look_at_cluster(
        kubeconfig=found.where.kubeconfig,
        context=found.where.context,
        request_s=cluster.REQUEST_S,
        rules=folder,
        cluster=cluster_name,
        clock=session,
        manifests=manifests,
        images=images,
    ) as made:
        say_source(str(found.policies or "the cluster's own"))
        if folder is None:
            tell_problems(made.rules.books.problems)
        yield made


@dataclass(frozen=True, slots=True)
class Manifests:
    """Objects as written, and the namespace of those that name none.

    Attributes:
        objects: Of files.
        namespace: Of those that name none.
        images: References; what was approved beside them is judged, too.
    """

    objects: tuple[Tree, ...]
    namespace: str
    images: tuple[str, ...] = ()


async def judged_by(
    session: Session,
    found: Sources,
    cluster_name: str,
    what: Manifests | tuple[AdmissionRequest, ...],
) -> list[tuple[AdmissionRequest, Judged]]:
    """Judge manifests as they would be applied, or requests as they are.

    Raises:
        Malformed: rules or manifests that cannot be read.
        Misconfigured: the kubeconfig is not usable.
        Unavailable: rules or live objects cannot be read, or, where images are named,
            a registry.
    """
    async with at_hand(session, found.registry) as hand:
        if hand is not None and not isinstance(what, tuple):
            what = await with_approved(what, hand)
        given = () if isinstance(what, tuple) else what.objects
        kept = None if hand is None else hand.remembered
        async with open_bench(session, found, cluster_name, given, kept) as bench:
            requests = (
                what if isinstance(what, tuple) else await requests_of(what, bench)
            )
            return [(r, await bench.reviewer.judge(r)) for r in requests]


async def with_approved(what: Manifests, hand: AtHand) -> Manifests:
    """Add the objects that were attested or approved beside the images.

    Raises:
        click.UsageError: an image by its tag.
        NoInput: beside an image there is no such object.
        Unavailable: its registry did not answer.
    """
    found: list[Tree] = []
    for image in await pinned_now(what.images, hand.store):
        trees = await intents_beside(image, hand.remembered)
        if not trees:
            raise NoInput(
                f"expected objects that were attested or approved beside {image}, saw "
                "none: an image alone is not admitted, so there is nothing to judge"
            )
        found += trees
    return replace(what, objects=(*what.objects, *found))


async def explained_by(
    session: Session, found: Sources, cluster_name: str, what: Manifests
) -> list[tuple[AdmissionRequest, Verdict, tuple[Explained, ...]]]:
    """Judge manifests as they would be applied, and say why, policy by policy.

    Raises:
        Malformed, Misconfigured, Unavailable: as `judged_by`.
    """
    async with (
        at_hand(session, found.registry) as hand,
        open_bench(
            session,
            found,
            cluster_name,
            what.objects,
            None if hand is None else hand.remembered,
        ) as bench,
    ):
        return [
            (request, judged.verdict, await explained(judged, bench.prover))
            for request in await requests_of(what, bench)
            for judged in [await bench.reviewer.judge(request)]
        ]


async def requests_of(what: Manifests, bench: Bench) -> tuple[AdmissionRequest, ...]:
    """Return what applying the manifests would ask.

    BundleSets among them count as applied, and those of the cluster are listed: a
    rejection may lie there.

    Raises:
        Malformed: a manifest that no server would take.
        Unavailable: live objects cannot be read.
    """
    bench.sets.add(what.objects, what.namespace)
    requests = await on_cluster(
        what.objects,
        namespace=what.namespace,
        state=bench.state,
        kinds=bench.settings.kinds,
    )
    await list_sets(bench, {request.ref.namespace for request in requests})
    return requests


async def list_sets(bench: Bench, namespaces: Iterable[str]) -> None:
    """List the BundleSets of `namespaces`; tell where that is not allowed."""
    for namespace in sorted(namespaces):
        try:
            await bench.sets.refresh(namespace)
        except Unavailable as error:
            click.echo(f"without evidence beside objects: {error}", err=True)


def _from_environment(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is ParameterSource.ENVIRONMENT
