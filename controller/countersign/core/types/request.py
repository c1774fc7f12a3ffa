"""What the API server asks about."""

from dataclasses import dataclass
from enum import StrEnum

from countersign.core.types.artifacts import ObjectRef, Tree


class Verb(StrEnum):
    """The operation of an AdmissionRequest, as Kubernetes spells it."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


@dataclass(frozen=True, slots=True)
class Requester:
    """``userInfo`` of the request."""

    name: str
    uid: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """A resource and subresource as the request names them, version included."""

    group: str
    version: str
    name: str
    subresource: str = ""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        tail = f"/{self.subresource}" if self.subresource else ""
        return f"{self.name}{group}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRequest:
    """An ``admission.k8s.io/v1`` AdmissionRequest, parsed.

    Attributes:
        uid: Of the request; to be repeated in the answer.
        verb: What is being done.
        resource: On what, in the version that the webhook is shown.
        ref: The object by group, kind, namespace and name; for DELETE the name is the
            old object's (a deletecollection names none).
        version: API version of the object shown, without its group.
        object: New object; None for DELETE, options object for CONNECT.
        old: Old object; None for CREATE and CONNECT.
        options: Create, update, patch or delete options.
        requester: Who asks.
        dry_run: Nothing will be stored: same verdict, no record.
    """

    uid: str
    verb: Verb
    resource: Resource
    ref: ObjectRef
    version: str
    object: Tree | None
    old: Tree | None
    options: Tree | None
    requester: Requester
    dry_run: bool = False
