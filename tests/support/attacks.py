"""Sends manifests at the gate, fast, and says what became of them."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from http.client import RemoteDisconnected
from typing import Any

from countersign.binding.tree import differences
from tests.support.apiserver import ApiServer, Refused, Tree
from tests.support.judge import lasting
from tests.support.mutations import Step, stepped, steps

OURS = "countersign.dev/"


class Fate(StrEnum):
    """What becomes of a request."""

    ADMITTED = "admitted"
    SAME = "same"  # admitted, and the object is the one that was signed
    DENIED = "denied"  # by us
    REFUSED = "refused"  # by the server's own validation, before anybody asked us


@dataclass(frozen=True, slots=True)
class Signed:
    """An object with its sign-off, admitted as it is.

    Attributes:
        tree: The manifest with what it carries.
        same: What the server makes of it, each time again.
    """

    tree: Tree
    same: Any

    @property
    def name(self) -> str:
        """Name it in a failure."""
        return f"{self.tree['kind']}/{self.tree['metadata']['name']}"


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody who may write everything and signs nothing.

    Attributes:
        server: The API server, as the attacker.
    """

    server: ApiServer

    def sends(self, tree: Tree, signed: Signed | None = None, **query: str) -> Fate:
        """Create `tree` in a dry run, which gets the same verdict as any other.

        Args:
            tree: What is sent.
            signed: What the evidence on it is for.
            query: Of the request.
        """
        try:
            made = self.server.create(tree, **{"dryRun": "All", **query})
        except Refused as error:
            return fate_of(error)
        except RemoteDisconnected:
            self.server.close()
            return Fate.REFUSED
        if signed is not None and next(differences(signed.same, lasting(made)), None):
            return Fate.ADMITTED
        return Fate.ADMITTED if signed is None else Fate.SAME


def fate_of(error: Refused) -> Fate:
    """Tell our denial from another error."""
    return Fate.DENIED if "denied the request" in str(error) else Fate.REFUSED


def attacks(signed: Signed) -> list[Step]:
    """Return every change of one place of a signed object, its evidence untouched."""
    bare = copy.deepcopy(signed.tree)
    found = [
        step
        for step in steps(bare)
        if step[0] != "/metadata/annotations" and OURS not in step[0]
    ]
    kept = signed.tree["metadata"]["annotations"]
    return [*found, ("/metadata/annotations", {**kept, "added": "x"})]


def attacked(signed: Signed, moves: Sequence[Step]) -> Tree:
    """Return a signed object after some changes; those that no longer fit are left."""
    tree = signed.tree
    for move in moves:
        try:
            tree = stepped(tree, move)
        except (IndexError, KeyError, TypeError):
            continue
    return tree
