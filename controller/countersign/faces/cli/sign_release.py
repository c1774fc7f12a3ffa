"""``sign-off`` of a whole release: what is new in it, what is not, and what goes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from countersign.binding.kinds import Kinds
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.faces.cli.carried_over import Before, CarriedOver, read_before
from countersign.faces.cli.cluster import look_at
from countersign.faces.cli.conversation import Ask
from countersign.faces.cli.inputs import Inputs
from countersign.faces.cli.manifests import read_manifests
from countersign.faces.cli.text import one_line
from countersign.usecases.left_out import LeftOut, left_out
from countersign.usecases.prepare import Prepared, name_of
from countersign.usecases.sheet import LookOrder, Removal


@dataclass(frozen=True, slots=True)
class Release:
    """What is known of a release before it is looked at.

    Attributes:
        previous: Objects that it held.
        before: What unchanged objects keep evidence of; None: nothing.
    """

    previous: tuple[Tree, ...]
    before: Before | None

    @property
    def intents(self) -> tuple[bytes, ...]:
        """Intents that evidence is there for: the salts of Secrets are in them."""
        return self.before.earlier.intents if self.before else ()


def read_previous(ask: Ask) -> tuple[Tree, ...]:
    """Return the objects that ``--previous`` names.

    Raises:
        NoInput, Malformed, Unavailable: they cannot be read.
    """
    names = ask.review.previous
    return read_manifests(Inputs(filenames=names)) if names else ()


def read_release(
    ask: Ask,
    earlier: Sequence[str],
    namespace: str,
    kinds: Kinds,
    previous: tuple[Tree, ...],
) -> Release:
    """Read what ``--carry-over`` names.

    Raises:
        click.UsageError: nobody said by which policies to judge earlier evidence.
        NoInput, Malformed, Unavailable: a file cannot be read.
    """
    if earlier and ask.policies is None and ask.where is None:
        raise click.UsageError(
            "expected policies to judge the earlier evidence by, saw none: give "
            "--policies DIR, or a kubeconfig of a cluster that has some"
        )
    before = read_before(
        earlier,
        namespace,
        kinds,
        session=ask.session,
        clusters=ask.clusters,
        policies=ask.policies,
        where=ask.where,
    )
    return Release(previous, before)


def parted(
    ask: Ask, order: LookOrder, release: Release, namespace: str, kinds: Kinds
) -> tuple[LookOrder, CarriedOver]:
    """Return what has to be signed of a release, and what keeps its evidence.

    Raises:
        click.UsageError: no cluster shows what is to go.
        Malformed, Unavailable: as the use cases say.
    """
    removals = _going(ask, order.objects, release.previous, namespace, kinds)
    order = replace(order, removals=(*order.removals, *removals))
    if release.before is None:
        return order, CarriedOver(changed=order.objects)
    over = release.before.signed(order.objects, order.detached)
    detached = (*order.detached, *release.before.earlier.sets)
    once = {(where, one.name): (where, one) for where, one in detached}
    return replace(order, objects=over.changed, detached=tuple(once.values())), over


def removal_of(
    tree: Tree, namespace: str, kinds: Kinds, propagation: str = ""
) -> Removal:
    """Read which object is meant; what else its manifest says is of no interest.

    Raises:
        Malformed: it does not say.
    """
    metadata, version = tree.get("metadata"), tree.get("apiVersion")
    about = metadata if isinstance(metadata, dict) else {}
    if not (about.get("name") and tree.get("kind") and isinstance(version, str)):
        raise Malformed(f"{name_of(tree)}: expected apiVersion, kind and name")
    group, _, version = version.rpartition("/")
    where = str(about.get("namespace") or namespace)
    if kinds.is_namespaced(tree) is False:
        where = ""
    ref = ObjectRef(group, str(tree["kind"]), where, str(about["name"]))
    return Removal(ref=ref, version=version, propagation=propagation)


def _going(
    ask: Ask,
    objects: Sequence[Prepared],
    previous: Sequence[Tree],
    namespace: str,
    kinds: Kinds,
) -> tuple[Removal, ...]:
    if not previous:
        return ()
    if ask.where is None:
        raise click.UsageError(
            "expected a cluster that shows what is to go, saw none: a deletion is "
            "signed for one live object; give --kubeconfig, without --no-diff"
        )
    held = [(tree, removal_of(tree, namespace, kinds)) for tree in previous]

    async def looked() -> LeftOut:
        async with look_at(ask.where) as cluster:
            assert cluster is not None  # noqa: S101 - there is a kubeconfig
            return await left_out(objects, held, cluster)

    found = asyncio.run(looked())
    for refs, why in (
        (found.gone, "is gone already"),
        (found.kept, "stays: helm.sh/resource-policy: keep"),
    ):
        for ref in refs:
            click.echo(
                f"no longer in the release: {one_line(str(ref))}: {why}", err=True
            )
    return found.removals
