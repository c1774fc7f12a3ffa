"""What an organisation asks: where it holds, of whom, and how strictly."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, GroupKind
from countersign.core.types.attestors import Attestor
from countersign.core.types.doors import Doors
from countersign.core.types.evidence import Presence
from countersign.core.types.globs import glob
from countersign.core.types.people import Roster
from countersign.core.types.robots import Robot, clash


class Enforcement(StrEnum):
    """What a shortfall does."""

    DENY = "deny"
    WARN = "warn"
    AUDIT = "audit"


class Treatment(StrEnum):
    """What a state of assistance leads to. ADMIT is for proven human changes only."""

    ADMIT = "admit"
    SIGN_OFF = "signOff"
    DENY = "deny"


class BaseRule(StrEnum):
    """How a sign-off must relate to the live object on UPDATE."""

    LINEAGE = "lineage"
    EXACT = "exact"
    ANY = "any"


class Toggle(StrEnum):
    """Whether something is asked for."""

    REQUIRED = "required"
    OFF = "off"


class ImageSubject(StrEnum):
    """What evidence about an image index must name."""

    EITHER = "either"  # the index, or in one statement each of its platforms
    INDEX = "index"  # the digest that the object pins
    ALL_PLATFORMS = "allPlatforms"  # each platform, by whatever statements


@lru_cache(maxsize=4096)
def any_names(patterns: tuple[str, ...], namespace: str) -> bool:
    """Tell whether one of `patterns` is of `namespace`; asked of every request."""
    # most are names: with thousands of policies no cache of patterns holds them all
    return any(
        glob(p, "").fullmatch(namespace) if "*" in p else p == namespace
        for p in patterns
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a policy holds.

    Attributes:
        namespaces: Exact names or globs with ``*`` over the immutable name; not empty.
        exclude: Kinds the policy leaves alone.
        cluster_scoped: Cluster-scoped kinds it judges.
    """

    namespaces: tuple[str, ...]
    exclude: frozenset[GroupKind] = frozenset()
    cluster_scoped: frozenset[GroupKind] = frozenset()

    def __post_init__(self) -> None:
        if not self.namespaces:
            raise Malformed("expected at least one namespace to protect, saw none")

    def holds(self, kind: GroupKind, namespace: str) -> bool:
        """Tell whether an object of `kind` in `namespace` (``""``: none) is judged.

        A Namespace object is judged where its own name is protected: the caller gives
        that name as `namespace`.
        """
        if kind in self.exclude:
            return False
        if not namespace:
            return kind in self.cluster_scoped
        return any_names(self.namespaces, namespace)


@dataclass(frozen=True, slots=True, order=True)
class Baseline:
    """A commit up to which history is taken as approved (rule 3)."""

    repository: str
    commit: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A sign-off that is asked for, to be filled by a person of its own.

    Attributes:
        role: The role that person holds.
        independent_of: ``author``, ``committer``, ``prompter``, ``deployer`` or the
            role of another slot (which distinct persons satisfy already).
        meanings: What the signature must mean; empty asks nothing.
    """

    role: str
    independent_of: frozenset[str] = frozenset()
    meanings: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.role:
            raise Malformed("expected a role for the slot, saw none")

    @property
    def needs_authors(self) -> bool:
        """Whether independence here means knowing who made the change."""
        return bool(self.independent_of & {"author", "committer", "prompter"})


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions a reviewer must answer: its address, digest and question ids.

    Raises:
        Malformed: a set without questions asks nothing.
    """

    uri: str
    digest: Digest
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.ids:
            raise Malformed(f"{self.uri}: expected at least one question, saw none")


