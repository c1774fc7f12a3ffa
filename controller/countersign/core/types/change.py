"""What a sign-off approves: a change of one object, a deletion, an access, a window."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, ObjectRef


class Operation(StrEnum):
    """What a request or a signed change does."""

    CREATE = "create"
    UPDATE = "update"
    CREATE_OR_UPDATE = "createOrUpdate"
    DELETE = "delete"
    CONNECT = "connect"


class Base(StrEnum):
    """The states of the live object that are not a digest."""

    ANY = "any"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, order=True)
class Uid:
    """The one live object with this uid, and no other that is ever called like it."""

    value: str

    def __post_init__(self) -> None:
        if not self.value:
            raise Malformed("expected the uid of a live object, saw none")

    def __str__(self) -> str:
        return f"uid {self.value}"


@dataclass(frozen=True, slots=True, order=True)
class Elastic:
    """A path whose integer may move within signed bounds, both included.

    Raises:
        Malformed: the path is no JSON pointer, or the bounds are empty or negative.
    """

    path: str
    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise Malformed(f"expected a JSON pointer, saw {self.path!r}")
        if not 0 <= self.minimum <= self.maximum:
            raise Malformed(
                f"expected 0 <= min <= max at {self.path}, "
                f"saw {self.minimum}..{self.maximum}"
            )


@dataclass(frozen=True, slots=True)
class Stretch:
    """``KIND/NAME:PATH=MIN..MAX``: a value of one object that scaling may move."""

    kind: str
    name: str
    bounds: Elastic


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectChange:
    """A new state of an object.

    Attributes:
        object: Which object; `ObjectRef.namespace` is the request's.
        digest: Of the canonical intent; also among the statement's subjects.
        operation: CREATE, UPDATE or CREATE_OR_UPDATE.
        base: The state it was approved on: its normal form's digest, or a `Base`. A
            `Uid` is for what is done to one Pod while it lives: another container in
            it, other resources.
        elastic: Values that scaling may move.
    """

    object: ObjectRef
    digest: Digest
    operation: Operation
    base: Digest | Base | Uid = Base.ANY
    elastic: tuple[Elastic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The removal of one object, named by uid."""

    object: ObjectRef
    uid: str
    propagation_policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Break-glass only: one subresource of one object, named by uid."""

    object: ObjectRef
    uid: str
    subresource: str
    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceWindow:
    """Break-glass only: anything in one namespace, for an hour at most."""

    namespace: str


Change: TypeAlias = ObjectChange | Deletion | Access | NamespaceWindow
