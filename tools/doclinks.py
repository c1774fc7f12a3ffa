"""Finds dead links in the documentation: ``python -m tools.doclinks [FOLDER]``.

Looked at are the links of all Markdown files to other files of the repository and to
headings (``#anchor``), named as GitHub names them. Addresses on the network are not
asked. Headings underlined with ``===`` are not known: write them with ``#``.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_INLINE = re.compile(r"\]\(\s*<?([^\s)>]+)>?(?:\s+[\"'(][^)]*)?\)")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_ANCHOR = re.compile(r"<a\s+(?:id|name)=[\"']([^\"']+)[\"']")
_LINK_TEXT = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_NOT_IN_A_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True, order=True)
class Dead:
    """A link that leads nowhere.

    Attributes:
        file: Where it is, relative to the root.
        line: The number of the line, from 1.
        target: As it is written.
        why: What is not there.
    """

    file: Path
    line: int
    target: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.target}: {self.why}"


def dead_links(root: Path) -> list[Dead]:
    """Return the dead links of all Markdown files under `root`, sorted.

    Files and folders whose names begin with a dot are left out.
    """
    return sorted(dead for file in _documents(root) for dead in _dead_in(file, root))


def anchors(document: Path) -> set[str]:
    """Return the anchors of a Markdown file: of its headings, and ``<a id>``."""
    seen: Counter[str] = Counter()
    found = set()
    for _, line in _prose(document, code=True):
        found.update(_ANCHOR.findall(line))
        if heading := _HEADING.match(line):
            slug = _slug(heading[1])
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


def _dead_in(file: Path, root: Path) -> Iterator[Dead]:
    for number, line in _prose(file):
        for target in [*_INLINE.findall(line), *_DEFINITION.findall(line)]:
            if why := _why_dead(target, file, root):
                yield Dead(file.relative_to(root), number, target, why)


def _why_dead(target: str, file: Path, root: Path) -> str:
    """Return what is wrong with `target` as written in `file`; nothing if it is alive."""
    if _SCHEME.match(target):
        return ""
    path, _, anchor = unquote(target).partition("#")
    if path.startswith("/"):
        aim = root / path.lstrip("/")
    else:
        aim = file.parent / path if path else file
    if not aim.exists():
        return "no such file"
    if anchor and aim.suffix == ".md" and anchor not in anchors(aim):
        return "no such heading"
    return ""


def _documents(root: Path) -> Iterator[Path]:
    for file in sorted(root.rglob("*.md")):
        parts = file.relative_to(root).parts
        if not any(part.startswith(".") for part in parts):
            yield file


def _prose(file: Path, *, code: bool = False) -> Iterator[tuple[int, str]]:
    """Give the numbered lines outside fences; inline code is blanked unless `code`."""
    fence = ""
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence):
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            yield number, line if code else _CODE.sub("", line)


def _slug(heading: str) -> str:
    text = _LINK_TEXT.sub(r"\1", heading).replace("`", "").replace("*", "")
    return _NOT_IN_A_SLUG.sub("", text.lower()).replace(" ", "-")


def main() -> int:
    """Print the dead links; return 1 if there are any."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    dead = dead_links(root)
    for one in dead:
        print(one)
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
