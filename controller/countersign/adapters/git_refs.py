"""What the references of a repository tell beside its commits: branches, notes, requests."""

import re
from pathlib import Path

import pygit2

from countersign.provenance.commits import Gap, Unseen

NOTES = "refs/notes/ai"

_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REQUESTS = re.compile(
    r"refs/(?:remotes/[^/]+/)?(?:pull|pr|merge-requests)/([0-9]{1,9})(?:/head)?"
)
# How forges end the subject, or the message, of what they squashed.
_SQUASHED = re.compile(
    r"\(#([0-9]{1,9})\)\s*$|^See merge request \S*!([0-9]{1,9})$", re.MULTILINE
)


class References:
    """The references of a repository, read once.

    Attributes:
        unseen: What they say is out of sight.
    """

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repo = repository
        self.unseen: set[Unseen] = set()
        self._requests: dict[str, list[str]] = {}
        for name in repository.references:
            if matched := _REQUESTS.fullmatch(name):
                self._requests.setdefault(matched[1], []).append(name)
        self._notes = self._listed()
        if self._notes is None and not self._looked_for_notes():
            self.unseen.add(Unseen(Gap.NOTES))

    def note(self, commit: str) -> str:
        """Return the text of the note of a commit, or ``""``."""
        found = (self._notes or {}).get(commit)
        if found is None:
            return ""
        try:
            return self._repo[found].read_raw().decode(errors="replace")
        except (pygit2.GitError, KeyError):
            self.unseen.add(Unseen(Gap.OBJECTS, commit))
            return ""

    def requests(self, message: str, *, by_forge: bool) -> list[pygit2.Oid]:
        """Return the heads of the request that a message says was squashed.

        More than one reference may call itself by its number: whoever may push a branch
        may name it so.

        Args:
            message: Of a commit with one parent.
            by_forge: The forge committed, so that a number in it is a request's.
        """
        subject, _, rest = message.partition("\n")
        matched = _SQUASHED.search(subject) or _SQUASHED.search(rest)
        number = (matched[1] or matched[2]) if matched else ""
        if not number or not self._requests:
            return []
        names = self._requests.get(number, [])
        if by_forge and not names:
            self.unseen.add(Unseen(Gap.PULL_REQUEST, number))
        return [head for name in names if (head := self._head(name, number))]

    def _head(self, name: str, number: str) -> pygit2.Oid | None:
        try:
            return self._repo.references[name].peel(pygit2.Commit).id
        except (pygit2.GitError, KeyError):
            self.unseen.add(Unseen(Gap.PULL_REQUEST, number))
            return None

    def branches(self, target: pygit2.Commit) -> list[str]:
        """Return the branches at `target`, the checked-out one first, then by name."""
        here = [
            name
            for name in self._repo.branches
            if _points_at(self._repo.branches[name], target)
        ]
        remotes = {remote.name or "" for remote in self._repo.remotes}
        names = {_without_remote(name, remotes) for name in here} - {"HEAD"}
        on_branch = not (self._repo.head_is_unborn or self._repo.head_is_detached)
        head = self._repo.head.shorthand if on_branch else ""
        return sorted(names, key=lambda name: (name != head, name))

    def remote(self) -> str:
        """Return the URL of ``origin``, or ``""``."""
        try:
            return self._repo.remotes["origin"].url or ""
        except KeyError:
            return ""

    def cut(self) -> frozenset[str]:
        """Return the commits whose parents this clone hides: shallow or grafted."""
        inner = Path(self._repo.path)
        common = inner / "commondir"
        root = inner / common.read_text().strip() if common.exists() else inner
        return frozenset(
            line.split()[0]
            for name in ("shallow", "info/grafts")
            if (root / name).exists()
            for line in (root / name).read_text(errors="replace").splitlines()
            if line.strip()
        )

    def _listed(self) -> dict[str, pygit2.Oid] | None:
        """Return the notes by commit, whatever folders git sorted them into."""
        try:
            tree = self._repo.references[NOTES].peel(pygit2.Tree)
        except KeyError:
            return None
        except pygit2.GitError:
            self.unseen.add(Unseen(Gap.OBJECTS, NOTES))
            return {}
        found: dict[str, pygit2.Oid] = {}
        waiting = [("", tree)]
        while waiting:
            prefix, folder = waiting.pop()
            try:
                for entry in folder:
                    name = f"{prefix}{entry.name}"
                    if isinstance(entry, pygit2.Tree):
                        waiting.append((name, entry))
                    elif _HEX.fullmatch(name):
                        found[name] = entry.id
            except (pygit2.GitError, KeyError):
                self.unseen.add(Unseen(Gap.OBJECTS, NOTES))
        return found

    def _looked_for_notes(self) -> bool:
        """Tell whether a fetch would have brought notes: then there are none."""
        remotes = {remote.name: remote for remote in self._repo.remotes}
        if not remotes:
            return True
        asked = [remotes["origin"]] if "origin" in remotes else remotes.values()
        return any(
            _maps(spec, NOTES) for remote in asked for spec in remote.fetch_refspecs
        )


def _maps(spec: str, name: str) -> bool:
    """Tell whether a fetch refspec brings the reference `name` under its own name."""
    source, _, destination = spec.removeprefix("+").partition(":")
    before, star, after = source.partition("*")
    if not star:
        return source == destination == name
    fits = name.startswith(before) and name.endswith(after)
    inner = name[len(before) : len(name) - len(after)]
    return fits and destination.replace("*", inner) == name


def _points_at(branch: pygit2.Branch, target: pygit2.Commit) -> bool:
    try:
        return branch.peel(pygit2.Commit).id == target.id
    except (pygit2.GitError, KeyError, ValueError):  # a dangling symbolic ref
        return False


def _without_remote(name: str, remotes: set[str]) -> str:
    remote, _, rest = name.partition("/")
    return rest if remote in remotes and rest else name