@dataclass(frozen=True, slots=True)
class TraceDemand:
    """A type of link that must be there, and the form its whole id must have.

    Raises:
        Malformed: the pattern is no regular expression.
    """

    type: str
    pattern: str = ".+"

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise Malformed(
                f"{self.type}: expected a regular expression, saw {self.pattern!r}"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a sign-off must bring besides the right person."""

    questions: QuestionSet | None = None
    traceability: tuple[TraceDemand, ...] = ()
    max_validity: timedelta = timedelta(days=30)
    max_restore: timedelta = timedelta(days=30)
    presence: Presence = Presence.NONE
    trusted_time: bool = False
    base: BaseRule = BaseRule.LINEAGE


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Images of others: a repository (``*`` crosses no ``/``), and its digests if pinned."""

    repository: str
    digests: frozenset[Digest] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePaths:
    """Where a custom kind names images, or holds specifications of Pods.

    Attributes:
        kind: The custom kind.
        paths: JSON pointers; ``*`` stands for every item or key. Each leads to a
            reference, or to a PodSpec.
    """

    kind: GroupKind
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What is asked of the images that an object newly runs.

    Attributes:
        attestations: Whether they must be covered.
        pinning: Whether a digest must pin them.
        third_party: Those of others.
        registries: Repositories (``*`` crosses no ``/``) in whose registries evidence is
            looked for; no other registry is ever asked. Empty: none is.
        subject: What evidence about an index must name.
        paths: Images of custom kinds.

    Raises:
        Malformed: each platform is asked for, and no registry that could tell which
            there are.
    """

    attestations: Toggle = Toggle.REQUIRED
    pinning: Toggle = Toggle.REQUIRED
    third_party: tuple[ThirdParty, ...] = ()
    registries: tuple[str, ...] = ()
    subject: ImageSubject = ImageSubject.EITHER
    paths: tuple[ImagePaths, ...] = ()

    def __post_init__(self) -> None:
        if self.subject is ImageSubject.ALL_PLATFORMS and not self.registries:
            raise Malformed("images: expected registries beside allPlatforms")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Who may sign in an emergency, for how long, and when the review is due."""

    role: str
    max_validity: timedelta
    review_within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One ProtectionPolicy, resolved: nothing dangles.

    Raises:
        Malformed: no slot while some state asks for a sign-off, a human change that is
            only `unknown` would be admitted, independence without any collector, or a
            robot that is somebody else, too.
    """

    name: str
    scope: Scope
    roster: Roster
    enforcement: Enforcement = Enforcement.DENY
    collectors: tuple[Attestor, ...] = ()
    builders: tuple[Attestor, ...] = ()
    known_authors: tuple[str, ...] = ()
    baselines: frozenset[Baseline] = frozenset()
    declaring_roles: frozenset[str] = frozenset()
    robots: tuple[Robot, ...] = ()
    banned_tools: frozenset[str] = frozenset()
    human: Treatment = Treatment.SIGN_OFF
    unknown: Treatment = Treatment.SIGN_OFF
    ai: Treatment = Treatment.SIGN_OFF
    slots: tuple[Slot, ...]
    demands: Demands = field(default_factory=Demands)
    images: Images = field(default_factory=Images)
    break_glass: BreakGlass | None = None
    doors: Doors = field(default_factory=Doors)

    def __post_init__(self) -> None:
        if Treatment.ADMIT in (self.unknown, self.ai):
            raise Malformed(f"{self.name}: silence or AI never admits; only human may")
        if self.human is Treatment.DENY:
            raise Malformed(f"{self.name}: expected admit or signOff for human")
        if not self.slots and Treatment.SIGN_OFF in (self.human, self.unknown, self.ai):
            raise Malformed(f"{self.name}: expected at least one slot, saw none")
        if not self.collectors and any(s.needs_authors for s in self.slots):
            raise Malformed(
                f"{self.name}: expected a collector, since a slot is independent of "
                "those who made the change"
            )
        for robot in self.robots:
            if problem := clash(robot, self.roster):
                raise Malformed(problem)
            if robot.by in self.collectors:
                raise Malformed(
                    f"{robot.name}: expected another identity than the collector's: "
                    "nobody confirms his own word"
                )


class RevokedKind(StrEnum):
    """What a revocation names."""

    IDENTITY = "identity"
    KEY = "key"
    BUNDLE = "bundle"
    PERSON = "person"
    COLLECTOR = "collector"


@dataclass(frozen=True, slots=True, order=True)
class Revoked:
    """A withdrawal: evidence signed at or after `since` no longer counts.

    Attributes:
        value: SAN, key name, digest of a bundle or (in all its spellings) of its
            statement, person id or collector name.
        since: None: all. Evidence without trusted time always counts as after.
    """

    kind: RevokedKind
    value: str
    since: datetime | None = None
    reason: str = ""
