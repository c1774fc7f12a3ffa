"""What was found out about one request, by the time that was up."""

from dataclasses import dataclass, field

from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import Digest, Intent, ObjectRef
from countersign.core.types.bound import BoundIntent
from countersign.core.types.change import Change
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Basis, Detail, Finding
from countersign.usecases.concerning import Spoken, State, concerning
from countersign.usecases.gather import MAX_CARRIED
from countersign.usecases.gathered import Gathered

_CARRIED = frozenset({""})  # what an object carries itself came together, too


@dataclass(slots=True)
class Seen:
    """What is known when time is up.

    Attributes:
        facts: About the cluster.
        now: What speaks of the new object, or of the one that goes.
        before: What speaks of the old object.
        bound: Intents that the new object equals, for any policy.
        images: Digests that it newly runs.
        deeds: What is done, where that leaves no state.
        uid: Of the live object, where it was looked up; else ``""``.
        unsigned: What the new object says of Helm's storage, where a policy lets
            anybody write that.
    """

    facts: ClusterFacts = field(default_factory=ClusterFacts)
    now: Gathered = field(default_factory=Gathered)
    before: Gathered = field(default_factory=Gathered)
    bound: frozenset[BoundIntent] = frozenset()
    images: frozenset[Digest] = frozenset()
    deeds: tuple[Change, ...] = ()
    uid: str = ""
    unsigned: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Tell whether nothing that there is went unseen."""
        return self.now.complete and self.before.complete

    @property
    def intents(self) -> tuple[Intent, ...]:
        """The intents that the new object equals."""
        equal = {bound.digest for bound in self.bound}
        return tuple(i for i in self.now.intents if i.digest in equal)

    def bundles(self, bases: tuple[Basis, ...]) -> tuple[bytes, ...]:
        """Return raw proven bundles about this state, first those that `bases` rest on.

        Limits:
            `MAX_CARRIED`.
        """
        relied = {digest for basis in bases for digest in basis.bundles}
        equal: frozenset[Digest] = frozenset(bound.digest for bound in self.bound)
        state = State(intents=equal, images=self.images, deeds=self.deeds)
        spoken = [
            Spoken(
                digests=e.digests,
                claim=e.claim,
                signer=e.signer,
                sets=self.now.of(e) or _CARRIED,
                given=e.bundle in relied,
            )
            for e in self.now.evidence
        ]
        kept = zip(self.now.evidence, concerning(spoken, state), strict=True)
        ordered = sorted(
            (e for e, keep in kept if keep),
            key=lambda e: (e.bundle not in relied, e.digests.isdisjoint(equal)),
        )
        digests = dict.fromkeys(e.bundle for e in ordered)
        return tuple(self.now.raw[digest] for digest in digests)[:MAX_CARRIED]

    def problems(self, about: ObjectRef, policy: Policy) -> list[Finding]:
        """Turn what counted for nothing into findings, each once."""
        return [
            Finding(
                policy=policy.name,
                reason=problem.reason,
                about=problem.about or about,
                facts=Detail(problem.text),
                enforcement=policy.enforcement,
            )
            for problem in sorted({*self.now.problems, *self.before.problems})
        ]
