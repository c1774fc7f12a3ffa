"""Roster: the persons whom policies know."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from countersign.core.types.people import (
    Alias,
    AliasKind,
    CertIdentity,
    Grant,
    Identity,
    KeyIdentity,
    Person,
    Roster,
)
from countersign.wire.resources.attestors import Signatory
from countersign.wire.resources.fields import (
    MAX_LIST,
    MAX_PERSONS,
    Instant,
    Name,
    NamespaceName,
    Span,
    Strict,
    Text,
)

MAX_IDENTITIES = 16  # of one person, and as many aliases of each kind


class PersonIdentity(Signatory):
    """One way in which a person signs. The SAN is exact: no wildcard."""

    @model_validator(mode="after")
    def _exact(self) -> Self:
        if self.san and "*" in self.san:
            raise ValueError("expected an exact san, saw a *: it would be many people")
        return self

    def value(self) -> Identity:
        """Return the core's value."""
        if self.key:
            return KeyIdentity(self.trust_root, self.key)
        return CertIdentity(self.trust_root, self.issuer or "", self.san or "")


class Aliases(Strict):
    """Names under which a person appears elsewhere."""

    git: tuple[Text, ...] = Field(
        default=(), max_length=MAX_IDENTITIES, description="E-mail addresses in git."
    )
    kubernetes: tuple[Text, ...] = Field(
        default=(), max_length=MAX_IDENTITIES, description="User names."
    )


class Role(Strict):
    """A role that a person holds."""

    name: Name
    namespaces: tuple[NamespaceName, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="Exact names; absent: in every namespace.",
    )


class Qualification(Strict):
    """What a person is qualified for; for people to read."""

    name: Text
    until: Instant | None = None


class PersonEntry(Strict):
    """A person. Who leaves gets `valid.until`; the entry stays."""

    id: Name
    name: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    identities: tuple[PersonIdentity, ...] = Field(max_length=MAX_IDENTITIES)
    aliases: Aliases = Aliases()
    roles: tuple[Role, ...] = Field(default=(), max_length=MAX_LIST)
    qualifications: tuple[Qualification, ...] = Field(default=(), max_length=MAX_LIST)
    valid: Span = Span()

    def value(self) -> Person:
        """Return the core's value.

        Raises:
            Malformed: `valid` ends before it starts.
        """
        names = [(AliasKind.GIT, name.lower()) for name in self.aliases.git]
        names += [(AliasKind.KUBERNETES, name) for name in self.aliases.kubernetes]
        return Person(
            id=self.id,
            name=self.name,
            identities=frozenset(identity.value() for identity in self.identities),
            aliases=frozenset(Alias(kind, value) for kind, value in names),
            grants=tuple(Grant(role.name, role.namespaces) for role in self.roles),
            valid=self.valid.value(),
        )


class RosterSpec(Strict):
    """The spec of a Roster."""

    persons: tuple[PersonEntry, ...] = Field(
        min_length=1,
        max_length=MAX_PERSONS,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id"],
        },
    )

    def value(self, name: str) -> Roster:
        """Return the core's value.

        Raises:
            Malformed: two persons share an id, an identity or an alias.
        """
        return Roster(name, tuple(person.value() for person in self.persons))
