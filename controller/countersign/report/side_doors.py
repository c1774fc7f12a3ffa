"""What to do instead of going past an object: one way for each of the side doors."""

from types import MappingProxyType

from countersign.core.types.verdict import Expected, Finding, Reason

SCALED = "write the number into its manifest, signed off"
_SCALE = (
    f"{SCALED}; or have a range signed with it: "
    "{sign} --elastic KIND/NAME:/spec/replicas=MIN..MAX"
)
_ENTERED = (
    "nobody can sign what is done in there: look at its logs, or change the object, "
    "signed off; this way only break-glass goes"
)

INSTEAD = MappingProxyType(
    {
        "attach": _ENTERED,
        "binding": "leave it to the scheduler: write nodeSelector or affinity into the "
        "object, signed off",
        "bindings": "leave it to the scheduler: write nodeSelector or affinity into the "
        "object, signed off",
        "exec": _ENTERED,
        "finalize": "delete the namespace, signed off, and let its controller end it",
        "portforward": _ENTERED,
        "proxy": _ENTERED,
        "scale": _SCALE,
        "token": "give the token to a Pod, as a projected volume that is signed off: "
        "kubelets may ask for it",
    }
)
"""By subresource; what is not here is what a newer server has."""


def side_door(finding: Finding) -> str:
    """Return which subresource a finding is about; ``""``: it is about none."""
    facts = finding.facts
    if finding.reason is not Reason.SUBRESOURCE or not isinstance(facts, Expected):
        return ""
    if facts.seen.startswith("scale to "):
        return "scale"
    return facts.seen.rpartition(" ")[2]
