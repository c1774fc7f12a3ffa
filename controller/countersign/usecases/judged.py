"""A judgement with what it was made of: the verdict for the server, the rest to record."""

from dataclasses import dataclass, field

from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import Intent, ObjectRef
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found out about one request.

    Attributes:
        verdict: The judgement.
        policies: That apply to the request; empty where none could be read.
        bundles: Raw and proven: carried or beside it; first those that it rests on.
        intents: Known ones that the object equals, for any policy.
        facts: About the cluster, as far as they were looked up.
        uid: Of the live object, where the request does not show it: of what is
            connected to, or evicted. ``""``: not looked up, or there is none.
        subject: What was asked about, by its own kind, where that had to be looked up:
            for the scale of a custom resource the server shows a Scale.
        on_call: Of what is denied: who could let it in by break-glass, sorted.
    """

    verdict: Verdict
    policies: tuple[Policy, ...] = ()
    bundles: tuple[bytes, ...] = ()
    intents: tuple[Intent, ...] = ()
    facts: ClusterFacts = field(default_factory=ClusterFacts)
    uid: str = ""
    subject: ObjectRef | None = None
    on_call: tuple[str, ...] = ()
