"""An author at work: a clone of the demo's repository, and the words said about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.support.chart import PINNED, Tree
from tests.support.cli import Ran
from tests.support.gate import Gate
from tests.support.git import GitFolder, Who
from tools.stack.people import CI, DANA, LEE, REPOSITORY, Someone


def known(someone: Someone) -> Who:
    """Return somebody as git shows them."""
    return Who(someone.name, someone.email)


@dataclass
class Work:
    """A clone, at the baseline of the policies.

    Attributes:
        gate: Where it all lands.
        git: The clone.
        base: Where the range begins that is spoken of.
    """

    gate: Gate
    git: GitFolder
    base: str

    @classmethod
    def begin(cls, gate: Gate, folder: Path) -> "Work":
        """Clone the demo's repository and go back to its baseline."""
        history = gate.stack.history
        git = GitFolder(folder)
        folder.mkdir()
        git.git("clone", "--quiet", str(history.path), ".")
        git.fetching_notes()
        git.git("checkout", "--quiet", "-B", "work", history.baseline)
        return cls(gate, git, history.baseline)

    @property
    def span(self) -> str:
        """The range from where the work began to where it is."""
        return f"{self.base}..HEAD"

    def commit(
        self,
        text: str,
        message: str = "Set it by hand",
        *,
        by: Someone | Who = LEE,
        committer: Someone | Who | None = None,
    ) -> str:
        """Change a file and commit it; return the commit."""
        self.git.write("deploy/region", text)
        author = known(by) if isinstance(by, Someone) else by
        other = known(committer) if isinstance(committer, Someone) else committer
        return self.git.commit(message, author=author, committer=other)

    def declare(
        self,
        *flags: str | Path,
        by: Someone = LEE,
        span: str = "",
        repository: str = REPOSITORY,
        check: bool = True,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Path, Ran]:
        """Have somebody declare; return the bundle's file and what was said."""
        out = self.gate.folder / f"{by.id}.declaration.json"
        out.unlink(missing_ok=True)
        done = self.gate.cli(
            *("attest", span or self.span, "--declare-human", "--yes"),
            *("--repo", self.git.path, "--repo-uri", repository),
            *("--key", self.gate.stack.key(by), "--out", out, *flags),
            at=None,
            **environ,
        )
        assert not check or done.code == 0, done.err
        return out, done

    def attest(
        self,
        *manifests: Tree,
        beside: Sequence[Path] = (),
        span: str = "",
        images: Sequence[str] = (PINNED,),
        flags: Sequence[str | Path] = (),
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Have CI attest what was made of the work; return it to be applied."""
        return self.gate.attest(
            *manifests,
            span=span or self.span,
            images=images,
            repo=self.git.path,
            flags=[
                *("--repo-uri", REPOSITORY),
                *(word for one in beside for word in ("--declaration", one)),
                *flags,
            ],
            environ=environ,
        )

    def human(self, *manifests: Tree, by: Sequence[Someone] = (LEE,)) -> str:
        """Return `manifests` with CI's provenance and the declarations of `by`."""
        return self.attest(*manifests, beside=[self.declare(by=one)[0] for one in by])

    def collect(self, span: str) -> Path:
        """Have CI attest a range of commits, and nothing made of it."""
        out = self.gate.folder / "collected.json"
        done = self.gate.cli(
            *("attest", span, "--repo", self.git.path, "--repo-uri", REPOSITORY),
            *("--key", self.gate.stack.key(CI), "--out", out),
        )
        assert done.code == 0, done.err
        return out

    def approve(
        self,
        span: str,
        *provenance: Path,
        by: Someone = DANA,
        flags: Sequence[str] = (),
    ) -> Path:
        """Have somebody sign off the source of a range; return the bundle's file."""
        out = self.gate.folder / f"{by.id}.source.json"
        done = self.gate.cli(
            *("sign-off", "--source", span, "--repo", self.git.path),
            *("--repo-uri", REPOSITORY, "--key", self.gate.stack.key(by)),
            *("--answers", self.gate.stack.folder / "people" / "answers.yaml"),
            *(word for one in provenance for word in ("--provenance", one)),
            *("--out", out),
            *flags,
        )
        assert done.code == 0, done.err
        return out
