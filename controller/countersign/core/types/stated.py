"""What statements claim before anything of them is proven: enough to choose among them."""

from dataclasses import dataclass

from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Claim


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement, not proven.

    Attributes:
        digests: Of its subjects; proven, it will have the same.
        claim: What it says.
    """

    digests: frozenset[Digest]
    claim: Claim
