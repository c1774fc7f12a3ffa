"""Small Kubernetes objects, and ways to change them."""

import copy
from typing import Any

from countersign.binding.tree import ABSENT, find, put
from countersign.core.types.artifacts import ObjectRef

Tree = dict[str, Any]


def tree(kind: str, version: str = "v1", **fields: Any) -> Tree:
    """Return an object named ``it`` in the namespace ``here``."""
    metadata = {"name": "it", "namespace": "here", **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def deployment(**container: Any) -> Tree:
    """Return a Deployment of one container."""
    main = {"name": "main", "image": "app:1", **container}
    template = {"metadata": {"labels": {"app": "it"}}, "spec": {"containers": [main]}}
    selector = {"matchLabels": {"app": "it"}}
    return tree(
        "Deployment", "apps/v1", spec={"selector": selector, "template": template}
    )


def pod(**spec: Any) -> Tree:
    """Return a Pod of one container."""
    return tree(
        "Pod", spec={"containers": [{"name": "main", "image": "app:1"}], **spec}
    )


def served(tree: Tree) -> Tree:
    """Return a Pod with what the server's own plugins add to any."""
    spec = tree["spec"]
    spec |= {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
    spec |= {"serviceAccountName": "default", "automountServiceAccountToken": False}
    spec["tolerations"] = [
        {
            "key": f"node.kubernetes.io/{taint}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        for taint in ("not-ready", "unreachable")
    ]
    return tree


def service(**spec: Any) -> Tree:
    """Return a Service with one port."""
    return tree("Service", spec={"ports": [{"port": 80}], **spec})


def having(original: Tree, path: str, value: Any) -> Tree:
    """Return a copy with `value` at a JSON pointer; `ABSENT` removes what is there."""
    changed = copy.deepcopy(original)
    if value is ABSENT:
        remove(changed, path)
    else:
        put(changed, path, value)
    return changed


def remove(tree: Tree, path: str) -> None:
    """Take away what is at a place, in place."""
    where, _, last = path.rpartition("/")
    parent: Any = find(tree, where)
    key = last.replace("~1", "/").replace("~0", "~")
    del parent[int(key) if isinstance(parent, list) else key]


def ref(original: Tree) -> ObjectRef:
    """Return what a request about an object says that it is about."""
    group = original["apiVersion"].rpartition("/")[0]
    metadata = original["metadata"]
    return ObjectRef(
        group, original["kind"], metadata.get("namespace", ""), metadata["name"]
    )
