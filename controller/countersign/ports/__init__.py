"""What the use cases need of the world, errors included.

A port's docstring says exactly which errors may leave it; adapters translate at the
boundary. Anything else that escapes an adapter is a bug.
"""

from countersign.ports.beside import BundleSource, Detached
from countersign.ports.governing import RootBook
from countersign.ports.images import (
    Attached,
    ImageEvidence,
    ImageStore,
    Other,
    Pinned,
    RememberedEvidence,
    Throttled,
)
from countersign.ports.judging import (
    Clock,
    ClusterState,
    Definitions,
    InvalidPolicy,
    PolicyBook,
    PolicySnapshot,
    Prover,
    Signer,
    TrustBook,
)
from countersign.ports.looking import EvidenceStore, Repository, Right, SourceRepository
from countersign.ports.recording import (
    MAX_FOUND,
    Archive,
    DebtBook,
    Intake,
    Journal,
    Query,
    Recorder,
    Records,
    Spool,
)

__all__ = [
    "MAX_FOUND",
    "Archive",
    "Attached",
    "BundleSource",
    "Clock",
    "ClusterState",
    "DebtBook",
    "Definitions",
    "Detached",
    "EvidenceStore",
    "ImageEvidence",
    "ImageStore",
    "Intake",
    "InvalidPolicy",
    "Journal",
    "Other",
    "Pinned",
    "PolicyBook",
    "PolicySnapshot",
    "Prover",
    "Query",
    "Recorder",
    "Records",
    "RememberedEvidence",
    "Repository",
    "Right",
    "RootBook",
    "Signer",
    "SourceRepository",
    "Spool",
    "Throttled",
    "TrustBook",
]
