"""What is known of an image's evidence before it is read: where it is, and how large."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from countersign.core.types.artifacts import Digest
from countersign.ports import Other
from countersign.wire.bundle import MAX_BUNDLE
from countersign.wire.oci import Descriptor, Manifest, made_at

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle"  # and a version, in two ways
ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
INTENT_TYPE = "application/vnd.countersign.intent.v1+json"

_MAX_BUNDLES = 256  # that are read beside one digest: it may run for years
_MAX_ALL = 16 << 20  # bytes of bundles of one image and its platforms
_MAX_TYPE = 128  # characters of a type that are told

_Key: TypeAlias = tuple[Digest, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Lead:
    """A layer that should be a bundle, or an envelope of cosign's old form.

    Attributes:
        layer: Where it is, and how large.
        made: When its manifest says that it was, in seconds since 1970; nobody signed
            that, so it is only ever an order.
    """

    layer: Descriptor
    made: float = 0.0

    @property
    def key(self) -> _Key:
        """What it will be read as; of two equal ones one is read."""
        bundled = self.layer.media_type.startswith(BUNDLE_TYPE)
        proof = {} if bundled else self.layer.annotations
        return self.layer.digest, tuple(sorted(proof.items()))


@dataclass(slots=True)
class Found:
    """What was found beside one digest.

    Attributes:
        about: It: an image, or a platform of one.
        leads: To evidence, by what it will be read as.
        others: What else lies there.
        problems: A line each.
        complete: Nothing that there is went unseen.
    """

    about: Digest
    leads: dict[_Key, Lead] = field(default_factory=dict)
    others: set[Other] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    complete: bool = True

    def unseen(self, why: str) -> None:
        """Note what is there and was not seen."""
        self.problems.append(f"{self.about}: {why}")
        self.complete = False

    def lead(self, one: Lead) -> None:
        """Note where a bundle is; of equal ones the newest."""
        known = self.leads.get(one.key)
        if known is None or known.made < one.made:
            self.leads[one.key] = one

    def take(self, manifest: Manifest, digest: Digest | None) -> None:
        """Note what a manifest holds. Its layers say what they are.

        Args:
            manifest: It.
            digest: Of it; None: it lies under a tag.
        """
        if manifest.unread:
            self.unseen(f"{manifest.unread} layers of {manifest.type[:80]!r}")
        evidence = [
            layer
            for layer in manifest.layers
            if layer.media_type.startswith(BUNDLE_TYPE)
            or layer.media_type == ENVELOPE_TYPE
        ]
        for layer in evidence:
            self.lead(Lead(layer, made_at(manifest.annotations)))
        if not evidence and manifest.type != INTENT_TYPE and manifest.layers:
            named = digest or manifest.layers[0].digest
            self.others.add(Other(manifest.type[:_MAX_TYPE], named, self.about))


def chosen(found: Iterable[Found]) -> list[tuple[Lead, Found]]:
    """Return what is read of all that was found: as much as there is room for.

    An image stays while what runs it is changed and signed off again: what is new must
    not be left out for what is old. How old each is, its manifest says, and nobody signed
    that: it orders and decides nothing else.

    Returns:
        The newest first; those of the same time in the order of their digests. What is
        left out is noted where it was found.
    """
    wanted: dict[_Key, tuple[Lead, Found]] = {}
    for one in found:
        if len(one.leads) > _MAX_BUNDLES:
            one.unseen(f"expected at most {_MAX_BUNDLES} bundles, saw {len(one.leads)}")
        for lead in sorted(one.leads.values(), key=_newest)[:_MAX_BUNDLES]:
            wanted[lead.key] = (lead, one)
    room = _MAX_ALL
    kept = []
    for lead, one in sorted(wanted.values(), key=lambda pair: _newest(pair[0])):
        size = lead.layer.size
        if size > MAX_BUNDLE or size > room:
            one.unseen(
                f"expected bundles of at most {MAX_BUNDLE} bytes, and {_MAX_ALL} of "
                f"one image; saw one of {size}"
            )
            continue
        room -= size
        kept.append((lead, one))
    return kept


def _newest(lead: Lead) -> tuple[float, _Key]:
    return -lead.made, lead.key
