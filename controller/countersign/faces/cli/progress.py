"""Telling a person at a terminal that something takes a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from countersign.faces.cli.session import Session


@contextmanager
def working(session: Session, what: str) -> Iterator[None]:
    """Show `what` on the terminal for as long as it is being done; else nothing."""
    if not session.interactive:
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - for terminals only

    with Console(stderr=True, markup=False).status(f"{what} …"):
        yield
