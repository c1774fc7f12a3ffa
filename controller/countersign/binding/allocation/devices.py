"""Since when a device is tainted: the present, where nobody says.

On UPDATE the server writes the present again where the effect changes; that moment
nothing else tells, so the old one alone may stay, and another must be signed.

Source:
    ``SetDefaults_DeviceTaint`` in pkg/apis/resource/{v1,v1beta2,v1beta1,v1alpha3}.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from countersign.binding.comparison import Comparison
from countersign.binding.tree import Struct

MAX_AGE = timedelta(minutes=1)  # between reading an object and making it


def complete_taints(sides: Comparison) -> None:
    """Accept the moment at which the object was read, shortly before it was made."""
    old = _taints(sides.old) if sides.old else iter(())
    past = {str(taint.get("key")): taint.get("timeAdded") for taint in old}
    pairs = zip(_taints(sides.wanted), _taints(sides.seen), strict=False)
    for wanted, seen in pairs:
        moment = seen.get("timeAdded", "")
        kept = past.get(str(seen.get("key"))) == moment
        if moment and (kept if sides.old else _just_before(moment, sides.created)):
            wanted.setdefault("timeAdded", moment)


def _taints(tree: Struct) -> Iterator[Struct]:
    """Yield the taint of a DeviceTaintRule, or those of the devices of a slice."""
    spec = tree.get("spec", {})
    if "taint" in spec:
        yield spec["taint"]
    for device in spec.get("devices", []):
        yield from device.get("basic", device).get("taints", [])


def _just_before(moment: str, created: str) -> bool:
    try:
        age = datetime.fromisoformat(created) - datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        return False
    return timedelta(0) <= age <= MAX_AGE
