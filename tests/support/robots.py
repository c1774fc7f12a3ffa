"""Builders of what a robot does in the small company of `a`: it raises versions."""

from collections.abc import Iterable
from typing import Any

from countersign.core.types.attestors import Attestor
from countersign.core.types.evidence import (
    CertificateClaims,
    Contributor,
    Evidence,
    Part,
    Touched,
)
from countersign.core.types.people import CertIdentity, Person
from countersign.core.types.robots import Robot
from tests.support import a

ADDRESS = "versions@acme.example"
SAN = "https://git.acme.example/acme/ci/versions.yml@refs/heads/main"
SIGNER = CertIdentity("public", a.CI_ISSUER, SAN)
RAN = CertificateClaims(source_repository=a.REPOSITORY)
INSIDE = "charts/ledger/values.yaml"


def robot(**fields: Any) -> Robot:
    """Return the robot ``versions``; fields of `Attestor` are taken, too."""
    by: dict[str, Any] = {
        "name": "versions",
        "trust_root": "public",
        "issuer": a.CI_ISSUER,
        "san": SAN,
        "source_repositories": (a.REPOSITORY,),
    }
    by |= {name: fields.pop(name) for name in Attestor.__slots__ if name in fields}
    given: dict[str, Any] = {
        "authors": frozenset({ADDRESS}),
        "paths": ("charts/*/values.yaml",),
    }
    return Robot(by=Attestor(**by), **{**given, **fields})


def made(
    *people: Person,
    paths: Iterable[str] | None = (INSIDE,),
    parts: Iterable[Part] = (Part.AUTHOR, Part.COMMITTER),
    **fields: Any,
) -> Evidence:
    """Return what ``ci`` says of a range of the robot's, and of `people`.

    Args:
        *people: Beside it; by default nobody.
        paths: That it touched; None: that is not told.
        parts: That it had.
        **fields: Of `a.provenance`.
    """
    own = {Contributor(part, ADDRESS) for part in parts}
    told = frozenset() if paths is None else {Touched(ADDRESS, frozenset(paths))}
    given: dict[str, Any] = {
        "contributors": frozenset({*own, *(a.by(person) for person in people)}),
        "touched": frozenset(told),
    }
    return a.provenance(**{**given, **fields})


def word(about: Evidence | None = None, **fields: Any) -> Evidence:
    """Return the robot's own word about a range, by default that of `made`."""
    given: dict[str, Any] = {"signer": SIGNER, "certificate": RAN}
    return a.declaration(about=about or made(), **{**given, **fields})
