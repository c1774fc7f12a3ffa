"""What governing needs: who governs now, beyond all doubt."""

from typing import Protocol

from countersign.core.types.governance import Regime


class RootBook(Protocol):
    """The root roster in force."""

    async def regime(self, root: str) -> Regime:
        """Return who governs, once what is known is what the API server has.

        Proofs that are made after it returned are made with that trust, too. It may
        take as long as news are under way; the caller has a deadline.

        Args:
            root: Name of the root roster.

        Raises:
            Unavailable: there was no first full list yet, the watch has been cut for
                longer than its limit, or the API server did not answer.
        """
        ...
