"""Claims in a few words, for the screens of several commands."""

from collections.abc import Iterable
from datetime import datetime

from countersign.core.types.artifacts import Digest, Json
from countersign.core.types.change import Change, ObjectChange
from countersign.core.types.evidence import (
    Build,
    Claim,
    Contributor,
    Declaration,
    Evidence,
    Lines,
    Part,
    Provenance,
)
from countersign.core.types.people import CertIdentity, KeyIdentity
from countersign.faces.cli.text import one_line
from countersign.wire.shapes import render_time

_MADE = frozenset({Part.AUTHOR, Part.COMMITTER, Part.PROMPTER})


def short(digest: Digest) -> str:
    """Return the first twelve digits, as git shows commits."""
    return digest.value[:12]


def when(moment: datetime | None) -> str:
    """Return a time to the minute, in UTC."""
    return "an unknown time" if moment is None else f"{moment:%Y-%m-%dT%H:%MZ}"


def exactly(moment: datetime | None) -> str | None:
    """Return a time for a machine, RFC 3339 in UTC."""
    return None if moment is None else render_time(moment)


def counted(number: int, what: str) -> str:
    """Return ``1 commit``, ``2 commits``."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def share(lines: Lines) -> str:
    """Return the share of changed lines that assistants had a hand in."""
    if not lines.total:
        return "no lines counted"
    percent = 100 * lines.ai // lines.total
    return f"{lines.ai} of {lines.total} lines, {percent} %"


def made_how(claim: Provenance) -> str:
    """Return state, tools, share: ``mixed (amazon-q 2026-03, 41 of 60 lines, 68 %)``."""
    tools = ", ".join(one_line(tool, 40) for tool in claim.tools)
    inner = ", ".join(part for part in (tools, share(claim.lines)) if part)
    return f"{claim.assistance.label} ({inner})"


def made_by(claim: Provenance) -> str:
    """Return the persons who had a part in making it, sorted."""
    return _names(c for c in claim.contributors if c.part in _MADE and not c.agent)


def _names(contributors: Iterable[Contributor]) -> str:
    names = sorted({contributor.id for contributor in contributors})
    return ", ".join(one_line(name, 80) for name in names) or "nobody named"


def span(claim: Provenance | Declaration) -> str:
    """Return repository and range of commits."""
    base = short(claim.range.base) if claim.range.base else "the root"
    return f"{one_line(claim.repository)} {base}..{short(claim.range.target)}"


def signer(evidence: Evidence) -> str:
    """Return who signed, under which trust root, and when somebody says so."""
    who = evidence.signer
    name = who.key if isinstance(who, KeyIdentity) else f"{who.san} ({who.issuer})"
    said = when(evidence.signed_at) if evidence.signed_at else "no trusted time"
    return one_line(f"{name}, trust root {who.trust_root}, {said}", 240)


def identity(who: CertIdentity | KeyIdentity) -> dict[str, Json]:
    """Return a proven identity for a machine."""
    if isinstance(who, KeyIdentity):
        return {"trustRoot": who.trust_root, "key": who.key}
    return {"trustRoot": who.trust_root, "issuer": who.issuer, "san": who.san}


def listed(names: Iterable[str]) -> str:
    """Return names, sorted."""
    return ", ".join(one_line(name, 80) for name in sorted(names))


def kind(claim: Claim) -> str:
    """Return what sort of statement it is."""
    if isinstance(claim, Provenance):
        return "provenance"
    if isinstance(claim, Build):
        return "build"
    return "declaration" if isinstance(claim, Declaration) else "sign-off"


def change(what: Change) -> str:
    """Return one approved change."""
    if isinstance(what, ObjectChange):
        said = one_line(str(what.object), 600)
        return f"{what.operation} {said}, on {what.base}, intent {what.digest}"
    return one_line(repr(what), 600)
