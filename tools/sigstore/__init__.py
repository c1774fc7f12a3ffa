"""A Sigstore of our own: it signs for real, with keys that nobody else trusts.

Tests hold a :class:`VirtualSigstore` in memory; ``make up`` and the demonstration run
``python -m tools.sigstore`` and sign against it over loopback. What it makes is accepted
by sigstore-python given its trusted root, and by nobody without.
"""

from tools.sigstore.ca import Claim, Identity
from tools.sigstore.instance import Part, VirtualSigstore, bundle
from tools.sigstore.oidc import PEOPLE, WORKFLOWS, Workflow
from tools.sigstore.trust_root import Party, Rekor

__all__ = [
    "PEOPLE",
    "WORKFLOWS",
    "Claim",
    "Identity",
    "Part",
    "Party",
    "Rekor",
    "VirtualSigstore",
    "Workflow",
    "bundle",
]
