"""What the server writes into kinds that need one rule each."""

from countersign.binding.comparison import Comparison, annotate, annotations
from countersign.binding.facts import INGRESS_CLASSES, STORAGE_CLASSES, Fact
from countersign.binding.tree import Struct
from countersign.core.types.artifacts import Tree

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_OLD_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
_OLD_INGRESS_CLASS = "kubernetes.io/ingress.class"
_DEFAULT_STORAGE = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_DEFAULT_INGRESS = ("ingressclass.kubernetes.io/is-default-class",)
CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
VOLUME_PROTECTION = "kubernetes.io/pv-protection"
ATTRIBUTES_PROTECTION = "kubernetes.io/vac-protection"
REQUESTER_FIELDS = ("username", "uid", "groups", "extra")
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def complete_namespace(sides: Comparison) -> None:
    """``spec.finalizers``: namespaceStrategy.PrepareForCreate and PrepareForUpdate.

    On UPDATE the server overwrites them with the old ones, whatever is said.
    """
    if sides.old is not None:
        sides.keep("/spec/finalizers")
        return
    finalizers = sides.spec().setdefault("finalizers", [])
    if "kubernetes" not in finalizers:
        finalizers.append("kubernetes")


def complete_claim(sides: Comparison) -> None:
    """The protection finalizer, the default class, and one data source for the other.

    Source:
        plugin/pkg/admission/storage/{storageobjectinuseprotection,storageclass};
        ``NormalizeDataSources`` in pkg/api/persistentvolumeclaim/util.go.
    """
    _protect(sides, CLAIM_PROTECTION)
    spec = sides.spec()
    if sides.old is None and _OLD_STORAGE_CLASS not in annotations(sides.wanted):
        _use_default(sides, STORAGE_CLASSES, _DEFAULT_STORAGE, "storageClassName")
    reference = spec.get("dataSourceRef")
    if "dataSource" in spec and reference is None:
        spec["dataSourceRef"] = dict(spec["dataSource"])
    elif reference and "dataSource" not in spec and not reference.get("namespace"):
        spec["dataSource"] = {k: v for k, v in reference.items() if k != "namespace"}


def complete_volume(sides: Comparison) -> None:
    """The protection finalizer of a PersistentVolume."""
    _protect(sides, VOLUME_PROTECTION)


def complete_attributes_class(sides: Comparison) -> None:
    """The protection finalizer of a VolumeAttributesClass."""
    _protect(sides, ATTRIBUTES_PROTECTION)


def _protect(sides: Comparison, finalizer: str) -> None:
    """Add a finalizer on CREATE, as the last one; on UPDATE a PUT may drop it.

    Source:
        plugin/pkg/admission/storage/storageobjectinuseprotection
    """
    finalizers = sides.wanted["metadata"].get("finalizers", [])
    if sides.old is None and finalizer not in finalizers:
        sides.wanted["metadata"]["finalizers"] = [*finalizers, finalizer]


def complete_node(sides: Comparison) -> None:
    """The taint of a Node that nobody has heard of: plugin/pkg/admission/nodetaint."""
    if sides.old is not None:
        return
    taints = sides.spec().get("taints", [])
    marks = [{key: taint.get(key) for key in _NOT_READY} for taint in taints]
    if _NOT_READY not in marks:
        sides.spec()["taints"] = [*taints, dict(_NOT_READY)]


def complete_signing_request(sides: Comparison) -> None:
    """Who asks for a certificate: what the server says, as of any object's uid.

    Nobody can choose it: csrStrategy.PrepareForCreate overwrites what is said with the
    user of the request, PrepareForUpdate with the old ``spec``.
    """
    for field in REQUESTER_FIELDS:
        if field in sides.seen_spec():
            sides.spec().setdefault(field, sides.seen_spec()[field])


def complete_ingress(sides: Comparison) -> None:
    """The default class: plugin/pkg/admission/network/defaultingressclass.

    Of the old object it may stay where it is still the default.
    """
    unsaid = "ingressClassName" not in sides.seen_spec()
    if sides.old is not None and unsaid:
        return
    if _OLD_INGRESS_CLASS not in annotations(sides.wanted):
        _use_default(sides, INGRESS_CLASSES, _DEFAULT_INGRESS, "ingressClassName")


def _use_default(
    sides: Comparison, classes: Fact, marks: tuple[str, ...], field: str
) -> None:
    """Fill in the name of the default class: of several the newest, then by name."""
    marked = [tree for tree in sides.facts.answers(classes) if _marked(tree, marks)]
    by_name = sorted(marked, key=lambda tree: str(_metadata(tree).get("name")))
    newest = sorted(
        by_name,
        key=lambda tree: str(_metadata(tree).get("creationTimestamp")),
        reverse=True,
    )
    if newest:
        sides.spec().setdefault(field, _metadata(newest[0]).get("name"))


def _metadata(tree: Tree) -> Struct:
    metadata = tree.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _marked(tree: Tree, marks: tuple[str, ...]) -> bool:
    found = _metadata(tree).get("annotations") or {}
    return any(found.get(mark) == "true" for mark in marks)


def complete_daemon_set(sides: Comparison) -> None:
    """The template generation as an annotation: 1, and one more with each change.

    On UPDATE the server overwrites what is said.

    Source:
        pkg/apis/apps/v1/conversion.go; daemonSetStrategy in
        pkg/registry/apps/daemonset/strategy.go.
    """
    said = annotations(sides.wanted).get(TEMPLATE_GENERATION, "")
    if sides.old is None:
        generation = max(_whole(said), 1)
    else:
        before = _whole(annotations(sides.old).get(TEMPLATE_GENERATION, ""))
        changed = sides.old_spec().get("template") != sides.seen_spec().get("template")
        generation = before + changed
    annotate(sides.wanted, TEMPLATE_GENERATION, str(generation))


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() else 0
