"""The errors of countersign, cut by what the caller should do.

``CountersignError``
  ``Malformed``       the input is not what it claims; retrying cannot help
    ``OverLimit``     it is larger than allowed, and was not looked at
    ``Foreign``       it is something else, and may be well made
  ``Rejected``        a well-formed bundle whose proof does not hold
  ``Unavailable``     we could not look; the same call may succeed later
    ``Stale``         what we saw is too old to rely on
  ``Misconfigured``   set up wrongly; stop at start-up

"The policy is not met" is none of these: that is a value
(:class:`countersign.core.types.verdict.Finding`).
"""


class CountersignError(Exception):
    """Whatever countersign raises deliberately."""


class Malformed(CountersignError):  # noqa: N818 - the tree reads as adjectives
    """The input is not what it claims to be; retrying cannot help."""


class OverLimit(Malformed):
    """The input is larger than allowed; what is in it was not looked at."""


class Foreign(Malformed):
    """The input is of a kind that is not ours to read; it may be well made."""


class Rejected(CountersignError):  # noqa: N818
    """A well-formed bundle whose proof does not hold."""


class Unavailable(CountersignError):  # noqa: N818
    """We could not look; the same call may succeed later."""


class Stale(Unavailable):
    """We looked once, and have heard nothing for too long."""


class Misconfigured(CountersignError):  # noqa: N818
    """Countersign was set up wrongly; it must not start so."""
