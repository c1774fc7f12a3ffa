"""What was found out about one request, by the time that was up."""

from dataclasses import dataclass, field

from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import Digest, Intent, ObjectRef
from countersign.core.types.bound import BoundIntent
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Basis, Detail, Finding
from countersign.usecases.gather import MAX_CARRIED
from countersign.usecases.gathered import Gathered


@dataclass(slots=True)
class Seen:
    """What is known when time is up.

    Attributes:
        facts: About the cluster.
        now: What speaks of the new object, or of the one that goes.
        before: What speaks of the old object.
        bound: Intents that the new object equals, for any policy.
        uid: Of the live object, where it was looked up; else ``""``.
    """

    facts: ClusterFacts = field(default_factory=ClusterFacts)
    now: Gathered = field(default_factory=Gathered)
    before: Gathered = field(default_factory=Gathered)
    bound: frozenset[BoundIntent] = frozenset()
    uid: str = ""

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
        """Return raw proven bundles, first those that `bases` rest on.

        Limits:
            `MAX_CARRIED`.
        """
        relied = {digest for basis in bases for digest in basis.bundles}
        equal: set[Digest] = {bound.digest for bound in self.bound}
        ordered = sorted(
            self.now.evidence,
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
                about=about,
                facts=Detail(problem.text),
                enforcement=policy.enforcement,
            )
            for problem in sorted({*self.now.problems, *self.before.problems})
        ]
