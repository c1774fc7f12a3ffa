"""Who stands for what runs now, for a person at a terminal and for machines."""

from collections import Counter
from collections.abc import Iterable, Iterator

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.evidence import Provenance
from countersign.core.types.running import Bar, Running, Voice, Word
from countersign.report.phrases import clean, counted, listed, short, thing, when

_WORDS = {
    Word.SIGN_OFF: "signed by",
    Word.DECLARATION: "declared human by",
    Word.BREAK_GLASS: "break-glass by",
}
_BARS = {
    Bar.MAKER: "had a part in making it",
    Bar.NO_ROLE: "holds no role that is asked for",
    Bar.OTHER_MEANING: "meant something else than is asked for",
    Bar.AUTHORS_UNKNOWN: "nobody knows whether it is their own",
}
_OWN = {
    "default-account": "the account that every namespace has, and nothing in it",
    "root-certificates": "the cluster's own root certificates",
    "helm-storage": "a release that Helm keeps; nothing may use it",
}


def running_text(found: Iterable[Running]) -> Iterator[str]:
    """Yield lines about each object."""
    for one in found:
        yield f"{thing(one.object)}{': nobody' if one.nobody else ''}"
        yield from (f"  {line}" for line in _lines(one))


def running_json(found: Iterable[Running]) -> list[Json]:
    """Return the same for machines. Fields are added in later versions, never renamed."""
    return [_plain(one) for one in found]


def _lines(one: Running) -> Iterator[str]:
    if one.machinery:
        yield _OWN[one.machinery]
    if one.nobody:
        yield f"nothing speaks for its present state (policy {listed(one.doubting)})"
    if one.problem:
        yield f"could not be judged: {clean(one.problem, 300)}"
    yield from map(_voice, one.voices)
    yield from (f"made: {_made(claim)}" for claim in one.provenance)
    if one.since is not None:
        broken = one.since.emergency
        how = f"by break-glass {clean(broken)}, " if broken else ""
        yield f"admitted {how}{when(one.since.at)} (decision {clean(one.since.decision)})"
    if one.children:
        kinds = Counter(child.kind for child in one.children)
        yield "derived from it: " + ", ".join(
            f"{n} {kind}" for kind, n in kinds.items()
        )


def _voice(voice: Voice) -> str:
    roles = f" ({listed(voice.roles)})" if voice.roles else ""
    at = when(voice.signed_at) if voice.signed_at else "a time that nobody vouches for"
    who = f"{_WORDS[voice.word]} {clean(voice.person)}{roles}"
    if voice.bar is not None:
        who = f"also signed, does not count: {clean(voice.person)} ({_BARS[voice.bar]})"
    return f"{who} at {at}, bundle {short(voice.bundle)}"


def _made(claim: Provenance) -> str:
    detail = listed((*claim.tools, counted(claim.lines)), "")
    return f"{claim.assistance.label}{f' ({detail})' if detail else ''}"


def _plain(one: Running) -> Tree:
    return {
        "object": thing(one.object),
        "policies": list(one.policies),
        "nobody": one.nobody,
        "doubting": list(one.doubting),
        "ofTheCluster": one.machinery,
        "voices": [
            {
                "person": voice.person,
                "word": voice.word,
                "roles": list(voice.roles),
                "counts": voice.bar is None,
                "bar": voice.bar.value if voice.bar is not None else "",
                "bundle": str(voice.bundle),
                "signedAt": voice.signed_at.isoformat() if voice.signed_at else None,
            }
            for voice in one.voices
        ],
        "provenance": [_made(claim) for claim in one.provenance],
        "since": None
        if one.since is None
        else {
            "decision": one.since.decision,
            "at": one.since.at.isoformat(),
            "emergency": one.since.emergency,
        },
        "derived": [thing(child) for child in one.children],
        "problem": one.problem,
    }
