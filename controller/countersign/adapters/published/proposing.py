"""The manifest by which admins take over what a mirror publishes. Nothing is applied."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import orjson

from countersign.adapters.expiry import expires
from countersign.adapters.published.entries import entries
from countersign.adapters.published.fetching import Reach
from countersign.adapters.published.updates import Ended, published
from countersign.adapters.registry.settings import LOOPBACK
from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.core.takeover import compare, refuse_unlike
from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.published import (
    Changes,
    Looked,
    Mirror,
    Outcome,
    Published,
)
from countersign.wire.resources import objects
from countersign.wire.strict_json import parse_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What could be taken over.

    Attributes:
        tree: The TrustRoot as it would be: its spec, and nothing that a server notes.
        changes: Of whom it believes.
        found: What was published.
        before: Version of the root that was begun with.
        differs: Whether there is other trust to take over.
    """

    tree: Tree
    changes: Changes
    found: Published
    before: int
    differs: bool


def reach(*, ca_file: Path | None, loopback: bool, look_s: float) -> Reach:
    """Return how mirrors are reached.

    Args:
        ca_file: Authorities besides the system's, PEM.
        loopback: Whether one may be on this machine.
        look_s: Seconds for all files of one look.
    """
    networks = LOOPBACK if loopback else ()
    return Reach(ca_file=ca_file, networks=networks, look_s=look_s)


def propose(tree: Tree, how: Reach, known: Mirror | None = None) -> Proposal:
    """Look at the mirror of a TrustRoot, and say what would change; it blocks.

    Args:
        tree: A TrustRoot.
        how: The mirror is reached.
        known: Its mirror, with what else is known of it; None: what the TrustRoot says.

    Raises:
        Malformed: `tree` is no TrustRoot that can be read, or names no mirror.
        Unavailable, Ended, Rejected, Misconfigured: as
            :func:`~countersign.adapters.published.updates.published`; Rejected, too,
            for a trusted root that cannot be read or cannot be meant.
    """
    mirror = known or objects.mirror(tree)
    if mirror is None:
        raise Malformed("expected spec.tuf, which says where it is published, saw none")
    spec = cast("dict[str, Json]", tree["spec"])
    found = published(mirror, how)
    try:
        document = parse_json(found.trusted_root, limit=len(found.trusted_root))
        before, after = (
            entries(orjson.dumps(spec["sigstore"])),
            entries(found.trusted_root),
        )
        proposed = _proposed(tree, spec, document, found)
        expires(objects.trust_root(proposed))
    except (Malformed, ValueError) as error:
        raise Rejected(
            f"expected a trusted root in {mirror.target}: {error}"
        ) from error
    refuse_unlike(before, after)
    told = orjson.loads(mirror.root)
    return Proposal(
        tree=proposed,
        changes=compare(before, after),
        found=found,
        before=int(told["signed"]["version"]),
        differs=document != spec["sigstore"],
    )


def _proposed(
    tree: Tree, spec: dict[str, Json], document: Json, found: Published
) -> Tree:
    metadata = cast("dict[str, Json]", tree["metadata"])
    kept: dict[str, Json] = {"name": metadata["name"]}
    if labels := metadata.get("labels"):
        kept["labels"] = labels
    tuf = cast("dict[str, Json]", spec["tuf"])
    versions: dict[str, Json] = dict(found.versions)
    return {
        "apiVersion": tree["apiVersion"],
        "kind": tree["kind"],
        "metadata": kept,
        "spec": {
            **spec,
            "sigstore": document,
            "tuf": {**tuf, "root": found.root.decode(), "versions": versions},
        },
    }


def look(tree: Tree, mirror: Mirror, how: Reach) -> tuple[Looked, Mirror]:
    """Look at the mirror of a TrustRoot; raise nothing that the mirror could cause.

    Args:
        tree: The TrustRoot, which can be read.
        mirror: Its mirror, with what earlier looks know of it.
        how: It is reached.

    Returns:
        What came of it, and what is known now.

    Raises:
        Misconfigured: the authorities in `how` cannot be read.
    """
    try:
        seen = propose(tree, how, mirror)
    except Unavailable as error:
        return _failed(Outcome.UNREACHABLE, mirror, error), mirror
    except Ended as error:
        return _failed(Outcome.EXPIRED, mirror, error), mirror
    except (Rejected, Malformed) as error:
        return _failed(Outcome.REJECTED, mirror, error), mirror
    outcome = Outcome.DIFFERS if seen.differs else Outcome.SAME
    looked = Looked(
        outcome=outcome, url=mirror.url, changes=seen.changes, ends=seen.found.ends
    )
    return looked, replace(mirror, root=seen.found.root, versions=seen.found.versions)


def _failed(outcome: Outcome, mirror: Mirror, error: Exception) -> Looked:
    return Looked(outcome=outcome, url=mirror.url, detail=str(error))
