"""Tables as kubectl prints them: columns that stand below each other, and no lines."""

from collections.abc import Iterator, Sequence

_GAP = "   "


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; the last column is as long as it is.

    Args:
        header: A word for each column.
        rows: As many cells each, without line breaks.
    """
    lines = [header, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield _GAP.join(cells).rstrip()
