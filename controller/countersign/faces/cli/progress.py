"""Telling a person at a terminal that something takes a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from countersign.faces.cli.session import Session


@contextmanager
def working(session: Session, what: str) -> Iterator[Callable[[str], None]]:
    """Show `what` on the terminal for as long as it is being done; else nothing.

    Yields:
        Something that shows how far it has come, in words.
    """
    if not session.interactive:
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - for terminals only

    with Console(stderr=True, markup=False).status(f"{what} …") as status:
        yield lambda far: status.update(f"{what} … {far}")
