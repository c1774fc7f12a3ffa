"""The kinds of our API group, in one table."""

from dataclasses import dataclass

from countersign.wire.resources.bundleset_spec import BundleSetSpec
from countersign.wire.resources.fields import Strict
from countersign.wire.resources.policy import PolicySpec
from countersign.wire.resources.revocation import RevocationSpec
from countersign.wire.resources.roster import RosterSpec
from countersign.wire.resources.trust import TrustRootSpec

GROUP = "countersign.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A custom resource of ours.

    Attributes:
        name: The kind.
        plural: Resource name in URLs.
        spec: Model of its ``spec``.
        namespaced: Whether objects live in a namespace.
    """

    name: str
    plural: str
    spec: type[Strict]
    namespaced: bool = False


POLICY = Kind("ProtectionPolicy", "protectionpolicies", PolicySpec)
ROSTER = Kind("Roster", "rosters", RosterSpec)
TRUST_ROOT = Kind("TrustRoot", "trustroots", TrustRootSpec)
REVOCATION = Kind("Revocation", "revocations", RevocationSpec)
BUNDLE_SET = Kind("BundleSet", "bundlesets", BundleSetSpec, namespaced=True)

KINDS = {
    kind.name: kind for kind in (POLICY, ROSTER, TRUST_ROOT, REVOCATION, BUNDLE_SET)
}
