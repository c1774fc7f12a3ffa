"""A policy, laid beside what was found: what it asks, and who met it or what is missing."""

from dataclasses import dataclass
from enum import StrEnum

from countersign.core.types.artifacts import Digest
from countersign.core.types.policy import Enforcement, Slot
from countersign.core.types.verdict import Basis, Finding, OpenSlots


class Ask(StrEnum):
    """What a policy may ask beside people for its slots."""

    PROVENANCE = "provenance"
    IMAGES = "images"
    PINNING = "pinning"
    QUESTIONS = "questions"
    TRACEABILITY = "traceability"
    PRESENCE = "presence"
    TRUSTED_TIME = "trustedTime"
    VALIDITY = "validity"
    BASE = "base"


class State(StrEnum):
    """How far something that is asked for is met."""

    MET = "met"
    MISSING = "missing"
    OPEN = "open"  # nobody has got that far


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A slot of a policy.

    Attributes:
        slot: What is asked.
        person: Who fills it, or ``""``.
        bundle: That proves it; None: open, or the evidence is not at hand.
    """

    slot: Slot
    person: str = ""
    bundle: Digest | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something else that a policy asks.

    Attributes:
        ask: What.
        detail: Which: a question set, a type of link, a span; may be empty.
        state: Whether it is met.
    """

    ask: Ask
    detail: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One policy, laid beside what was found.

    Attributes:
        policy: Name; ``""`` for the gate itself.
        enforcement: What a shortfall does.
        basis: What it is met by; None: it is not.
        fillings: Its slots; empty where no signature is needed.
        requirements: What it asks of a signature, and of the change.
        asks: What is open of the slots; None: nothing is.
        findings: All that is amiss.
    """

    policy: str
    enforcement: Enforcement
    basis: Basis | None
    fillings: tuple[Filling, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    asks: OpenSlots | None = None
    findings: tuple[Finding, ...] = ()
