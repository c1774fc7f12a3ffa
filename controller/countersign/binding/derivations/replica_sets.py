"""Deployment to ReplicaSet.

Source:
    ``getNewReplicaSet`` in pkg/controller/deployment/sync.go and
    ``SetNewReplicaSetAnnotations`` in util/deployment_util.go.
"""

import math

from countersign.binding.derivations.kin import (
    Kin,
    born,
    mapping,
    number,
    part,
    text,
    with_labels,
)
from countersign.binding.edits import HASH, NUMBER, NUMBERS
from countersign.binding.normal_form import LAST_APPLIED
from countersign.binding.tree import ABSENT, Struct, Value, find
from countersign.binding.writes import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    REVISION,
    REVISION_HISTORY,
)

_HASH_LABEL = "pod-template-hash"
_MAX_NAME = 253  # characters
_NUMBERED = {
    REVISION: NUMBER,
    REVISION_HISTORY: NUMBERS,
    DESIRED_REPLICAS: NUMBER,
    MAX_REPLICAS: NUMBER,
}
_NOT_COPIED = {LAST_APPLIED, "deprecated.deployment.rollback.to", *_NUMBERED}
_DEFAULT_SURGE = "25%"


def replica_set(kin: Kin) -> Struct:
    """Return the ReplicaSet of a Deployment's present template.

    The template's hash is the child's word: it is a name, and says nothing about what
    runs.
    """
    spec = kin.spec()
    template, selector, name = part(spec, "template"), part(spec, "selector"), kin.name
    given = text(kin.child, f"/metadata/labels/{_HASH_LABEL}")
    if HASH.fullmatch(given):
        with_labels(part(template, "metadata"), {_HASH_LABEL: given})
        with_labels(selector, {_HASH_LABEL: given}, "matchLabels")
        name = f"{name[: _MAX_NAME - 1 - len(given)]}-{given}"
    return {
        **born(
            kin,
            "apps/v1",
            "ReplicaSet",
            name=name,
            labels=mapping(template, "/metadata/labels"),
            annotations=_annotations(kin),
        ),
        "spec": {
            "replicas": _replicas(kin),
            "minReadySeconds": spec.get("minReadySeconds"),
            "selector": selector,
            "template": template,
        },
    }


def _annotations(kin: Kin) -> Struct:
    """Copies only ever add: what an earlier state of the Deployment had may stay."""
    copied = {
        key: value
        for tree in (kin.old or {}, kin.owner)
        for key, value in mapping(tree, "/metadata/annotations").items()
        if key not in _NOT_COPIED
    }
    counted = {
        k: kin.seen(k) for k, form in _NUMBERED.items() if form.fullmatch(kin.seen(k))
    }
    return copied | counted


def _replicas(kin: Kin) -> int:
    """Return the child's number if a rollout may ask for it, else the most it may."""
    most = number(kin.owner, "/spec/replicas", 1)
    if find(kin.owner, "/spec/strategy/type") != "Recreate":
        most += _surge(find(kin.owner, "/spec/strategy/rollingUpdate/maxSurge"), most)
    most = max(most, number(kin.old or {}, "/spec/replicas", 0))
    seen = number(kin.child, "/spec/replicas", 1)
    return seen if 0 <= seen <= most else most


def _surge(value: Value, replicas: int) -> int:
    """``ResolveFenceposts``: a number, or a percentage rounded up."""
    if type(value) is int:
        return max(value, 0)
    percent = str(_DEFAULT_SURGE if value is ABSENT else value).removesuffix("%")
    return math.ceil(int(percent) * replicas / 100) if percent.isdecimal() else 0
