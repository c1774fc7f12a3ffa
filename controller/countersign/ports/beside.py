"""Evidence that lies beside the objects it speaks of."""

from dataclasses import dataclass
from typing import Protocol

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.stated import Stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """A BundleSet, unpacked. Nothing of it is proven: storage is not trusted.

    Attributes:
        name: Of the object.
        bundles: Raw Sigstore bundles, in their order.
        intents: Canonical JSON, checked against no digest yet.
        stated: What each bundle claims, in their order; None: it cannot be read. Empty:
            nobody has looked yet.
        made: When the API server took it, RFC 3339; ``""``: it is not there yet.
        whole: False: more lies there than is kept in memory. Then both are empty, and
            nobody knows what it speaks of.
    """

    name: str
    bundles: tuple[bytes, ...]
    intents: tuple[bytes, ...]
    stated: tuple[Stated | None, ...] = ()
    made: str = ""
    whole: bool = True


class BundleSource(Protocol):
    """Evidence that lies beside the objects it speaks of."""

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        """Return the sets that name `ref`, sorted by name. No I/O.

        A set names an object by an intent, or by a change that one of its sign-offs
        speaks of; a break-glass window names all of its namespace. Only sets of the
        object's own namespace count, and for cluster-scoped objects those in
        countersign's.

        Raises:
            Unavailable: there was no first full list yet, or the watch has been cut
                for longer than its limit.
        """
        ...

    async def refresh(self, namespace: str) -> bool:
        """List the sets of a namespace live; tell whether there was one not yet known.

        Args:
            namespace: Of the object that is judged; ``""`` for a cluster-scoped one.

        Raises:
            Unavailable: the API server did not answer.
        """
        ...
