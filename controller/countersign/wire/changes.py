"""One entry of a sign-off's `changes`: what exactly is approved.

An entry is one of: a new state of an object, a deletion, and, for break-glass only, an
access to one subresource or a window over a whole namespace. What it approves is also a
subject of the statement: the digest of the intent, or where there is none, of the entry.
"""

from collections.abc import Mapping
from typing import Literal

import rfc8785
from pydantic import Field, NonNegativeInt

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Json, ObjectRef, Subject, Tree
from countersign.core.types.change import (
    Access,
    Base,
    Change,
    Deletion,
    Elastic,
    NamespaceWindow,
    ObjectChange,
    Operation,
    Uid,
)
from countersign.wire.shapes import OneDigest, Shape, render_digest, shaped

MAX_ELASTIC = 64  # paths of one object that scaling may move

_VERSION = "v1"  # written where the caller names none; readers take the group alone


class _Object(Shape):
    api_version: str = Field(pattern=r"^([a-z0-9.-]+/)?v[a-z0-9]+$", max_length=253)
    kind: str = Field(min_length=1, max_length=253)
    namespace: str = ""
    name: str = ""
    generate_name: str = ""

    def ref(self) -> ObjectRef:
        """Return which object is meant.

        Raises:
            Malformed: it has neither a name nor a prefix of one, or both.
        """
        if bool(self.name) == bool(self.generate_name):
            raise Malformed(f"expected a name or a generateName of the {self.kind}")
        group, _, _ = self.api_version.rpartition("/")
        return ObjectRef(
            group, self.kind, self.namespace, self.name, self.generate_name
        )


class _Elastic(Shape):
    path: str
    min: NonNegativeInt
    max: NonNegativeInt


class _Uid(Shape):
    uid: str = Field(min_length=1, max_length=253)


class _ObjectChange(Shape):
    object: _Object
    digest: OneDigest
    operation: Literal["create", "update", "createOrUpdate"]
    base: OneDigest | _Uid | Literal["any", "absent"] = "any"
    elastic: list[_Elastic] = Field(default_factory=list, max_length=MAX_ELASTIC)

    def change(self) -> ObjectChange:
        base: Digest | Base | Uid
        match self.base:
            case str():
                base = Base(self.base)
            case _Uid():
                base = Uid(self.base.uid)
            case _:
                base = self.base
        return ObjectChange(
            object=self.object.ref(),
            digest=self.digest,
            operation=Operation(self.operation),
            base=base,
            elastic=tuple(Elastic(e.path, e.min, e.max) for e in self.elastic),
        )


class _Deletion(Shape):
    object: _Object
    operation: Literal["delete"]
    base: _Uid
    propagation_policy: Literal["", "Orphan", "Background", "Foreground"] = ""

    def change(self) -> Deletion:
        return Deletion(
            object=self.object.ref(),
            uid=self.base.uid,
            propagation_policy=self.propagation_policy,
        )


class _Access(Shape):
    object: _Object
    subresource: str = Field(min_length=1)
    operation: Literal["connect", "create", "update"]
    base: _Uid

    def change(self) -> Access:
        return Access(
            object=self.object.ref(),
            uid=self.base.uid,
            subresource=self.subresource,
            operation=Operation(self.operation),
        )


class _NamespaceWindow(Shape):
    namespace: str = Field(min_length=1, max_length=63)
    operation: Literal["any"]

    def change(self) -> NamespaceWindow:
        return NamespaceWindow(namespace=self.namespace)


def parse_change(entry: Tree) -> tuple[Change, Digest]:
    """Read an entry and the digest that must be among the statement's subjects.

    Raises:
        Malformed: it is none of the four kinds.
    """
    shape: _ObjectChange | _Deletion | _Access | _NamespaceWindow
    if ("namespace" in entry) == ("object" in entry):
        raise Malformed("expected either an object or a namespace in a change")
    if "namespace" in entry:
        shape = shaped(_NamespaceWindow, entry, "change")
    elif "subresource" in entry:
        shape = shaped(_Access, entry, "change")
    elif entry.get("operation") == "delete":
        shape = shaped(_Deletion, entry, "change")
    else:
        shape = shaped(_ObjectChange, entry, "change")
    change = shape.change()
    return change, _digest(change, entry)


def render_change(
    change: Change, versions: Mapping[ObjectRef, str]
) -> tuple[Tree, Subject]:
    """Write an entry and the subject that goes with it.

    Args:
        change: What is approved.
        versions: API versions (without group) to show people; ``v1`` where none.
    """
    entry = _entry(change, versions)
    kind = "manifest" if isinstance(change, ObjectChange) else "change"
    return entry, Subject(f"{kind}:{_name(change)}", _digest(change, entry))


def state_name(ref: ObjectRef) -> str:
    """Return what statements call a state of an object: for people, and a hint."""
    return f"manifest:{_named(ref)}"


def _digest(change: Change, entry: Tree) -> Digest:
    if isinstance(change, ObjectChange):
        return change.digest
    try:
        return Digest.sha256(rfc8785.dumps(entry))
    except rfc8785.CanonicalizationError as error:
        raise Malformed(f"expected canonical JSON in a change: {error}") from error


def _entry(change: Change, versions: Mapping[ObjectRef, str]) -> Tree:
    match change:
        case ObjectChange():
            entry: Tree = {
                "object": _object(change.object, versions),
                "digest": render_digest(change.digest),
                "operation": change.operation.value,
                "base": _base(change.base),
            }
            if change.elastic:
                entry["elastic"] = [
                    {"path": e.path, "min": e.minimum, "max": e.maximum}
                    for e in change.elastic
                ]
            return entry
        case Deletion():
            return {
                "object": _object(change.object, versions),
                "operation": Operation.DELETE.value,
                "base": {"uid": change.uid},
                "propagationPolicy": change.propagation_policy,
            }
        case Access():
            return {
                "object": _object(change.object, versions),
                "subresource": change.subresource,
                "operation": change.operation.value,
                "base": {"uid": change.uid},
            }
        case NamespaceWindow():
            return {"namespace": change.namespace, "operation": "any"}


def _object(ref: ObjectRef, versions: Mapping[ObjectRef, str]) -> Json:
    version = versions.get(ref, _VERSION)
    written: Tree = {
        "apiVersion": f"{ref.group}/{version}" if ref.group else version,
        "kind": ref.kind,
        "namespace": ref.namespace,
    }
    if ref.name:
        written["name"] = ref.name
    else:
        written["generateName"] = ref.generate_name
    return written


def _base(base: Digest | Base | Uid) -> Json:
    if isinstance(base, Uid):
        return {"uid": base.value}
    return base.value if isinstance(base, Base) else render_digest(base)


def _name(change: Change) -> str:
    if isinstance(change, NamespaceWindow):
        return change.namespace
    return _named(change.object)


def _named(ref: ObjectRef) -> str:
    name = ref.name or f"{ref.generate_name}*"
    parts = (ref.group, ref.kind, ref.namespace, name)
    return "/".join(part for part in parts if part)
