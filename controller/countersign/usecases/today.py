"""Today: whether what speaks for a live object would still do, if it had to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from countersign.core.rules.authentic import authentic
from countersign.core.rules.collectors import made_by
from countersign.core.rules.revocation import is_revoked
from countersign.core.types.evidence import Evidence, Provenance, SignOff
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.running import Running
from countersign.usecases.testimony import Testimony


@dataclass(frozen=True, slots=True)
class Today:
    """What has changed since the evidence was good enough to admit.

    None of it ends what runs (rule 9): it is for people to know.

    Attributes:
        revoked: Every withdrawal.
        at: Now.
    """

    revoked: Collection[Revoked]
    at: datetime

    def of(
        self,
        one: Running,
        testimony: Testimony,
        policies: Iterable[Policy],
        cluster: str,
    ) -> Running:
        """Say of what somebody stands for whether that is withdrawn, or over."""
        evidence = testimony.gathered.supporting
        withdrawn, lapsed = [], []
        for policy in policies:
            if policy.name in one.doubting:
                continue
            bound = testimony.bound(policy)
            left = [e for e in evidence if not self._is_withdrawn(e, policy)]
            if not authentic(policy, one.object, bound, left, cluster=cluster):
                withdrawn.append(policy.name)
                continue
            left = [e for e in left if not self._is_over(e)]
            if not authentic(policy, one.object, bound, left, cluster=cluster):
                lapsed.append(policy.name)
        return replace(
            one, withdrawn=tuple(sorted(withdrawn)), lapsed=tuple(sorted(lapsed))
        )

    def _is_withdrawn(self, evidence: Evidence, policy: Policy) -> bool:
        return is_revoked(
            evidence,
            self.revoked,
            person=policy.roster.signer(evidence.signer),
            collectors=made_by((*policy.collectors, *policy.builders), evidence),
        )

    def _is_over(self, evidence: Evidence) -> bool:
        claim = evidence.claim
        if not isinstance(claim, SignOff | Provenance):
            return False
        return claim.validity.end is not None and claim.validity.end < self.at
