"""``--carry-over``: what did not change keeps its evidence, and nobody is asked again."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from countersign.binding.kinds import Kinds
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.evidence import SignOff
from countersign.core.types.verdict import Reason, Verdict
from countersign.faces.cli.cluster import Where
from countersign.faces.cli.engine import Sources, list_sets, open_bench
from countersign.faces.cli.inputs import Inputs
from countersign.faces.cli.manifests import read_manifests
from countersign.faces.cli.rulebook import open_rulebook, read_policies
from countersign.faces.cli.session import Session
from countersign.faces.cli.text import one_line
from countersign.faces.cli.words import counted
from countersign.usecases.carried_over import (
    Earlier,
    applied,
    evidence_of,
    named,
    read_earlier,
    still_attested,
)
from countersign.usecases.carry import Placed
from countersign.usecases.prepare import Prepared
from countersign.usecases.sheet import Sheet
from countersign.usecases.verify import as_requests, on_cluster

_MAX_TOLD = 10  # objects

# What an object that is not live cannot show: there it is looked at as it would be made.
_ONLY_LIVE = frozenset({Reason.STALE_BASE, Reason.WRONG_OPERATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver:
    """What is new in a release, and what is not.

    Attributes:
        changed: What has to be signed.
        kept: What keeps its evidence; None: nothing does.
        order: All objects, as they were given.
    """

    changed: tuple[Prepared, ...] = ()
    kept: Sheet | None = None
    order: tuple[ObjectRef, ...] = ()

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """Which objects keep their evidence."""
        items = self.kept.items if self.kept else ()
        return tuple(item.prepared.ref for item in items)

    def with_kept(
        self, sets: Sequence[Tree], objects: Iterable[Tree], *, sets_only: bool
    ) -> list[Tree]:
        """Return all that is to be applied, sets first, objects in their order.

        Args:
            sets: Made for what changed.
            objects: What changed, with what it carries.
            sets_only: Objects are left out.
        """
        changed = [*objects]
        if self.kept is None:
            return [*sets, *(() if sets_only else changed)]
        joined, kept = applied(self.kept, sets, sets_only=sets_only)
        new = zip((one.ref for one in self.changed), changed, strict=False)
        every = dict(new) | {**kept}
        return [*joined, *(() if sets_only else (every[ref] for ref in self.order))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What ``--carry-over`` named, and how it is judged.

    Attributes:
        session: The clock, and the environment.
        earlier: What is in the files.
        names: Of the files.
        clusters: For each of which evidence has to hold.
        policies: Folder of rules, or None.
        trusted_root: File that says whom to trust, or None.
        where: Cluster to ask, or None.
    """

    session: Session
    earlier: Earlier
    names: tuple[str, ...]
    clusters: tuple[str, ...]
    policies: Path | None = None
    trusted_root: Path | None = None
    where: Where | None = None

    def signed(
        self, objects: Sequence[Prepared], sets: Sequence[Placed]
    ) -> CarriedOver:
        """Part a release by what admission would say of each unchanged object.

        Whatever is found amiss with one, even if it only warns, has it signed anew.

        Args:
            objects: All of the release.
            sets: BundleSets that came with them.
        """
        same = self.earlier.holding(objects)
        known = named([*self.earlier.sets, *sets])
        sheet = asyncio.run(evidence_of(same, known, None)) if same else None
        found: dict[ObjectRef, set[str]] = {one.ref: set() for one in same}
        for ref in _emergencies(sheet):
            found[ref].add("signed for an emergency")
        for cluster in self.clusters if sheet else ():
            trees = tuple(_to_judge(sheet)) if sheet else ()
            for ref, reasons in asyncio.run(self._judged(trees, cluster)):
                found.get(ref, set()).update(reasons)
        good = [one for one in same if not found[one.ref]]
        self._tell(objects, good, {r: w for r, w in found.items() if w})
        return self._parted(objects, good, known)

    def attested(
        self, objects: Sequence[Prepared], sets: Sequence[Placed]
    ) -> CarriedOver:
        """Part a release by whether each unchanged object has provenance that holds."""
        same = self.earlier.holding(objects)
        known = named([*self.earlier.sets, *sets])
        rules = read_policies(self.policies).snapshot() if self.policies else None
        with open_rulebook(self.policies, self.trusted_root, self.session) as rulebook:
            prover = rulebook.prover
            sheet = asyncio.run(evidence_of(same, known, prover)) if same else None
        collectors = {
            one.name
            for policy in (rules.policies if rules else ())
            for one in policy.collectors
        }
        good = [
            one
            for one in same
            if sheet
            and still_attested(
                one,
                sheet.evidence,
                clusters=self.clusters,
                at=self.session.now(),
                proven=prover is not None,
                revoked=rules.revocations if rules else (),
                collectors=collectors,
            )
        ]
        refs = {one.ref for one in good}
        lost = {o.ref: {"no provenance of it holds"} for o in same if o.ref not in refs}
        self._tell(objects, good, lost)
        return self._parted(objects, good, known)

    def _parted(
        self,
        objects: Sequence[Prepared],
        good: Sequence[Prepared],
        known: Sequence[Placed],
    ) -> CarriedOver:
        refs = {one.ref for one in good}
        return CarriedOver(
            changed=tuple(one for one in objects if one.ref not in refs),
            kept=asyncio.run(evidence_of(good, known, None)) if good else None,
            order=tuple(one.ref for one in objects),
        )

    async def _judged(
        self, trees: tuple[Tree, ...], cluster: str
    ) -> list[tuple[ObjectRef, set[str]]]:
        """Say what is amiss with objects as made anew, and as applied where seen."""
        found = Sources(policies=self.policies, where=self.where)
        async with open_bench(self.session, found, cluster, trees) as bench:
            bench.sets.add(trees, "")
            kinds, review = bench.settings.kinds, bench.reviewer.review
            made = as_requests(trees, namespace="", kinds=kinds)
            await list_sets(bench, {request.ref.namespace for request in made})
            said = [(r.ref, _amiss(await review(r), _ONLY_LIVE)) for r in made]
            if self.where is None:
                return said
            asked = await on_cluster(
                trees, namespace="", state=bench.state, kinds=kinds
            )
            return [*said, *[(r.ref, _amiss(await review(r))) for r in asked]]

    def _tell(
        self,
        objects: Sequence[Prepared],
        good: Sequence[Prepared],
        lost: Mapping[ObjectRef, Iterable[str]],
    ) -> None:
        changed = len(objects) - len(good) - len(lost)
        names = one_line(", ".join(self.names))
        again = f", {len(lost)} to be covered anew" if lost else ""
        click.echo(
            f"{changed} of {counted(len(objects), 'object')} changed{again}; "
            f"{len(good)} keep the evidence of {names}",
            err=True,
        )
        for ref, why in sorted(lost.items(), key=str)[:_MAX_TOLD]:
            what = f"{ref} is as it was, but its evidence no longer holds"
            click.echo(f"  {one_line(what, 600)}: {', '.join(sorted(why))}", err=True)


