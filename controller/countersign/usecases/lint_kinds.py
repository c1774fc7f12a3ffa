"""What a lint can be about, and how bad it is."""

from dataclasses import dataclass
from enum import StrEnum


class LintKind(StrEnum):
    """What is in the way."""

    STALE_EVIDENCE = "stale_evidence"
    UNREADABLE_BUNDLE = "unreadable_bundle"
    NO_PROVENANCE = "no_provenance"
    IMAGE_UNPINNED = "image_unpinned"
    IMAGE_WITHOUT_PROVENANCE = "image_without_provenance"
    NOT_VERIFIED = "not_verified"
    INCOMPLETE = "incomplete"
    OTHER_CLUSTER = "other_cluster"
    PROVENANCE_EXPIRES = "provenance_expires"
    NO_POLICY = "no_policy"
    WINDOW_TOO_LONG = "window_too_long"
    RESTORE_TOO_LONG = "restore_too_long"
    QUESTIONS_DIFFER = "questions_differ"
    TRACE_MISSING = "trace_missing"
    MEANING_MISSING = "meaning_missing"
    DENIED_ANYWAY = "denied_anyway"
    NO_BREAK_GLASS = "no_break_glass"
    # of the manifest itself
    STAYS = "stays"
    DEFAULT_DEPENDS = "default_depends"
    SCALED_BY = "scaled_by"
    FIELD_GATED = "field_gated"
    FIELD_UNKNOWN = "field_unknown"
    API_UNKNOWN = "api_unknown"
    NAMESPACE_DROPPED = "namespace_dropped"
    NAMED_TWICE = "named_twice"
    TOO_LARGE = "too_large"
    IMAGE_MOVES = "image_moves"
    GENERATED = "generated"


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # as it is, it will be denied
    WARNING = "warning"  # it depends on what nobody can see from here


_ERRORS = frozenset(
    {
        LintKind.WINDOW_TOO_LONG,
        LintKind.RESTORE_TOO_LONG,
        LintKind.DENIED_ANYWAY,
        LintKind.NO_BREAK_GLASS,
        LintKind.STAYS,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Lint:
    """One thing in the way.

    Attributes:
        about: Object, image, bundle or policy.
        detail: What was seen or is asked for, or ``""``. Never a value of a Secret.
        path: JSON pointer into the object, or ``""``.
    """

    kind: LintKind
    about: str
    detail: str = ""
    path: str = ""

    @property
    def severity(self) -> Severity:
        """Whether it will be denied, or may be."""
        return Severity.ERROR if self.kind in _ERRORS else Severity.WARNING
