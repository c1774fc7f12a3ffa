"""ProtectionPolicy: what is asked, of whom, and where.

Every field that may be absent overrides the preset where it is given.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from countersign.core.types.artifacts import GroupKind
from countersign.core.types.policy import BaseRule, Enforcement
from countersign.wire.resources.attestors import Builder, Collector, Robot
from countersign.wire.resources.exceptions import Exceptions
from countersign.wire.resources.fields import (
    MAX_LIST,
    MAX_TEXT,
    DigestSet,
    Duration,
    GitDigest,
    Name,
    NamespacePattern,
    Strict,
    Text,
)
from countersign.wire.resources.images import ImagesSpec

MAX_NAMESPACES = 256  # patterns of one policy


class Kind(Strict):
    """An API group (empty: core) and a kind."""

    group: Annotated[str, StringConstraints(max_length=253)] = ""
    kind: Name

    def value(self) -> GroupKind:
        """Return the core's value."""
        return GroupKind(self.group, self.kind)


def _list_or_word(value: object) -> str:
    return "list" if isinstance(value, list) else "word"


Kinds = Annotated[tuple[Kind, ...], Field(max_length=MAX_LIST)]
ClusterScoped = Annotated[
    Annotated[Literal["recommended", "none"], Tag("word")]
    | Annotated[Kinds, Tag("list")],
    Discriminator(_list_or_word),
]


class Protect(Strict):
    """Where the policy holds."""

    namespaces: tuple[NamespacePattern, ...] = Field(
        min_length=1,
        max_length=MAX_NAMESPACES,
        description="Exact names or globs over the namespace's immutable name.",
    )
    exclude: Kinds = Field(default=(), description="Kinds the policy leaves alone.")
    cluster_scoped: ClusterScoped | None = Field(
        default=None,
        description="Cluster-scoped kinds it judges: recommended, none, or a list.",
    )
    excused_api_groups: tuple[Text, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="Aggregated API groups that are knowingly not covered.",
    )


class Baseline(Strict):
    """A commit up to which history is taken as approved."""

    repo: Text
    commit: GitDigest


class Declarations(Strict):
    """Whose own signed word that no AI was used counts."""

    roles: tuple[Name, ...] = Field(min_length=1, max_length=MAX_LIST)


class Provenance(Strict):
    """Who attests how changes are made, and what follows from it."""

    collectors: tuple[Collector, ...] | None = Field(default=None, max_length=MAX_LIST)
    builders: tuple[Builder, ...] | None = Field(
        default=None,
        max_length=MAX_LIST,
        description="Collectors whose image and commit subjects belong together. "
        "Pins that are absent are those of the collector of the same identity.",
    )
    known_authors: tuple[Text, ...] | None = Field(
        default=None,
        max_length=MAX_LIST,
        description="Authors who need no roster entry; they never approve.",
    )
    baselines: tuple[Baseline, ...] | None = Field(default=None, max_length=MAX_LIST)
    human: Literal["admit", "signOff"] | None = None
    unknown: Literal["signOff", "deny"] | None = None
    ai: Literal["signOff", "deny"] | None = None
    declarations: Declarations | None = None
    robots: tuple[Robot, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="Automation whose own signed word makes its commits human, as long "
        "as they touch nothing but its paths. It never approves.",
    )
    banned_agents: tuple[Text, ...] | None = Field(
        default=None,
        max_length=MAX_LIST,
        description="Assistants that deny where they are seen.",
    )


class Slot(Strict):
    """A sign-off that is asked for, to be filled by a person of its own."""

    role: Name
    independent_of: tuple[Name, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="author, committer, prompter, deployer, or another slot's role.",
    )
    meaning: tuple[Name, ...] = Field(
        default=(), max_length=MAX_LIST, description="What the signature must mean."
    )


class QuestionSet(Strict):
    """The questions that a reviewer must answer."""

    uri: Text
    digest: DigestSet


class Trace(Strict):
    """A type of link that must be given, and the form of its id."""

    type: Name
    pattern: Annotated[str, StringConstraints(max_length=MAX_TEXT)] = ".+"

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.compile(self.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"expected a regular expression: {error}") from error
        return self


class SignOff(Strict):
    """What sign-offs must bring."""

    slots: tuple[Slot, ...] | None = Field(default=None, max_length=MAX_LIST)
    presence: Literal["any", "touch", "verified"] | None = None
    trusted_time: Literal["preferred", "required"] | None = None
    question_set: QuestionSet | None = None
    traceability: tuple[Trace, ...] | None = Field(default=None, max_length=MAX_LIST)
    max_validity: Duration | None = None
    max_restore: Duration | None = None
    base: BaseRule | None = None


class Conversion(Strict):
    """Custom resources whose conversion webhook is trusted."""

    trusted: Kinds = ()


class BreakGlass(Strict):
    """Who may sign in an emergency, for how long, and when the review is due."""

    role: Name
    max_validity: Duration
    review_within: Duration


class PolicySpec(Strict):
    """The spec of a ProtectionPolicy."""

    protect: Protect
    enforcement: Enforcement = Enforcement.DENY
    preset: Name = "default"
    roster: Name = Field(description="Name of the Roster.")
    provenance: Provenance = Provenance()
    sign_off: SignOff = SignOff()
    images: ImagesSpec = ImagesSpec()
    conversion: Conversion = Conversion()
    exceptions: Exceptions = Exceptions()
    break_glass: BreakGlass | None = None
