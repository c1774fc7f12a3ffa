"""From the payload of an envelope to the claim it makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from countersign.core.errors import Foreign
from countersign.core.types.artifacts import Subject
from countersign.core.types.evidence import Claim
from countersign.wire import build, declaration, provenance, signoff
from countersign.wire.statement import Statement, parse_statement

_READERS: Mapping[str, Callable[[Statement], Claim]] = MappingProxyType(
    {
        build.TYPE: build.parse_build,
        declaration.TYPE: declaration.parse_declaration,
        provenance.TYPE: provenance.parse_provenance,
        signoff.TYPE: signoff.parse_sign_off,
    }
)


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a statement says, whoever signed it.

    Attributes:
        subjects: Never empty.
        claim: One that the law understands.
    """

    subjects: frozenset[Subject]
    claim: Claim


def parse_attestation(payload: bytes) -> Attestation:
    """Read a statement with a predicate of ours, or a builder's.

    Raises:
        Foreign: its predicate is not one we know.
        Malformed: it is no statement, or its predicate is not what it claims.
    """
    statement = parse_statement(payload)
    reader = _READERS.get(statement.predicate_type)
    if reader is None:
        raise Foreign(
            f"expected one of our predicates or {build.TYPE}, "
            f"saw {statement.predicate_type[:120]!r}"
        )
    return Attestation(statement.subjects, reader(statement))
