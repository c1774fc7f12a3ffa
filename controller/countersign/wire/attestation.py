"""From the payload of an envelope to the claim it makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from countersign.core.errors import Foreign, Malformed
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

_OURS = "https://countersign.dev/attestation/"


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
        Malformed: it is no statement, or its predicate is not what it claims; or it is
            of ours and of a version that this one does not know, whose words may have
            another meaning by then. So it is told, and not passed over like a stranger's.
    """
    statement = parse_statement(payload)
    reader = _READERS.get(statement.predicate_type)
    if reader is None:
        raise _unknown(statement.predicate_type[:120])
    return Attestation(statement.subjects, reader(statement))


def _unknown(seen: str) -> Malformed:
    if not seen.startswith(_OURS):
        return Foreign(f"expected one of our predicates or {build.TYPE}, saw {seen!r}")
    stem = f"{seen.rpartition('/')[0]}/"
    known = next((uri for uri in _READERS if uri.startswith(stem)), "none")
    return Malformed(
        f"expected a predicate that this countersign knows ({known}), saw {seen!r}: "
        "upgrade what judges before what signs, or sign with the older version"
    )
