"""Rounds: one request tried at all doors, with more and more of the evidence.

What is at hand decides first. Before a denial the evidence beside the object is listed
live, and only then are registries asked (ADR 0019). Steps are numbered as in
:meth:`countersign.usecases.review.Reviewer.judge`.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace

from countersign.binding.surface import STATES, Rule
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Reason
from countersign.ports import BundleSource, RememberedEvidence
from countersign.usecases.images import Looks, asks_registries
from countersign.usecases.opened import Opened
from countersign.usecases.seen import Seen
from countersign.usecases.ways import Ways


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, with what judges it.

    Attributes:
        ways: The doors, as the present kinds have them.
        request: It.
        rule: Of its resource and verb.
        subject: What it is about.
        policies: In force for that.
        revoked: Whose word counts no more.
        deadline: Of the loop's clock; None: there is none.
    """

    ways: Ways
    request: AdmissionRequest
    rule: Rule
    subject: ObjectRef
    policies: tuple[Policy, ...]
    revoked: Collection[Revoked]
    deadline: float | None


class Rounds:
    """Tries all doors, as often as there is more evidence to be had.

    Args:
        sets: Evidence beside objects.
        images: Evidence beside images; None: no registry is asked.
    """

    def __init__(self, sets: BundleSource, images: RememberedEvidence | None) -> None:
        self._sets = sets
        self._images = images

    async def judge(self, asked: Asked) -> tuple[Opened, Seen]:
        """Try all doors, with more and more of the evidence that there is."""
        looks = None
        if self._images is not None and asks_registries(asked.policies):
            looks = Looks(self._images)
            asked = replace(asked, ways=asked.ways.seeing(looks))
        opened, seen = await self._round(asked)
        listed = True
        if opened.shut(asked.policies):  # 6.
            try:
                async with asyncio.timeout_at(asked.deadline):
                    more = await self._sets.refresh(asked.subject.namespace)
            except (Unavailable, TimeoutError):
                listed = False
            else:
                if more:
                    opened, seen = await self._round(asked)
        shut = opened.shut(asked.policies)
        if looks and looks.missed and shut and not _is_late(asked.deadline):  # 7.
            looks.ask()
            later, seen = await self._round(replace(asked, policies=shut), looks)
            opened = opened.but(shut, later)
        if not listed:
            unseen = _unlisted(asked.subject, opened.shut(asked.policies))
            opened = Opened(opened.bases, (*opened.findings, *unseen.findings))
        return opened, seen

    async def _round(
        self, asked: Asked, looks: Looks | None = None
    ) -> tuple[Opened, Seen]:
        """Try all doors once; `looks` that wait for registries may be kept waiting."""
        opened = await self._open(asked)  # 4.
        if looks is not None:
            opened = _silenced(opened, asked, looks)
        shut = opened.shut(asked.policies)
        if not shut:
            return opened, Seen()
        if asked.rule in STATES:  # 5.
            signed, seen = await asked.ways.signed.open(
                asked.request,
                asked.subject,
                shut,
                revoked=asked.revoked,
                deadline=asked.deadline,
            )
        else:
            signed, seen = await asked.ways.beside.open(
                asked.request,
                asked.rule,
                asked.subject,
                shut,
                revoked=asked.revoked,
                deadline=asked.deadline,
            )
        return opened.then(signed), seen

    async def _open(self, asked: Asked) -> Opened:
        subject, policies = asked.subject, asked.policies
        try:
            async with asyncio.timeout_at(asked.deadline):
                return await asked.ways.doors.open(
                    asked.request, asked.rule, policies, asked.revoked
                )
        except Malformed as error:
            return Opened.failing(subject, policies, Reason.MALFORMED, error)
        except Unavailable as error:
            return Opened.failing(subject, policies, Reason.UNAVAILABLE, error)
        except TimeoutError:
            late = Unavailable("the owner was not seen in time")
            return Opened.failing(subject, policies, Reason.UNAVAILABLE, late)


def _is_late(deadline: float | None) -> bool:
    return deadline is not None and asyncio.get_running_loop().time() >= deadline


def _silenced(opened: Opened, asked: Asked, looks: Looks) -> Opened:
    """Say of doors that stay shut that a registry was silent, where one was.

    Whose owner's evidence may lie there was not found wanting: nobody knows.
    """
    spoke = {finding.policy for finding in opened.findings}
    doubting = tuple(
        policy
        for policy in opened.shut(asked.policies)
        if policy.images.registries and policy.name in spoke
    )
    if not (doubting and looks.silent):
        return opened
    error = Unavailable("; ".join(looks.silent))
    reason = Reason.UNAVAILABLE
    return opened.but(doubting, Opened.failing(asked.subject, doubting, reason, error))


def _unlisted(subject: ObjectRef, shut: Collection[Policy]) -> Opened:
    error = Unavailable("the BundleSets of the namespace were not listed in time")
    return Opened.failing(subject, shut, Reason.UNAVAILABLE, error)
