"""``spec.images`` of a ProtectionPolicy: what is asked of images, and where they are."""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from countersign.core.types.artifacts import Digest, GroupKind
from countersign.core.types.policy import (
    ImagePaths,
    Images,
    ImageSubject,
    ThirdParty,
    Toggle,
)
from countersign.wire.resources.fields import (
    MAX_LIST,
    MAX_TEXT,
    Name,
    OciDigest,
    Strict,
    Text,
    rules,
)

MAX_REPOSITORY = 512  # characters: a host, and 255 of a repository's name
HUB = "docker.io"

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-f0-9:]+\])(?::[0-9]{{1,5}})?"
_REPOSITORY = rf"^({_HOST})/([a-z0-9._*-]+(?:/[a-z0-9._*-]+)*)$"
_POINTER = r"^(/([^/~]|~[01])+)+$"

SERVER_GROUPS = frozenset(
    {
        "admission.k8s.io",
        "admissionregistration.k8s.io",
        "apidiscovery.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "imagepolicy.k8s.io",
        "internal.apiserver.k8s.io",
        "lifecycle.k8s.io",
        "meta.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""Groups with a dot that are the server's own; custom kinds need one with a dot."""

_PLATFORMS = (
    "expected registries beside allPlatforms: which platforms an index has, only its "
    "registry can tell"
)
_TELLING = (
    "!has(self.subject) || self.subject != 'allPlatforms' || "
    "(has(self.registries) && self.registries.size() > 0)"
)


def _registry(value: object) -> str:
    """Read a pattern over repositories, and write Docker Hub's as the kubelet does."""
    text = value if isinstance(value, str) and len(value) <= MAX_REPOSITORY else ""
    found = re.fullmatch(_REPOSITORY, text)
    if found is None or not _is_host(found[1]):
        raise ValueError(
            "expected a registry's host by its name and a repository, like "
            f"ghcr.io/acme/* or docker.io/acme/*, saw {str(value)[:80]!r}: only "
            "registries that are named are ever asked, so no * stands for one, nor for "
            "any number of / after it"
        )
    host, path = found[1], found[2]
    if host == f"index.{HUB}":
        host = HUB
    if host == HUB and "/" not in path:
        path = f"library/{path}"
    return f"{host}/{path}"


def _is_host(name: str) -> bool:
    return name == "localhost" or "." in name or ":" in name


RegistryPattern = Annotated[
    str,
    PlainValidator(_registry),
    WithJsonSchema(
        {"type": "string", "pattern": _REPOSITORY, "maxLength": MAX_REPOSITORY}
    ),
]
Pointer = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=_POINTER)]


class ThirdPartySpec(Strict):
    """Images of others: a repository (* crosses no /), and digests if pinned."""

    repository: Text
    digests: tuple[OciDigest, ...] = Field(default=(), max_length=MAX_LIST)

    def value(self) -> ThirdParty:
        """Return the core's value."""
        return ThirdParty(self.repository, frozenset(map(Digest.parse, self.digests)))


class ImagePathsSpec(Strict):
    """Where a custom kind names images, or holds specifications of Pods."""

    group: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    kind: Name
    paths: tuple[Pointer, ...] = Field(
        min_length=1,
        max_length=MAX_LIST,
        description="JSON pointers; a * is any one token. Each leads to a reference, a "
        "PodSpec or a Pod template.",
    )

    model_config = rules(
        ("self.group.contains('.')", "expected the group of a custom kind")
    )

    @model_validator(mode="after")
    def _custom(self) -> Self:
        if "." not in self.group or self.group in SERVER_GROUPS:
            raise ValueError(
                f"expected the group of a custom kind, saw {self.group}: where the "
                "server's own kinds have their images is known"
            )
        return self

    def value(self) -> ImagePaths:
        """Return the core's value."""
        return ImagePaths(kind=GroupKind(self.group, self.kind), paths=self.paths)


class ImagesSpec(Strict):
    """What is asked of the images that an object newly runs."""

    attestations: Toggle | None = None
    pinning: Toggle | None = None
    registries: tuple[RegistryPattern, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="Repositories beside whose images evidence is looked for: a "
        "registry's host and a pattern in which a * crosses no /. No other registry is "
        "ever asked.",
    )
    subject: Literal["either", "index", "allPlatforms"] = Field(
        default="either",
        description="What evidence about an image index must name: either (the index, "
        "or in one statement each of its platforms), index, or allPlatforms (each "
        "platform, by whatever statements).",
    )
    third_party: tuple[ThirdPartySpec, ...] | None = Field(
        default=None, max_length=MAX_LIST
    )
    paths: tuple[ImagePathsSpec, ...] = Field(
        default=(), max_length=MAX_LIST, description="Images of custom kinds."
    )

    model_config = rules((_TELLING, _PLATFORMS))

    @model_validator(mode="after")
    def _looked_for(self) -> Self:
        if self.subject == "allPlatforms" and not self.registries:
            raise ValueError(_PLATFORMS)
        return self

    def value(self) -> Images:
        """Return the core's value."""
        return Images(
            attestations=self.attestations or Toggle.REQUIRED,
            pinning=self.pinning or Toggle.REQUIRED,
            third_party=tuple(party.value() for party in self.third_party or ()),
            registries=self.registries,
            subject=ImageSubject(self.subject),
            paths=tuple(one.value() for one in self.paths),
        )
