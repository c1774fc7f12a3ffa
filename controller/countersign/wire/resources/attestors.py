"""Identities that a policy trusts: collectors, builders, robots."""

from typing import Self

from pydantic import Field, model_validator

from countersign.core.types.attestors import Attestor
from countersign.core.types.robots import Robot as Limited
from countersign.wire.resources.fields import MAX_LIST, Name, Strict, Text, rules

DEFAULT_TRUST_ROOT = "public-good"  # by convention, that of the public Sigstore

_ONE_WAY = "expected key, or issuer and san"
_PINNED = "expected sourceRepositories beside issuer: a reusable workflow has the same SAN whoever calls it"


class Signatory(Strict):
    """A certificate's issuer and SAN, or a named key, of one trust root."""

    trust_root: Name = Field(
        default=DEFAULT_TRUST_ROOT,
        description="Name of the TrustRoot that the proof must come from.",
    )
    key: Name | None = Field(
        default=None, description="A key that the trust root names."
    )
    issuer: Text | None = Field(
        default=None, description="Exact OIDC issuer of the certificate."
    )
    san: Text | None = Field(
        default=None,
        description="Subject alternative name; a * crosses neither / nor @.",
    )

    model_config = rules(
        ("has(self.key) != has(self.issuer)", _ONE_WAY),
        ("has(self.issuer) == has(self.san)", _ONE_WAY),
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.key is None, self.issuer is not None, self.san is not None)
        if len(set(ways)) > 1:
            raise ValueError(_ONE_WAY)
        return self


class Pins(Strict):
    """What a CI system's certificate must say beside issuer and SAN."""

    source_repositories: tuple[Text, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="Repositories the certificate may speak about.",
    )
    refs: tuple[Text, ...] = Field(
        default=(), max_length=MAX_LIST, description="Git references, exact."
    )
    triggers: tuple[Text, ...] = Field(
        default=(), max_length=MAX_LIST, description="Build triggers, such as push."
    )
    runner_environments: tuple[Text, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="Runner environments, such as github-hosted.",
    )


class Builder(Signatory, Pins):
    """Whose provenance links an image to the commit it was built from."""

    name: Name | None = Field(
        default=None, description="For people; default: the key or the SAN."
    )

    def value(self, repositories: tuple[str, ...] = ()) -> Attestor:
        """Return the core's value.

        Args:
            repositories: Used where this entry names none.

        Raises:
            Malformed: a certificate that is pinned to no repository.
        """
        return Attestor(
            name=self.name or self.key or self.san or "",
            trust_root=self.trust_root,
            key=self.key or "",
            issuer=self.issuer or "",
            san=self.san or "",
            source_repositories=self.source_repositories or repositories,
            refs=self.refs,
            triggers=self.triggers,
            runner_environments=self.runner_environments,
        )


class Collector(Builder):
    """Who may attest how a change was made, and about which repositories."""

    model_config = rules(
        ("has(self.key) != has(self.issuer)", _ONE_WAY),
        ("has(self.issuer) == has(self.san)", _ONE_WAY),
        ("!has(self.issuer) || has(self.sourceRepositories)", _PINNED),
    )

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.issuer and not self.source_repositories:
            raise ValueError(_PINNED)
        return self


class Robot(Collector):
    """Trusted automation, limited by path: its own signed word makes its commits human."""

    authors: tuple[Text, ...] = Field(
        min_length=1,
        max_length=MAX_LIST,
        description="Its addresses in git: exactly, in any letter case.",
    )
    paths: tuple[Text, ...] = Field(
        min_length=1,
        max_length=MAX_LIST,
        description="All that it may touch, from the root of the repository; a * "
        "crosses no /, a part that is ** stands for any number of folders.",
    )

    def limited(self) -> Limited:
        """Return the core's value.

        Raises:
            Malformed: a path that cannot be meant.
        """
        return Limited(
            by=self.value(),
            authors=frozenset(address.lower() for address in self.authors),
            paths=self.paths,
        )
