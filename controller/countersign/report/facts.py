"""The facts of a finding as named pieces of text, for the tables of sentences."""

from typing import assert_never

from countersign.core.rules.emergency import BREAK_GLASS
from countersign.core.types.artifacts import Subject
from countersign.core.types.verdict import (
    DeclarationGap,
    Detail,
    Differences,
    Expected,
    Facts,
    Finding,
    Gap,
    Names,
    OpenSlots,
    ProvenanceGap,
    RestedOn,
    SignedBy,
    Window,
    WordGap,
)
from countersign.report.differences import difference
from countersign.report.phrases import (
    clean,
    counted,
    listed,
    making,
    pinned,
    thing,
    when,
)

_PIECES = (
    "expected",
    "seen",
    "names",
    "pinned",
    "person",
    "signer",
    "needed",
    "making",
    "roles",
)
_MAX_SIGNER = 60  # characters, of whom nobody knows; what is wrong follows
_NO_GLASS = "of break-glass (this policy has none)"
GAPS = {
    Gap.UNSEEN: "each of its platforms has to be covered, and which it has could not be seen in its registry",
    Gap.ABSENT: "no provenance speaks of it",
    Gap.UNSOURCED: "it was built of {seen}, of which no provenance speaks",
    Gap.UNTRUSTED: "its provenance is signed by {seen}, no collector of this policy",
    Gap.MISMATCHED: "its provenance speaks of {seen}, its certificate of another repository or revision",
    Gap.REVOKED: "the collector {seen} has been revoked",
    Gap.OUT_OF_SCOPE: "its provenance is for {seen} only",
    Gap.OUT_OF_TIME: "its provenance is not valid now",
    Gap.NOT_BUILT: "no builder of this policy links it to a commit",
    Gap.INCOMPLETE: "its provenance does not see the whole range of {seen}",
    Gap.UNANCHORED: "the attested range does not begin at anything approved ({seen})",
    Gap.UNNAMED: "the sign-off does not name its provenance",
}

WORDS = {
    WordGap.UNKNOWN: "the roster does not know the signer, or did not then",
    WordGap.REVOKED: "it was revoked",
    WordGap.ROLE: "to declare here takes the role {seen}",
    WordGap.FOREIGN: "the robot may not speak of {seen} (sourceRepositories, and where its certificate says that it ran)",
    WordGap.ELSEWHERE: "no provenance here speaks of just its range and tree ({seen})",
    WordGap.NO_PART: "it is by somebody without a part in the change",
    WordGap.ALONE: "the robot is its own collector ({seen}): somebody else has to attest",
    WordGap.UNTOLD: "the provenance does not tell all that {seen} touched (too many paths, a link, or an older collector)",
    WordGap.OUTSIDE: "the robot touched {seen}, outside its paths",
    WordGap.PROVENANCE: "of the same range {gap}",
    WordGap.MARKED: "assistance was seen in it ({seen})",
    WordGap.SILENT: "{seen} had a part too, and nothing counts as their word",
}


def fields(finding: Finding) -> dict[str, str]:
    """Return the pieces that a sentence about `finding` may use; all are always there.

    ``about`` is the image that the finding is about, or "it"; ``what`` are the facts on
    their own. A piece that the facts do not have is a question mark.
    """
    pieces = dict.fromkeys(_PIECES, "?")
    pieces |= _of(finding.facts)
    named = isinstance(finding.about, Subject)
    return {
        **pieces,
        "about": thing(finding.about) if named else "it",
        "image": thing(finding.about) if named else pieces["names"],
    }


def is_rested_on(finding: Finding) -> bool:
    """Tell whether evidence is kept for others, not lost by the object that carries it.

    Its facts then name what runs on that one alone.
    """
    return isinstance(finding.facts, RestedOn)


def is_unseen(finding: Finding) -> bool:
    """Tell whether an image lacks evidence only as far as nobody saw its platforms."""
    facts = finding.facts
    return isinstance(facts, ProvenanceGap) and facts.gap is Gap.UNSEEN


def _of(facts: Facts) -> dict[str, str]:
    match facts:
        case None:
            return {"what": ""}
        case Detail(text):
            return {"what": clean(text, 200)}
        case Expected(expected, seen):
            wanted, found = clean(expected), clean(seen) or "nothing"
            what = f"expected {wanted}, saw {found}" if wanted else found
            return {"expected": wanted or "nothing", "seen": found, "what": what}
        case Differences(_, differences):
            return {"what": difference(differences)}
        case Window(start, end, at):
            return {
                "what": f"from {when(start)} to {when(end)}, now {when(at)}",
                "expected": when(start),
                "seen": when(end),
            }
        case SignedBy():
            return _signed(facts)
        case Names(names) | RestedOn(names):
            shown = listed(names, "none that is named")
            first = pinned(names[0] if names else "")
            return {"what": shown, "names": shown, "pinned": first}
        case ProvenanceGap() | DeclarationGap():
            return _gap(facts)
        case OpenSlots():
            return _open(facts)
        case _:
            assert_never(facts)


def _signed(facts: SignedBy) -> dict[str, str]:
    signer = clean(facts.signer)
    nothing = _NO_GLASS if facts.seen == BREAK_GLASS else "nothing"
    return {
        "signer": signer,
        "person": clean(facts.person) or signer,
        "needed": clean(facts.needed) or nothing,
        "seen": clean(facts.seen) or "none",
        "what": f"{clean(facts.person)} ({signer})" if facts.person else signer,
    }


def _gap(facts: ProvenanceGap | DeclarationGap) -> dict[str, str]:
    seen = clean(facts.seen)
    if isinstance(facts, ProvenanceGap):
        return {"what": lacks(facts), "seen": seen}
    under = _gap(facts.provenance)["what"] if facts.provenance else ""
    return {
        "person": clean(facts.person) or _ending(facts.signer),
        "seen": seen or "none",
        "what": WORDS[facts.gap].format(seen=seen or "unnamed", gap=under),
    }


def _ending(signer: str) -> str:
    """Return the end of an identity, which tells a workflow from others, and leave room."""
    shown = clean(signer, len(signer))
    return shown if len(shown) <= _MAX_SIGNER else f"…{shown[1 - _MAX_SIGNER :]}"


def lacks(gap: ProvenanceGap) -> str:
    """Say how far the nearest provenance of something falls short."""
    return GAPS[gap.gap].format(seen=clean(gap.seen) or "nothing")


def _open(facts: OpenSlots) -> dict[str, str]:
    return {
        "roles": _sign_offs(facts.open),
        "making": making(facts.assistance),
        "names": listed(facts.eligible),
        "what": counted(facts.lines),
    }


def _sign_offs(roles: tuple[str, ...]) -> str:
    """Say which sign-offs: ``a senior sign-off``, ``sign-offs by senior and quality``."""
    if len(roles) == 1:
        article = "an" if roles[0][:1] in "aeiou" else "a"
        return f"{article} {clean(roles[0])} sign-off"
    return (
        f"sign-offs by {listed(roles)}" if roles else "a sign-off that could allow it"
    )
