"""What may be in an object besides its intent, because a policy says so."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from countersign.binding.places import fields_of
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.doors import Tools
from countersign.core.types.injection import Injection
from countersign.core.types.operators import Field
from countersign.core.types.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Besides:
    """Additions that need no signature of their own.

    Attributes:
        tools: Deployment tools that may leave their marks.
        fields: Where operators write; what is there may stay, on UPDATE (rule 14).
        injections: What sidecar injectors add to Pods.
    """

    tools: Tools = field(default_factory=Tools)
    fields: tuple[Field, ...] = ()
    injections: tuple[Injection, ...] = ()

    @classmethod
    def of(cls, policy: Policy, kind: GroupKind) -> "Besides":
        """Return what one policy lets be in objects of a kind."""
        doors = policy.doors
        return cls(
            tools=doors.tools,
            fields=fields_of(doors.operators, kind),
            injections=doors.injections,
        )

    @classmethod
    def in_children(cls, policies: Iterable[Policy], kind: GroupKind) -> "Besides":
        """Return what every one of some policies lets be in what a controller makes.

        No tool applies that, so none leaves its marks there.
        """
        return replace(cls.of_all(policies, kind), tools=Tools())

    @classmethod
    def of_all(cls, policies: Iterable[Policy], kind: GroupKind) -> "Besides":
        """Return what every one of some policies lets be there."""
        each = [cls.of(policy, kind) for policy in policies]
        if not each:
            return cls()
        first, *others = each
        return cls(
            tools=Tools.all_of(one.tools for one in each),
            fields=tuple(
                f for f in first.fields if all(f in one.fields for one in others)
            ),
            injections=tuple(
                i
                for i in first.injections
                if all(i in one.injections for one in others)
            ),
        )


NOTHING = Besides()
"""The intent, and what the server makes of it."""
