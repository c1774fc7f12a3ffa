"""Helm's storage: what it may hold, and that nothing else may use it (rule 15).

Helm keeps each revision of a release in a Secret (or ConfigMap) that it writes anew at
every step, with times in it: nobody can sign that. So it passes by its form, whoever
writes it, like the edits of the door *delta*. The form leaves no room for anything that
a controller could act upon, and an object that would use such a name is refused: its
content is nobody's word.
"""

import base64
import re
from collections.abc import Iterator

from countersign.binding.deletions import orphans
from countersign.binding.runs import has_run
from countersign.binding.tree import Struct, Value, as_bytes, find
from countersign.core.types.artifacts import Tree
from countersign.core.types.request import AdmissionRequest, Verb

RULE, HOOK = "helm-storage", "helm-hook"

_TYPE, _KEY = "helm.sh/release.v1", "release"
_NAME = re.compile(
    r"sh\.helm\.release\.v1\."
    r"(?P<name>[a-z0-9](?:[-a-z0-9.]{0,51}[a-z0-9])?)\.v(?P<version>[1-9][0-9]{0,9})"
)
_PREFIX = "sh.helm.release.v1."
_ACTING = frozenset({"annotations", "finalizers", "labels", "ownerReferences"})
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # says it a second time
_KINDS = frozenset({"ConfigMap", "Secret"})
_STATUS = frozenset(
    {
        "deployed",
        "failed",
        "pending-install",
        "pending-rollback",
        "pending-upgrade",
        "superseded",
        "uninstalled",
        "uninstalling",
        "unknown",
    }
)
_AFTER = frozenset({"hook-succeeded", "hook-failed"})
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")
_METADATA = frozenset(
    {
        "creationTimestamp",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "uid",
    }
)
# What a deletion in the foreground leaves on an object that goes.
_GOING = frozenset({"deletionGracePeriodSeconds", "deletionTimestamp", "finalizers"})


def stores(request: AdmissionRequest) -> bool:
    """Tell whether a request writes or removes Helm's storage, and nothing but that.

    Of an UPDATE both states must be storage: what people signed does not become it,
    and it does not become anything else.
    """
    states = [tree for tree in (request.object, request.old) if tree is not None]
    deletes = request.verb is Verb.DELETE
    return (
        not request.resource.subresource
        and not orphans(request)
        and bool(states)
        and (request.verb is not Verb.UPDATE or request.old is not None)
        and all(is_storage(tree, going=deletes) for tree in states)
    )


def used(tree: Tree) -> tuple[str, ...]:
    """Return what an object says of Helm's storage, sorted.

    Each string counts that has such a name in it, wherever it stands: which field of
    which kind is a reference nobody can list, and nothing is called so by chance. Exempt
    are the object's own name, what says who may read the storage (RBAC), and the plain
    data of ConfigMaps and Secrets.
    """
    plain_text = as_bytes(tree)
    if plain_text is not None and _PREFIX.encode() not in plain_text:  # nearly always
        return ()
    group = str(tree.get("apiVersion", "")).rpartition("/")[0]
    if group == "rbac.authorization.k8s.io":
        return ()
    plain = {"metadata", "status"}
    if tree.get("apiVersion") == "v1" and tree.get("kind") in _KINDS:
        plain |= {"binaryData", "data", "stringData"}
    metadata = tree.get("metadata")
    said: Struct = metadata if type(metadata) is dict else {}
    around = {key: said[key] for key in _ACTING & said.keys()}
    if type(annotations := around.get("annotations")) is dict:
        around["annotations"] = {k: v for k, v in annotations.items() if k != _APPLIED}
    rest = {key: value for key, value in tree.items() if key not in plain}
    return tuple(sorted({text for text in _texts((around, rest)) if _PREFIX in text}))


def hook_is_over(tree: Tree) -> bool:
    """Tell whether an object says of itself that Helm removes it now.

    That is a hook with a delete policy for after its run, which a Job or a Pod has to
    have behind it. The caller sees to it that people signed this. Before another run
    Helm removes what may still be wanted: that is a deletion like any other.
    """
    hook = find(tree, "/metadata/annotations/helm.sh~1hook")
    policy = find(tree, "/metadata/annotations/helm.sh~1hook-delete-policy")
    if type(hook) is not str or type(policy) is not str or not hook:
        return False
    return not _AFTER.isdisjoint(word.strip() for word in policy.split(",")) and (
        has_run(tree)
    )


def _texts(value: Value) -> Iterator[str]:
    """Yield all strings of a tree, keys too."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from one
            left.extend(one.values())
        elif isinstance(one, list | tuple):
            left.extend(one)


def is_storage(tree: Tree, *, going: bool) -> bool:
    """Tell whether an object is of the form that Helm writes, with no room to spare.

    Source:
        ``newSecretsObject`` and ``newConfigMapsObject`` in
        helm.sh/helm/v4/pkg/storage/driver; Helm 3 writes the same.
    """
    metadata, kind = tree.get("metadata"), tree.get("kind")
    if (
        tree.get("apiVersion") != "v1"
        or kind not in _KINDS
        or type(metadata) is not dict
    ):
        return False
    fields = {"apiVersion", "kind", "metadata", "data"}
    return (
        tree.keys() == (fields | {"type"} if kind == "Secret" else fields)
        and tree.get("type", _TYPE) == _TYPE
        and metadata.keys() <= (_METADATA | _GOING if going else _METADATA)
        and _has_labels(metadata)
        and _has_release(tree.get("data"), encoded=kind == "Secret")
    )


def _has_labels(metadata: Struct) -> bool:
    """Tell whether name and labels are Helm's and say the same."""
    named = _NAME.fullmatch(str(metadata.get("name", "")))
    labels = metadata.get("labels")
    if named is None or type(labels) is not dict:
        return False
    if not all(type(value) is str for value in labels.values()):
        return False
    times = labels.keys() & {"createdAt", "modifiedAt"}
    return (
        labels.keys() - times == {"name", "owner", "status", "version"}
        and labels["name"] == named["name"]
        and labels["owner"] == "helm"
        and labels["status"] in _STATUS
        and labels["version"] == named["version"]
        and all(_SECONDS.fullmatch(labels[key]) for key in times)
    )


def _has_release(data: Value, *, encoded: bool) -> bool:
    """Tell whether all there is is a release as Helm encodes it: base64, no more.

    What it decodes to is Helm's: what it makes of it is judged when it applies it.
    """
    if type(data) is not dict or data.keys() != {_KEY} or type(data[_KEY]) is not str:
        return False
    try:
        text = base64.b64decode(data[_KEY], validate=True) if encoded else data[_KEY]
        return len(base64.b64decode(text, validate=True)) > 0
    except ValueError:  # no base64, or no ASCII
        return False
