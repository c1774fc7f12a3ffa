"""The two sides of one comparison, for the rules that complete the intent."""

from dataclasses import dataclass

from countersign.binding.facts import ClusterFacts
from countersign.binding.tree import ABSENT, Struct, Value, differences, find, put


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An intent and the object that should equal it.

    Rules write into `wanted` what the server, or a controller that was let through,
    adds to an object: either a value they compute, or the one that is seen where it
    lies in the set they know. Whatever no rule wrote remains a difference.

    Attributes:
        written: The intent without the server's defaults: what its author said.
        wanted: The normal form of the intent; completed in place.
        seen: The normal form of the object under admission; not changed.
        old: The normal form of the object before an UPDATE, our annotations left out;
            None on CREATE.
        uid: The object's, which the server has already made.
        created: When it was made, as the server writes it; empty where nobody knows.
        namespace: The request's.
        facts: About the cluster.
        dry_run: The server allocates no node ports then and shows dummies.
    """

    written: Struct
    wanted: Struct
    seen: Struct
    old: Struct | None
    uid: str
    namespace: str
    facts: ClusterFacts
    dry_run: bool
    created: str = ""

    def spec(self) -> Struct:
        """Return the intent's ``spec``."""
        spec: Struct = self.wanted.setdefault("spec", {})
        return spec

    def seen_spec(self) -> Struct:
        """Return the object's ``spec``."""
        spec: Struct = self.seen.get("spec", {})
        return spec

    def old_spec(self) -> Struct:
        """Return the old object's ``spec``; empty on CREATE."""
        spec: Struct = (self.old or {}).get("spec", {})
        return spec

    def before(self, path: str) -> Value:
        """Return what the old object has at a JSON pointer, or `ABSENT`."""
        return ABSENT if self.old is None else find(self.old, path)

    def keep(self, path: str) -> None:
        """Let an unsaid value stay as it was before and is seen now."""
        seen = find(self.seen, path)
        if (
            find(self.written, path) is ABSENT
            and seen is not ABSENT
            and next(differences(self.before(path), seen), None) is None
        ):
            put(self.wanted, path, seen)


def annotations(tree: Struct) -> Struct:
    """Return the annotations of a normal form; empty if there are none."""
    found: Struct = tree.get("metadata", {}).get("annotations", {})
    return found


def annotate(tree: Struct, key: str, value: str) -> None:
    """Write an annotation into a normal form."""
    tree["metadata"].setdefault("annotations", {})[key] = value
