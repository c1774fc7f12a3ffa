"""The selector that the server makes for a Job.

Source:
    ``generateSelector`` in pkg/registry/batch/job/strategy.go.
"""

from countersign.binding.comparison import Comparison
from countersign.binding.tree import Struct

UID_LABELS = ("controller-uid", "batch.kubernetes.io/controller-uid")
NAME_LABELS = ("job-name", "batch.kubernetes.io/job-name")


def complete_job(sides: Comparison) -> None:
    """Compute the generated labels from the object's own name and uid."""
    spec, metadata = sides.spec(), sides.wanted["metadata"]
    if spec["manualSelector"] or not sides.uid:
        return
    template: Struct = spec.setdefault("template", {}).setdefault("metadata", {})
    said = template.get("labels", {})
    name = metadata.get("name", "")
    generated = {
        **dict.fromkeys(NAME_LABELS, name),
        **dict.fromkeys(UID_LABELS, sides.uid),
    }
    template["labels"] = {**generated, **said}
    selector: Struct = spec.setdefault("selector", {})
    selector["matchLabels"] = {
        UID_LABELS[1]: sides.uid,
        **selector.get("matchLabels", {}),
    }
    unsaid = not sides.written["metadata"].get("labels")
    if unsaid and metadata.get("labels", {}) == said:
        _labels_of_template(sides, template["labels"])


def _labels_of_template(sides: Comparison, completed: Struct) -> None:
    """Accept the generated labels on the Job itself, if it got the template's labels.

    SetDefaults_Job lets the two share one map, so that the strategy's additions show
    up in both, or, read back from storage, in the template alone.
    """
    if sides.seen["metadata"].get("labels") == completed:
        sides.wanted["metadata"]["labels"] = dict(completed)