def read_before(
    names: Sequence[str],
    namespace: str,
    kinds: Kinds,
    *,
    session: Session,
    clusters: Sequence[str],
    policies: Path | None,
    trusted_root: Path | None = None,
    where: Where | None = None,
) -> Before | None:
    """Read the files of ``--carry-over``; None: there are none.

    Raises:
        NoInput, Malformed, Unavailable: one cannot be read, or holds no evidence.
    """
    if not names:
        return None
    trees = read_manifests(Inputs(filenames=tuple(names)))
    return Before(
        session=session,
        earlier=read_earlier(trees, namespace=namespace, kinds=kinds),
        names=tuple(names),
        clusters=tuple(clusters),
        policies=policies,
        trusted_root=trusted_root,
        where=where,
    )


def _to_judge(sheet: Sheet) -> Iterable[Tree]:
    """Yield objects as they would be applied, and the sets that go before them."""
    sets, objects = applied(sheet, (), sets_only=False)
    return [*objects.values(), *sets]


def _emergencies(sheet: Sheet | None) -> Iterable[ObjectRef]:
    """Return the objects of which somebody signed in an emergency: a debt stays one."""
    if sheet is None:
        return ()
    urgent = {
        subject.digest
        for found in sheet.evidence
        if isinstance(found.claim, SignOff) and found.claim.emergency
        for subject in found.subjects
    }
    return [i.prepared.ref for i in sheet.items if i.change.digest in urgent]


def _amiss(verdict: Verdict, but: Collection[Reason] = ()) -> set[str]:
    """Return why evidence no longer counts; empty: it does."""
    found = {finding.reason for finding in verdict.findings}
    return {reason.value for reason in found.difference(but)}
