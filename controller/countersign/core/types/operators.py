"""Third-party controllers that a policy names, and what each may write (rule 27)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from countersign.core.errors import Malformed

_ACCOUNT = re.compile(
    r"system:serviceaccount:(?P<namespace>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)"
    r":[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
)
_POINTER = re.compile(r"(/([^/~]|~[01])+)+")
_NEVER = ("/apiVersion", "/kind", "/status")
LOAD_BALANCER = "/status/loadBalancer"  # whose addresses are where traffic goes
_METADATA = ("labels", "annotations", "finalizers")
_OURS = "countersign.dev"
ANY_TOKEN = "*"  # noqa: S105 - of a JSON pointer


@dataclass(frozen=True, slots=True, order=True)
class Field:
    """A place in an object: a JSON pointer in which a ``*`` is any one token.

    Raises:
        Malformed: no pointer, or one to what no operator may write: what an object is
            and is called, whose child it is, and our own annotations. Of metadata only
            single labels, annotations and finalizers can be named; of a status, which
            is free anyway, the one part that is not: where load balancers listen.
    """

    path: str

    def __post_init__(self) -> None:
        if not _POINTER.fullmatch(self.path):
            raise Malformed(f"expected a JSON pointer, saw {self.path[:80]!r}")
        first, *rest = self.tokens
        never = f"/{first}" in _NEVER and self.path != LOAD_BALANCER
        if first == ANY_TOKEN or never:
            raise Malformed(f"{self.path}: no operator may write there")
        if first == "metadata" and not _is_mark(rest):
            raise Malformed(
                f"{self.path}: of metadata only one label or annotation, or the "
                "finalizers, can be named"
            )

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens, still escaped."""
        return tuple(self.path.split("/")[1:])

    def holds(self, path: str) -> bool:
        """Tell whether `path` is this place, or lies below it."""
        asked = path.split("/")[1:]
        if asked[:2] == ["metadata", "annotations"] and is_ours("".join(asked[2:3])):
            return False
        return len(asked) >= len(self.tokens) and all(
            mine in (ANY_TOKEN, its)
            for mine, its in zip(self.tokens, asked, strict=False)
        )


def is_ours(annotation: str) -> bool:
    """Tell whether the key of an annotation is ours: no operator may write it."""
    return annotation.startswith(_OURS)


def _is_mark(rest: list[str]) -> bool:
    """Tell whether what follows ``/metadata`` is one mark that is not ours."""
    if not rest or rest[0] not in _METADATA:
        return False
    if rest[0] == "finalizers":
        return len(rest) == 1
    return len(rest) == len(("labels", "key")) and not is_ours(rest[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """What an operator may write into objects that people sign.

    Attributes:
        group, kind: Of the objects.
        fields: Where; what it writes there may stay in the next signed state.
    """

    group: str
    kind: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derive:
    """A part of a child that is the owner's.

    Attributes:
        source: JSON pointer into the owner.
        target: JSON pointer into the child. Neither has wildcards: one place is equal
            to one other.

    Raises:
        Malformed: one is no JSON pointer.
    """

    source: str
    target: str

    def __post_init__(self) -> None:
        for path in (self.source, self.target):
            if not _POINTER.fullmatch(path):
                raise Malformed(f"expected a JSON pointer, saw {path[:80]!r}")


class Link(StrEnum):
    """How a child says whose it is."""

    OWNER_REFERENCE = "ownerRef"  # its only owner, by uid, is its controller
    ANNOTATION = "annotation"  # an annotation holds the owner's name
    NAME = "name"  # it is called like its owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """Objects that an operator makes of objects that people sign.

    Attributes:
        group, kind: Of the children.
        owner_group, owner_version, owner_kind: Of what they come from, in the same
            namespace.
        link: How a child says whose it is.
        key: Of the annotation, for that link.
        trusted: Anything may be in them.
        derive: Parts that must be the owner's.
        free: Places where anything may be. Whatever is neither derived nor free must
            be absent, or the server's own doing.

    Raises:
        Malformed: nothing is said of what they hold, or the link's key does not fit it.
    """

    group: str
    kind: str
    owner_group: str
    owner_version: str
    owner_kind: str
    link: Link = Link.OWNER_REFERENCE
    key: str = ""
    trusted: bool = False
    derive: tuple[Derive, ...] = ()
    free: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        if not (self.trusted or self.derive or self.free):
            raise Malformed(f"{self.kind}: expected what is derived, or what is free")
        if bool(self.key) is not (self.link is Link.ANNOTATION):
            raise Malformed(
                f"{self.kind}: expected a key for an annotation, and only then"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A third-party controller.

    Attributes:
        user: The service account it runs as.
        writes: Into objects that are not its children.
        children: What it makes.

    Raises:
        Malformed: the user is no service account: nothing could be said of where it
            runs, and who may become it.
    """

    user: str
    writes: tuple[Writes, ...] = ()
    children: tuple[Children, ...] = ()

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.user):
            raise Malformed(
                f"{self.user[:80]}: expected system:serviceaccount:NAMESPACE:NAME"
            )

    @property
    def only_addresses(self) -> bool:
        """Whether it writes nothing but the addresses of load balancers."""
        fields = {field for written in self.writes for field in written.fields}
        return not self.children and fields == {Field(LOAD_BALANCER)}

    @property
    def namespace(self) -> str:
        """Where it runs: who may make Pods there can become it."""
        found = _ACCOUNT.fullmatch(self.user)
        return found["namespace"] if found else ""
