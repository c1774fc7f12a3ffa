"""Which policies hold for a request."""

from dataclasses import dataclass

from countersign.binding.surface import place_of
from countersign.core.types.artifacts import GroupKind, ObjectRef
from countersign.core.types.policy import Policy, Scope, any_names
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.ports import InvalidPolicy, PolicySnapshot


@dataclass(frozen=True, slots=True)
class Applicable:
    """What judges one request.

    Attributes:
        policies: Valid ones.
        invalid: Those that nobody can read, and that would have matched.
        uncovered: The namespace must have a policy, and has none at all.
    """

    policies: tuple[Policy, ...]
    invalid: tuple[InvalidPolicy, ...]
    uncovered: bool

    @property
    def nothing(self) -> bool:
        """Tell whether the request is nobody's to judge."""
        return not (self.policies or self.invalid or self.uncovered)


def applicable(
    snapshot: PolicySnapshot, request: AdmissionRequest, subject: ObjectRef
) -> Applicable:
    """Return what judges `request`, which is about `subject`.

    A policy whose scope cannot be read holds wherever protection was asked for at
    installation; if none was, everywhere.
    """
    place = place_of(subject)
    policies = tuple(
        p for p in snapshot.policies if _holds(p.scope, request, subject, place)
    )
    invalid = tuple(
        p
        for p in snapshot.invalid
        if (
            _on_floor(snapshot, place)
            if p.scope is None
            else _holds(p.scope, request, subject, place)
        )
    )
    scopes: list[Scope | None] = [p.scope for p in snapshot.policies]
    scopes += [p.scope for p in snapshot.invalid]
    covered = any(scope is None or _names(scope, place) for scope in scopes)
    floor = bool(place) and any_names(snapshot.protected, place)
    return Applicable(policies, invalid, uncovered=floor and not covered)


def _holds(
    scope: Scope, request: AdmissionRequest, subject: ObjectRef, place: str
) -> bool:
    if not place and request.verb is Verb.CONNECT:
        return bool(scope.cluster_scoped)  # nodes/proxy reaches every Pod
    return scope.holds(GroupKind(subject.group, subject.kind), place)


def _on_floor(snapshot: PolicySnapshot, place: str) -> bool:
    floor = snapshot.protected
    return not (floor and place) or any_names(floor, place)


def _names(scope: Scope, place: str) -> bool:
    return any_names(scope.namespaces, place)
