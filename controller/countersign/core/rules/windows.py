"""When a sign-off was made, and when it may admit."""

from datetime import datetime, timedelta

from countersign.core.rules.case import Case, Said
from countersign.core.types.evidence import SignOff
from countersign.core.types.verdict import Expected, Finding, Reason, Window

# How far a reviewer's clock, or ours, may be from the trusted one. A sign-off waits for
# a browser login between writing `reviewedOn` and the stamp.
CLOCK_SKEW = timedelta(minutes=10)


def time_fault(case: Case, sign_off: Said[SignOff]) -> Finding | None:
    """Say why the times it states cannot be, or None.

    1. nothing is signed or reviewed in the future
    2. the review does not end before it begins
    3. the reviewer's clock agrees with the trusted one, where there is one

    Subtractions only: near the last representable instant an addition would overflow.
    """
    claim, stamp = sign_off.claim, sign_off.evidence.signed_at
    latest = max(claim.reviewed_on, stamp or claim.reviewed_on)
    if latest - case.at > CLOCK_SKEW:
        return _implausible(case, case.at, latest)
    if claim.started_on is not None and claim.reviewed_on < claim.started_on:
        return _implausible(case, claim.started_on, claim.reviewed_on)
    if stamp is not None and abs(claim.reviewed_on - stamp) > CLOCK_SKEW:
        return _implausible(case, stamp, claim.reviewed_on)
    return None


def window_fault(
    case: Case, sign_off: Said[SignOff], longest: timedelta
) -> Finding | None:
    """Say why its validity is longer than allowed, or None.

    Measured from the earlier of its start and the review: a window far in the future
    would otherwise hold for as long as one likes.
    """
    window = sign_off.claim.validity
    if window.start is None or window.end is None:
        return case.finding(Reason.WINDOW_TOO_LONG, Expected(written(longest), "open"))
    length = window.end - min(window.start, sign_off.claim.reviewed_on)
    if length > longest:
        facts = Expected(written(longest), written(length))
        return case.finding(Reason.WINDOW_TOO_LONG, facts)
    return None


def validity_fault(case: Case, sign_off: Said[SignOff]) -> Finding | None:
    """Say that its validity does not hold now, or None."""
    window = sign_off.claim.validity
    if window.holds(case.at):
        return None
    expired = window.end is not None and window.end < case.at
    return case.finding(
        Reason.EXPIRED if expired else Reason.NOT_YET_VALID,
        Window(window.start, window.end, case.at),
    )


def _implausible(case: Case, expected: datetime, seen: datetime) -> Finding:
    facts = Expected(expected.isoformat(), seen.isoformat())
    return case.finding(Reason.TIME_IMPLAUSIBLE, facts)


def written(length: timedelta) -> str:
    """Write a length as policies do: ``30d``, ``1d12h``, ``4h``, ``90m``."""
    minutes = -(-length // timedelta(minutes=1))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"))
    return "".join(f"{n}{unit}" for n, unit in parts if n) or "0m"
