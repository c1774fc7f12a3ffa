"""Traffic: what policies would have denied of what is recorded."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from countersign.binding.canonical import canonical_json
from countersign.binding.masking import is_secret
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.decision import Decision, Recorded
from countersign.core.types.impact import Request, Shortfall, Traffic
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import Reason
from countersign.ports import MAX_FOUND, Query, Records
from countersign.usecases.impact import shortfalls
from countersign.usecases.review import Reviewer
from countersign.usecases.verify import as_requests
from countersign.wire.resources.bundleset import render_bundle_set

MAX_READ = 20_000  # decisions of one namespace
_ASKED_AT_ONCE = 8  # decisions that are fetched whole

_ONLY_LIVE = frozenset({Reason.STALE_BASE, Reason.WRONG_OPERATION})
"""What a request that is judged without its old object cannot show."""

_NOT_SEEN = frozenset({Reason.UNAVAILABLE, Reason.MALFORMED, *_ONLY_LIVE})
"""It says nothing of the request, only of who looks."""


async def recorded(
    records: Records, namespace: str, since: datetime | None, limit: int = MAX_READ
) -> tuple[tuple[Recorded, ...], bool]:
    """Return the newest decisions of a namespace, and whether there are more.

    Args:
        records: Where they are read.
        namespace: Which; ``""``: what belongs to none.
        since: Not before; None: all.
        limit: At most so many, or a page more.

    Raises:
        Rejected, Unavailable: as the port says.
    """
    found: dict[str, Recorded] = {}
    until: datetime | None = None
    size = min(limit, MAX_FOUND)
    while len(found) < limit:
        query = Query(namespace=namespace, since=since, until=until, limit=size)
        page = await records.find(query)
        before = len(found)
        found |= {one.decision.id: one for one in page}
        if len(page) < size:
            return tuple(found.values()), False
        if len(found) == before:
            break  # more were made in one moment than an answer holds
        until = page[-1].last
    return tuple(found.values()), True


def as_judged(
    kept: Iterable[Recorded], policies: Collection[Policy], *, cut: bool = False
) -> Traffic:
    """Return what `policies` found then, by what is recorded.

    Args:
        kept: Decisions.
        policies: Of any enforcement.
        cut: There are more.
    """
    names = {policy.name for policy in policies} | {""}
    mine = [one for one in kept if _concerns(one.decision, policies)]
    told = [
        (
            one,
            tuple(
                Shortfall(f.policy, f.reason, f.message)
                for f in one.decision.findings
                if f.policy in names
            ),
        )
        for one in mine
    ]
    return _traffic(told, anew=False, cut=cut)


async def judged_anew(
    kept: Sequence[Recorded],
    policies: Collection[Policy],
    reviewer: Reviewer,
    *,
    cut: bool = False,
) -> Traffic:
    """Judge recorded requests by policies that were not there.

    Each as if the object were created now: what it was before is not kept. Secrets are
    kept masked, and cannot be judged; nor can what was let through without anybody's
    signature, of which no object is kept.

    Args:
        kept: Decisions, whole; what they carried must lie where `reviewer` looks.
        policies: As if they denied.
        reviewer: Judges by these.
        cut: There are more.
    """
    told, unjudged = [], 0
    for one in kept:
        if not _concerns(one.decision, policies):
            continue
        await asyncio.sleep(0)  # thousands of requests: others have the loop, too
        try:
            request = _asked_again(one.decision)
        except Malformed:
            request = None
        if request is None:
            unjudged += 1
            continue
        found = shortfalls(await reviewer.review(request))
        if found and all(f.reason in _NOT_SEEN for f in found):
            unjudged += 1
            continue
        told.append((one, tuple(f for f in found if f.reason not in _ONLY_LIVE)))
    return _traffic(told, anew=True, cut=cut, unjudged=unjudged)


async def whole(
    records: Records, kept: Sequence[Recorded], policies: Collection[Policy]
) -> AsyncIterator[Recorded]:
    """Fetch those of `kept` that are about `policies`, with intents and bundles.

    Raises:
        Rejected, Unavailable: as the port says.
    """
    mine = [one for one in kept if _concerns(one.decision, policies)]
    for start in range(0, len(mine), _ASKED_AT_ONCE):
        some = mine[start : start + _ASKED_AT_ONCE]
        for one in await asyncio.gather(*(records.get(k.decision.id) for k in some)):
            if one is not None:
                yield one


def evidence_of(decision: Decision) -> Tree | None:
    """Return what a request brought along, as a BundleSet; None: nothing.

    Or more than a set may hold: without it there is only more to deny.
    """
    proposal = decision.proposal
    intent = proposal.intent if proposal is not None else None
    if intent is None or not decision.bundles:
        return None
    ref = decision.object
    try:
        return render_bundle_set(
            ref.kind, decision.bundles, [canonical_json(intent.tree)], ref.namespace
        )
    except Malformed:
        return None


def _concerns(decision: Decision, policies: Collection[Policy]) -> bool:
    ref = decision.object
    kind = GroupKind(ref.group, ref.kind)
    return any(policy.scope.holds(kind, ref.namespace) for policy in policies)


def _asked_again(decision: Decision) -> AdmissionRequest | None:
    """Return a request like the recorded one; None: too little of it is kept."""
    asked = AdmissionRequest(
        uid="",
        verb=decision.verb,
        resource=decision.resource,
        ref=decision.object,
        version=decision.resource.version,
        object=None,
        old=None,
        options=None,
        requester=decision.requester,
        dry_run=True,
    )
    if decision.verb is Verb.CONNECT:
        return replace(asked, object={})
    if decision.verb is Verb.DELETE:
        return replace(asked, old=_bare(decision))
    proposal = decision.proposal
    intent = proposal.intent if proposal is not None else None
    if intent is None or decision.resource.subresource or is_secret(intent.tree):
        return None
    (made,) = as_requests([intent.tree], namespace=decision.object.namespace)
    return replace(
        made,
        resource=replace(decision.resource, subresource=""),
        requester=decision.requester,
    )


def _bare(decision: Decision) -> Tree:
    """Return as much of an object as is known of one that was to go."""
    ref, version = decision.object, decision.resource.version
    return {
        "apiVersion": f"{ref.group}/{version}" if ref.group else version,
        "kind": ref.kind,
        "metadata": {
            "name": ref.name,
            **({"namespace": ref.namespace} if ref.namespace else {}),
            "uid": decision.uid,
        },
    }


def _traffic(
    told: Sequence[tuple[Recorded, tuple[Shortfall, ...]]],
    *,
    anew: bool,
    cut: bool,
    unjudged: int = 0,
) -> Traffic:
    faulty = [
        Request(
            decision=kept.decision.id,
            object=kept.decision.object,
            verb=kept.decision.verb,
            requesters=kept.requesters or (kept.decision.requester.name,),
            count=kept.count,
            last=kept.last,
            outcome=kept.decision.outcome,
            shortfalls=missing,
            signable=kept.decision.proposal is not None,
        )
        for kept, missing in told
        if missing
    ]
    return Traffic(
        found=tuple(sorted(faulty, key=lambda r: (-r.count, r.object, r.decision))),
        decisions=len(told),
        requests=sum(kept.count for kept, _ in told),
        anew=anew,
        unjudged=unjudged,
        since=min((kept.last for kept, _ in told), default=None),
        cut=cut,
    )
