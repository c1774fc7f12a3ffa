"""StatefulSet and DaemonSet to ControllerRevision, and back to what they were.

Source:
    ``newRevision`` and ``ApplyRevision`` in
    pkg/controller/statefulset/stateful_set_utils.go, ``snapshot`` in
    pkg/controller/daemon/update.go, pkg/controller/history/controller_history.go.
"""

from typing import Final

from countersign.binding.allocation.others import TEMPLATE_GENERATION
from countersign.binding.derivations.kin import Kin, born, mapping, number, text
from countersign.binding.edits import HASH
from countersign.binding.match import match
from countersign.binding.tree import Struct, Value, find
from countersign.core.types.artifacts import ObjectRef, Tree

_REVISION: Final = "controller-revision-hash"  # of Pods; of a DaemonSet's history, too
_HASH_OF_SET: Final = "controller.kubernetes.io/hash"
_MAX_PREFIX: Final = 223  # characters; ControllerRevisionName
_REPLACE: Final = {"$patch": "replace"}


def revision(kin: Kin) -> Struct:
    """Return the record of the owner's template.

    Its number is the child's word: it orders the records and says nothing about what
    runs. So is the spelling of the template, as long as it is the owner's.
    """
    label = _REVISION if kin.owner.get("kind") == "DaemonSet" else _HASH_OF_SET
    given = text(kin.child, f"/metadata/labels/{label.replace('/', '~1')}")
    hashed = {label: given} if HASH.fullmatch(given) else {}
    name = text(kin.child, "/metadata/name")
    template = mapping(kin.owner, "/spec/template")
    seen = template_of(kin.child)
    return {
        **born(
            kin,
            "apps/v1",
            "ControllerRevision",
            name=name if _is_record(kin.name, name) else "",
            labels=mapping(template, "/metadata/labels") | hashed,
            annotations=mapping(kin.owner, "/metadata/annotations"),
        ),
        "data": (
            kin.child.get("data")
            if seen is not None and _is_template(kin, seen)
            else {"spec": {"template": template | _REPLACE}}
        ),
        "revision": max(number(kin.child, "/revision", 0), 0),
    }


def _is_record(owner: str, name: str) -> bool:
    prefix, _, suffix = name.rpartition("-")
    return prefix == owner[:_MAX_PREFIX] and HASH.fullmatch(suffix) is not None


def _is_template(kin: Kin, template: Struct) -> bool:
    """Tell whether the owner would be the same with `template` for its own.

    Of a record that is there already, what the owner was let to become since is left
    aside (a restart).
    """
    owner = _counted(kin.owner)
    then = at_template(owner, template)
    group = str(kin.owner.get("apiVersion", "")).rpartition("/")[0]
    namespace = text(kin.owner, "/metadata/namespace")
    identity = ObjectRef(group, str(kin.owner.get("kind")), namespace, kin.name)
    old = None if kin.old is None else then
    return not match(owner, then, identity=identity, old=old)


def _counted(owner: Tree) -> Tree:
    """Return an owner whose templates are counted already, as the server would."""
    metadata = mapping(owner, "/metadata")
    counted = {TEMPLATE_GENERATION: "1", **mapping(metadata, "/annotations")}
    return {**owner, "metadata": {**metadata, "annotations": counted}}


def template_of(record: Tree) -> Struct | None:
    """Return the template that a ControllerRevision brings back; None: it does more.

    Merge directives within it, which would bring back something else than is written,
    are unknown fields, and so differences.
    """
    data: Value = record.get("data")
    template = find(data, "/spec/template") if type(data) is dict else None
    if type(template) is not dict or data != {"spec": {"template": template}}:
        return None
    plain = {key: value for key, value in template.items() if key not in _REPLACE}
    return plain if template == plain | _REPLACE else None


def at_template(owner: Tree, template: Struct) -> Tree:
    """Return an owner as it would be with another template."""
    return {**owner, "spec": {**mapping(owner, "/spec"), "template": template}}


def revision_label(kin: Kin) -> dict[str, str]:
    """Return the label by which a Pod names its record, if it has the form of one."""
    given = text(kin.child, f"/metadata/labels/{_REVISION}")
    fits = (
        HASH.fullmatch(given) is not None
        if kin.owner.get("kind") == "DaemonSet"
        else _is_record(kin.name, given)
    )
    return {_REVISION: given} if fits else {}


def record_named(owner: Tree, child: Tree) -> str:
    """Return the name of the record that a Pod names; ``""``: it names none.

    A StatefulSet makes Pods of two templates at once; which two, its status says.
    """
    kin = Kin(owner=owner, child=child)
    named = revision_label(kin).get(_REVISION, "")
    if owner.get("kind") == "DaemonSet":
        return f"{kin.name}-{named}" if named else ""
    status = mapping(owner, "/status")
    return (
        named if named in map(status.get, ("currentRevision", "updateRevision")) else ""
    )
