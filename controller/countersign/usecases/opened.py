"""What the doors say of one request."""

from collections.abc import Iterable
from dataclasses import dataclass

from countersign.core.errors import CountersignError
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Basis, Detail, Door, Facts, Finding, Reason

MAX_DETAIL = 512  # characters


@dataclass(frozen=True, slots=True)
class Opened:
    """For each policy a basis, a finding, or nothing.

    Attributes:
        bases: Of the policies that let the request in.
        findings: Why a door that the request tried stays shut.
    """

    bases: tuple[Basis, ...] = ()
    findings: tuple[Finding, ...] = ()

    @classmethod
    def by(cls, policies: Iterable[Policy], door: Door, rule: str = "") -> "Opened":
        """Let the request in, by every one of `policies`."""
        return cls(tuple(Basis(policy=p.name, door=door, rule=rule) for p in policies))

    @classmethod
    def refusing(
        cls,
        about: ObjectRef,
        policies: Iterable[Policy],
        reason: Reason,
        facts: Facts = None,
    ) -> "Opened":
        """Say for each of `policies` why not."""
        return cls(
            findings=tuple(
                Finding(
                    policy=policy.name,
                    reason=reason,
                    about=about,
                    facts=facts,
                    enforcement=policy.enforcement,
                )
                for policy in policies
            )
        )

    @classmethod
    def failing(
        cls,
        about: ObjectRef,
        policies: Iterable[Policy],
        reason: Reason,
        error: CountersignError,
    ) -> "Opened":
        """Say for each of `policies` that nobody could find out."""
        return cls.refusing(about, policies, reason, Detail(str(error)[:MAX_DETAIL]))

    def complete(self, policies: Iterable[Policy]) -> bool:
        """Tell whether every one of `policies` has its basis."""
        return {p.name for p in policies} <= {b.policy for b in self.bases}

    def shut(self, policies: Iterable[Policy]) -> tuple[Policy, ...]:
        """Return the policies that still have no basis."""
        let_in = {basis.policy for basis in self.bases}
        return tuple(p for p in policies if p.name not in let_in)

    def then(self, later: "Opened") -> "Opened":
        """Add what the next door says of the policies that this one left shut.

        Where both doors stay shut, the first one that spoke knows better why.
        """
        bases = (*self.bases, *later.bases)
        let_in = {basis.policy for basis in bases}
        spoke = {finding.policy for finding in self.findings}
        return Opened(
            bases,
            tuple(
                finding
                for finding in (
                    *self.findings,
                    *(f for f in later.findings if f.policy not in spoke),
                )
                if finding.policy not in let_in
            ),
        )

    def but(self, policies: Iterable[Policy], later: "Opened") -> "Opened":
        """Return what is said of all policies, of `policies` what `later` says."""
        anew = {policy.name for policy in policies}
        return Opened(
            (*(b for b in self.bases if b.policy not in anew), *later.bases),
            (*(f for f in self.findings if f.policy not in anew), *later.findings),
        )
