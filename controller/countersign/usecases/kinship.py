"""What the doors say of a child: owner gone, not what the owner makes, or in."""

from collections.abc import Iterable

from countersign.binding.canonical import canonical_json
from countersign.binding.children import Derivation
from countersign.binding.deletions import Owner
from countersign.binding.derivations.kin import text
from countersign.core.types.artifacts import Difference, Digest, Tree
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Basis, Differences, Door, Expected, Reason
from countersign.usecases.opened import Opened
from countersign.usecases.testimony import Standing


def unowned(
    request: AdmissionRequest, owner: Owner, policies: Iterable[Policy]
) -> Opened:
    """Say that the owner which an object claims is not there, or not its."""
    facts = Expected(f"{owner.kind.kind}/{owner.name}", "")
    return Opened.refusing(request.ref, policies, Reason.OWNER_UNPROVEN, facts)


def differing(
    request: AdmissionRequest,
    source: Tree,
    differences: tuple[Difference, ...],
    policies: Iterable[Policy],
) -> Opened:
    """Say where an object is not what `source`, from which it comes, makes of it."""
    facts = Differences(Digest.sha256(canonical_json(source)), differences)
    return Opened.refusing(request.ref, policies, Reason.CHILD_DIFFERS, facts)


def believed(
    request: AdmissionRequest,
    way: Derivation,
    owner: Tree,
    policies: tuple[Policy, ...],
    standing: Standing,
) -> Opened:
    """Let a child in by the policies for which its owner is authentic."""
    bases = tuple(
        Basis(
            policy=policy.name,
            door=Door.DERIVED,
            rule=way.rule,
            bundles=standing[policy.name],
        )
        for policy in policies
        if policy.name in standing
    )
    doubted = tuple(p for p in policies if p.name not in standing)
    name = f"{owner.get('kind')}/{text(owner, '/metadata/name')}"
    refused = Opened.refusing(
        request.ref, doubted, Reason.OWNER_UNPROVEN, Expected("", name)
    )
    return Opened(bases, refused.findings)
