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


def complete_namespace(sides: Comparison) -> None:
    """``spec.finalizers``: namespaceStrategy.PrepareForCreate."""
    finalizers = sides.spec().setdefault("finalizers", [])
    if "kubernetes" not in finalizers:
        finalizers.append("kubernetes")


def complete_claim(sides: Comparison) -> None:
    """The protection finalizer, the default class, and one data source for the other.

    Source:
        plugin/pkg/admission/storage/{storageobjectinuseprotection,storageclass};
        ``NormalizeDataSources`` in pkg/api/persistentvolumeclaim/util.go.
    """
    _protect(sides)
    spec = sides.spec()
    if _OLD_STORAGE_CLASS not in annotations(sides.wanted):
        _use_default(sides, STORAGE_CLASSES, _DEFAULT_STORAGE, "storageClassName")
    reference = spec.get("dataSourceRef")
    if "dataSource" in spec and reference is None:
        spec["dataSourceRef"] = dict(spec["dataSource"])
    elif reference and "dataSource" not in spec and not reference.get("namespace"):
        spec["dataSource"] = {k: v for k, v in reference.items() if k != "namespace"}


def _protect(sides: Comparison) -> None:
    """Accept the finalizer where it is seen: a PUT may drop it and equal the intent."""
    metadata = sides.wanted["metadata"]
    finalizers = metadata.get("finalizers", [])
    seen = sides.seen["metadata"].get("finalizers", [])
    if CLAIM_PROTECTION not in finalizers and seen == [*finalizers, CLAIM_PROTECTION]:
        metadata["finalizers"] = seen


def complete_ingress(sides: Comparison) -> None:
    """The default class: plugin/pkg/admission/network/defaultingressclass."""
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

    Source:
        pkg/apis/apps/v1/conversion.go; daemonSetStrategy in
        pkg/registry/apps/daemonset/strategy.go.
    """
    seen = annotations(sides.seen).get(TEMPLATE_GENERATION)
    past = {} if sides.old is None else annotations(sides.old)
    before = past.get(TEMPLATE_GENERATION)
    allowed = {"1"} if before is None else {before, _successor(before)}
    if seen in allowed and TEMPLATE_GENERATION not in annotations(sides.wanted):
        annotate(sides.wanted, TEMPLATE_GENERATION, seen)


def _successor(generation: str) -> str:
    return str(int(generation) + 1) if generation.isdecimal() else generation
