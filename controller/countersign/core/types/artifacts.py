"""What can be signed about: digests, subjects, Kubernetes objects and images."""

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from countersign.core.errors import Malformed

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Tree: TypeAlias = dict[str, "Json"]


class Algorithm(StrEnum):
    """The digest algorithms of the in-toto DigestSet that countersign knows."""

    SHA256 = "sha256"
    GIT_COMMIT = "gitCommit"
    GIT_TREE = "gitTree"


_SHAPE = {
    Algorithm.SHA256: re.compile(r"[0-9a-f]{64}"),
    Algorithm.GIT_COMMIT: re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}"),
    Algorithm.GIT_TREE: re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}"),
}


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A content address, written ``sha256:<64 lowercase hex>`` or ``gitCommit:<40 or 64>``.

    Raises:
        Malformed: the value has not the length or alphabet of its algorithm.
    """

    algorithm: Algorithm
    value: str

    def __post_init__(self) -> None:
        if not _SHAPE[self.algorithm].fullmatch(self.value):
            raise Malformed(
                f"expected a {self.algorithm} digest in lowercase hex, saw {self.value[:80]!r}"
            )

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"

    @classmethod
    def sha256(cls, data: bytes) -> "Digest":
        """Return the SHA-256 of `data`."""
        return cls(Algorithm.SHA256, hashlib.sha256(data).hexdigest())

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Read ``algorithm:value``.

        Raises:
            Malformed: the algorithm is unknown or the value has the wrong shape.
        """
        name, _, value = text.partition(":")
        try:
            algorithm = Algorithm(name)
        except ValueError as error:
            raise Malformed(
                f"expected sha256:, gitCommit: or gitTree:, saw {text[:80]!r}"
            ) from error
        return cls(algorithm, value)


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """An artifact of an in-toto statement. Matched by `digest`; `name` is display only."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True, order=True)
class GroupKind:
    """An API group and kind."""

    group: str
    kind: str


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """A Kubernetes object by what it is, not by how it was written.

    Attributes:
        group: API group, ``""`` for core. The version is deliberately absent.
        kind: Kind.
        namespace: The request's namespace; ``""`` for cluster-scoped objects.
        name: Name; ``""`` while only `generate_name` is known.
        generate_name: Prefix from which the server makes the name, or ``""``.
    """

    group: str
    kind: str
    namespace: str
    name: str
    generate_name: str = ""

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{where}{self.kind}/{self.name or self.generate_name + '*'}"


@dataclass(frozen=True, slots=True, order=True)
class Image:
    """An image that an object would run, as the kubelet reads its reference.

    Attributes:
        reference: As written.
        repository: Normalised, ``docker.io/library/nginx``.
        tag: Tag or ``""``.
        digest: The pinned digest, or None: then the reference pins nothing.
        platforms: Of an index: the manifests in it that some machine could run. Empty:
            it is none. None: nobody looked. It follows from the digest, so it makes no
            other image of it.
    """

    reference: str
    repository: str
    tag: str = ""
    digest: Digest | None = None
    platforms: frozenset[Digest] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Intent:
    """A canonical intent (C0) whose digest was checked against its tree.

    Constructed only where that check was made (`binding.canonical`).
    """

    digest: Digest
    tree: Tree


class Cause(StrEnum):
    """Why something may differ from what was signed: what advice goes by.

    A guess from the object alone, and never part of a judgement.
    """

    OTHERWISE = "otherwise"  # another value
    UNSIGNED = "unsigned"  # nothing of the sort was signed
    MISSING = "missing"  # signed, and not there
    UNWRITTEN = "unwritten"  # left out, and not the value that then is meant
    KEPT = "kept"  # not signed, and there before
    SCALED = "scaled"  # a number that scaling moves
    MARKED = "marked"  # the mark of a tool that the policy does not name
    DROPPED = "dropped"  # signed, and of a feature that a cluster may not have
    REORDERED = "reordered"  # the same items in another order


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One place where what is admitted is not what was signed.

    Attributes:
        path: JSON pointer.
        expected: The signed value as compact JSON, cut to a bounded length;
            None where the intent has nothing. Values of Secrets never appear.
        seen: The same for the object under admission.
        cause: Why, as far as can be told; two differences are the same without it.
    """

    path: str
    expected: str | None
    seen: str | None
    cause: Cause = field(default=Cause.OTHERWISE, compare=False)


class Digits(str):
    """A number as it is written, where no double or 64-bit integer holds it."""

    __slots__ = ()
