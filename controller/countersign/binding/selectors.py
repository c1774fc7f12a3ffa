"""Label selectors, as the API server reads them."""

from countersign.binding.derivations.kin import listing, mapping
from countersign.binding.tree import Struct, Value


def selected(selector: Struct, labels: Struct) -> bool:
    """Tell whether a label selector holds; an empty one always does.

    Source:
        ``LabelSelectorAsSelector`` in apimachinery/pkg/apis/meta/v1/helpers.go.
    """
    pairs = mapping(selector, "/matchLabels")
    terms = listing(selector, "/matchExpressions")
    return pairs.items() <= labels.items() and all(_holds(t, labels) for t in terms)


def _holds(term: Value, labels: Struct) -> bool:
    key, values = term.get("key"), term.get("values") or []
    match term.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
