"""Who may sign: identities, persons, roles and the roster that knows them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from countersign.core.errors import Malformed
from countersign.core.types.time import ALWAYS, Interval


@dataclass(frozen=True, slots=True, order=True)
class CertIdentity:
    """What a certificate says who signed: exact issuer and SAN, under one trust root."""

    trust_root: str
    issuer: str
    san: str


@dataclass(frozen=True, slots=True, order=True)
class KeyIdentity:
    """A named public key of one trust root."""

    trust_root: str
    key: str


Identity: TypeAlias = CertIdentity | KeyIdentity


class AliasKind(StrEnum):
    """Where a person goes by another name."""

    GIT = "git"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True, order=True)
class Alias:
    """A name under which a person appears elsewhere. Git addresses in lower case."""

    kind: AliasKind
    value: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a person holds; `namespaces` empty means in every namespace."""

    role: str
    namespaces: tuple[str, ...] = ()

    def holds_in(self, namespace: str) -> bool:
        """Tell whether the role is held in `namespace` (exact names)."""
        return not self.namespaces or namespace in self.namespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human being known to the organisation, with several ways to sign."""

    id: str
    name: str
    identities: frozenset[Identity]
    aliases: frozenset[Alias] = frozenset()
    grants: tuple[Grant, ...] = ()
    valid: Interval = ALWAYS

    def has_role(self, role: str, namespace: str) -> bool:
        """Tell whether the person holds `role` for objects of `namespace`."""
        return any(g.role == role and g.holds_in(namespace) for g in self.grants)


@dataclass(frozen=True, slots=True)
class Roster:
    """The persons whom a policy knows.

    Raises:
        Malformed: two persons share an id, an identity or an alias: nobody could
            say who signed.
    """

    name: str
    persons: tuple[Person, ...]
    _by_identity: dict[Identity, Person] = field(init=False, repr=False, compare=False)
    _by_alias: dict[Alias, Person] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        seen: Counter[object] = Counter(p.id for p in self.persons)
        for person in self.persons:
            seen.update(person.identities)
            seen.update(person.aliases)
        shared = sorted(str(what) for what, count in seen.items() if count > 1)
        if shared:
            raise Malformed(
                f"roster {self.name}: expected each id, identity and alias once, "
                f"saw twice: {', '.join(shared)}"
            )
        by_identity = {i: p for p in self.persons for i in p.identities}
        by_alias = {a: p for p in self.persons for a in p.aliases}
        object.__setattr__(self, "_by_identity", by_identity)
        object.__setattr__(self, "_by_alias", by_alias)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.persons)

    def signer(self, identity: Identity) -> Person | None:
        """Return who signs as `identity`."""
        return self._by_identity.get(identity)

    def known_as(self, alias: Alias) -> Person | None:
        """Return who goes by `alias`."""
        return self._by_alias.get(alias)
