"""Own kinds: what nobody could read at a later load is not written in the first place.

Who may write them is judged by `govern`, where there is a root roster.
"""

from countersign.binding.surface import Rule, rule_for
from countersign.core.types.request import AdmissionRequest
from countersign.wire.resources.objects import refuse_invalid
from countersign.wire.resources.read import Invalid


def unreadable(request: AdmissionRequest) -> tuple[str, ...]:
    """Return what is wrong with the object of ours that `request` would store.

    Empty where it can be read, where nothing is stored, and for all other kinds.
    """
    if rule_for(request) is not Rule.OWN or request.object is None:
        return ()
    try:
        refuse_invalid(request.object)
    except Invalid as error:
        return error.problems
    return ()
