"""Starting points for policies: our encoding of common duties.

None of the standards named here prescribes a number of signatures for AI-written code;
a preset is what we think a team under that standard would ask for. Every field of a
policy overrides its preset. No preset has break-glass.
"""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from countersign.core.questions import DEFAULT
from countersign.core.types.policy import QuestionSet, Slot, TraceDemand, Treatment

AUTHOR = frozenset({"author"})
MAKERS = frozenset({"author", "prompter"})
ALL_MAKERS = frozenset({"author", "prompter", "committer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What a policy asks where it says nothing itself.

    Attributes:
        slots: Sign-offs asked for; none where no sign-off can help.
        traceability: Types of link that must be given.
        max_validity: Longest a sign-off may hold.
        human, unknown, ai: What a state of assistance leads to.
        recommended_cluster_scoped: Whether the recommended cluster-scoped kinds are
            judged too.
        questions: What a reviewer must answer.
    """

    slots: tuple[Slot, ...]
    traceability: tuple[TraceDemand, ...] = ()
    max_validity: timedelta = timedelta(days=30)
    human: Treatment = Treatment.SIGN_OFF
    unknown: Treatment = Treatment.SIGN_OFF
    ai: Treatment = Treatment.SIGN_OFF
    recommended_cluster_scoped: bool = True
    questions: QuestionSet | None = DEFAULT


def _slot(role: str, of: frozenset[str], *meanings: str) -> Slot:
    return Slot(role=role, independent_of=of, meanings=frozenset(meanings))


def _links(*types: str) -> tuple[TraceDemand, ...]:
    return tuple(TraceDemand(kind) for kind in types)


_DO178C_HIGH = Preset(
    slots=(_slot("senior", ALL_MAKERS), _slot("verification", ALL_MAKERS)),
    traceability=_links("HLR", "LLR", "TEST"),
    unknown=Treatment.DENY,
)

PRESETS = MappingProxyType(
    {
        "default": Preset(
            slots=(_slot("senior", MAKERS),),
            human=Treatment.ADMIT,
            recommended_cluster_scoped=False,
        ),
        "manual": Preset(
            slots=(_slot("senior", frozenset({"deployer"})),),
            recommended_cluster_scoped=False,
        ),
        "high-blast-radius": Preset(
            slots=(_slot("senior", MAKERS), _slot("service-owner", MAKERS)),
            traceability=_links("TICKET"),
            max_validity=timedelta(days=7),
            human=Treatment.ADMIT,
        ),
        "do178c-A": _DO178C_HIGH,
        "do178c-B": _DO178C_HIGH,
        "do178c-C": Preset(
            slots=(_slot("senior", MAKERS),),
            traceability=_links("HLR", "TEST"),
            max_validity=timedelta(days=60),
        ),
        "do178c-D": Preset(
            slots=(_slot("reviewer", AUTHOR),),
            traceability=_links("HLR"),
            max_validity=timedelta(days=90),
        ),
        "iec62304-C": Preset(
            slots=(
                _slot("senior", MAKERS, "review", "approval"),
                _slot("quality", MAKERS, "review", "approval"),
            ),
            traceability=_links("CR", "RISK", "REQ", "TEST"),
            unknown=Treatment.DENY,
        ),
        "iec62304-B": Preset(
            slots=(_slot("senior", MAKERS),),
            traceability=_links("CR", "RISK", "TEST"),
            max_validity=timedelta(days=60),
        ),
        "iec62304-A": Preset(
            slots=(_slot("reviewer", AUTHOR),),
            traceability=_links("CR"),
            max_validity=timedelta(days=90),
        ),
        "sox": Preset(
            slots=(_slot("change-approver", MAKERS | {"deployer"}),),
            traceability=_links("TICKET"),
            max_validity=timedelta(days=14),
        ),
        "pci-6.2.3.1": Preset(
            slots=(
                _slot("reviewer", AUTHOR),
                _slot("manager", AUTHOR | {"reviewer"}),
            ),
            traceability=_links("TICKET"),
        ),
        "soc2-cc8.1": Preset(
            slots=(_slot("reviewer", AUTHOR),),
            traceability=_links("TICKET", "TEST"),
        ),
        "ban": Preset(
            slots=(),
            human=Treatment.ADMIT,
            unknown=Treatment.DENY,
            ai=Treatment.DENY,
            questions=None,
        ),
    }
)
