"""Ways to be rid of a mark that a commit carries, as git lets anybody try them.

Each begins at the baseline of the policies, has an assistant's commit made, and then
does what somebody would who wants it to pass for his own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from countersign.provenance.agent_trace import PATH
from tests.support.author import Work, known
from tests.support.forms import AI_NOTE, BY_LEE, FILE, HUMAN_NOTE, trace
from tests.support.git import GitFolder, Who
from tools.stack.people import LEE

MARK = "Assisted-by: Claude:claude-opus-4-5"

_LEE = known(LEE)
_CLAUDE = Who("Claude", "noreply@anthropic.com")


class Left(StrEnum):
    """What is left of the mark."""

    SEEN = "seen"  # found all the same
    GONE = "gone"  # nothing: the change is unknown
    CUT = "cut"  # who looks cannot tell, and says so


@dataclass(frozen=True)
class Way:
    """One way.

    Attributes:
        name: Of the branch, and of the object that is made of it.
        left: What is left of the mark.
        wash: Does it, on the branch that is checked out; returns where CI then looks.
        environ: Of the program that collects.
    """

    name: str
    left: Left
    wash: Callable[[GitFolder], GitFolder | None]
    environ: dict[str, str] = field(default_factory=dict)

    def begin(self, work: Work) -> GitFolder:
        """Do it; return the clone that CI collects from."""
        branch = f"topic/{self.name}"
        work.git.git("checkout", "--quiet", "--force", "-B", branch, work.base)
        return self.wash(work.git) or work.git


def _by_machine(folder: GitFolder, mark: str = MARK) -> str:
    """Commit what an assistant made; no two branches get the same commit."""
    folder.write(FILE, folder.git("branch", "--show-current") + "\n")
    return folder.commit(f"Set it\n\n{mark}\n", author=_LEE)


def _git(folder: GitFolder, *args: str, **env: str) -> str:
    return folder.git(*args, env={**BY_LEE, **env})


def _as_it_is(folder: GitFolder) -> None:
    _by_machine(folder)


def _reworded(folder: GitFolder) -> None:
    _by_machine(folder)
    _git(folder, "commit", "--quiet", "--amend", "--message", "Mine")


def _reworded_by_rebase(folder: GitFolder) -> None:
    _by_machine(folder)
    editors = {
        "GIT_SEQUENCE_EDITOR": "sed -i s/^pick/reword/",
        "GIT_EDITOR": "sed -i /Assisted-by/d",
    }
    _git(folder, "rebase", "--quiet", "--interactive", "HEAD~1", **editors)


def _filtered(folder: GitFolder) -> None:
    _by_machine(folder)
    said = ("filter-branch", "--force", "--msg-filter", "sed /Assisted-by/d")
    _git(folder, *said, "HEAD~1..HEAD", FILTER_BRANCH_SQUELCH_WARNING="1")


def _committed_anew(folder: GitFolder) -> None:
    _by_machine(folder)
    folder.git("reset", "--quiet", "--soft", "HEAD~1")
    folder.commit("Mine", author=_LEE)


def _picked_without_its_message(folder: GitFolder) -> None:
    made = _by_machine(folder)
    folder.git("reset", "--quiet", "--hard", "HEAD~1")
    _git(folder, "cherry-pick", "--no-commit", made)
    folder.commit("Mine", author=_LEE)


def _squashed_without_its_message(folder: GitFolder) -> None:
    made = _by_machine(folder)
    folder.git("reset", "--quiet", "--hard", "HEAD~1")
    folder.git("merge", "--quiet", "--squash", made)
    folder.commit("Mine", author=_LEE)


def _author_reset(folder: GitFolder) -> None:
    folder.write(FILE, "reset\n")
    folder.commit("Set it", author=_CLAUDE, committer=_LEE)
    _git(folder, "commit", "--quiet", "--amend", "--no-edit", "--reset-author")


def _branch_renamed(folder: GitFolder) -> None:
    here = folder.git("branch", "--show-current")
    folder.write(FILE, "renamed\n")
    folder.git("branch", "--quiet", "-m", "codex/set-it")
    folder.commit("Set it", author=_LEE)
    folder.git("branch", "--quiet", "-m", here)


def _noted(folder: GitFolder, text: str, how: str = "add") -> None:
    _git(folder, "notes", "--ref=ai", how, "--force", "--message", text)


def _plain(folder: GitFolder) -> None:
    folder.write(FILE, folder.git("branch", "--show-current") + "\n")
    folder.commit("Set it", author=_LEE)


def _note_removed(folder: GitFolder) -> None:
    _plain(folder)
    _noted(folder, AI_NOTE)
    _git(folder, "notes", "--ref=ai", "remove", "HEAD")


def _note_rewritten(folder: GitFolder) -> None:
    _plain(folder)
    _noted(folder, AI_NOTE)
    _noted(folder, HUMAN_NOTE)


def _note_joined(folder: GitFolder) -> None:
    _plain(folder)
    _noted(folder, AI_NOTE)
    _git(folder, "notes", "--ref=ai", "append", "--message", HUMAN_NOTE)


def _note_broken(folder: GitFolder) -> None:
    _plain(folder)
    _noted(folder, AI_NOTE.replace("authorship/3", "authorship/0"))


def _trace_amended_away(folder: GitFolder) -> None:
    folder.write(PATH, trace("ai"))
    _plain(folder)
    folder.git("rm", "--quiet", PATH)
    _git(folder, "commit", "--quiet", "--amend", "--no-edit")


def _trace_edited_later(folder: GitFolder) -> None:
    folder.write(PATH, trace("ai"))
    _plain(folder)
    folder.write(PATH, trace("human"))
    folder.commit("Correct the record", author=_LEE)


def _trace_called(attribute: str) -> Callable[[GitFolder], None]:
    def wash(folder: GitFolder) -> None:
        folder.write(".gitattributes", f"{PATH} {attribute}\n* {attribute}\n")
        folder.write(PATH, trace("ai"))
        _plain(folder)
        (folder.path / PATH).unlink()

    return wash


def _rebased(folder: GitFolder) -> None:
    made = _by_machine(folder)
    folder.git("reset", "--quiet", "--hard", "HEAD~1")
    folder.write("deploy/other", "x\n")
    onto = folder.commit("Meanwhile", author=_LEE)
    folder.git("reset", "--quiet", "--hard", made)
    _git(folder, "rebase", "--quiet", onto)


def _squashed_by_git(folder: GitFolder) -> None:
    made = _by_machine(folder)
    folder.git("reset", "--quiet", "--hard", "HEAD~1")
    folder.git("merge", "--quiet", "--squash", made)
    _git(folder, "commit", "--quiet", "--no-edit")


def _picked(folder: GitFolder) -> None:
    made = _by_machine(folder)
    folder.git("reset", "--quiet", "--hard", "HEAD~1")
    _git(folder, "cherry-pick", made)


def _denied_in_words(folder: GitFolder) -> None:
    _by_machine(folder, f"{MARK}\nAI-Assisted: none\nAI: no\nHuman-Authored: true")


def _typed_again(folder: GitFolder) -> None:
    _by_machine(folder)
    folder.git("rm", "--quiet", FILE)
    folder.commit("Away with it", author=_LEE)
    folder.write(FILE, "typed again\n")
    folder.commit("By hand", author=_LEE)


def _replaced(folder: GitFolder) -> None:
    made = _by_machine(folder)
    clean = _git(
        folder, "commit-tree", f"{made}^{{tree}}", "-p", f"{made}~1", "-m", "By hand"
    )
    folder.git("replace", made, clean)


def _mapped(folder: GitFolder) -> None:
    folder.write(".mailmap", f"{LEE.name} <{LEE.email}> <{_CLAUDE.email}>\n")
    folder.write(FILE, "mapped\n")
    folder.commit("Set it", author=_CLAUDE, committer=_LEE)


def _generated(folder: GitFolder) -> None:
    folder.write(".gitattributes", "* linguist-generated binary -diff\n")
    _by_machine(folder)


def _crafted(message: bytes, header: str = "") -> Callable[[GitFolder], None]:
    """Commit by hand, with bytes that ``git commit`` would not write."""

    def wash(folder: GitFolder) -> None:
        _plain(folder)
        head = folder.git("cat-file", "commit", "HEAD").partition("\n\n")[0]
        raw = f"{head}{header}\n\n".encode() + message
        command = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
        folder.git("reset", "--quiet", "--hard", folder.git(*command, stdin=raw))

    return wash


def _dated(folder: GitFolder) -> None:
    folder.write(FILE, "dated\n")
    dates = {"GIT_AUTHOR_DATE": "1980-01-01T00:00:00Z"}
    dates["GIT_COMMITTER_DATE"] = dates["GIT_AUTHOR_DATE"]  # before the baseline
    _git(folder, "commit", "--quiet", "--message", f"Set it\n\n{MARK}", **dates)
    folder.write(FILE, "dated by hand\n")
    folder.commit("By hand", author=_LEE)


def _from_elsewhere(folder: GitFolder) -> None:
    """Merge a history that has nothing in common with the baseline's."""
    here = folder.git("branch", "--show-current")
    folder.git("checkout", "--quiet", "--orphan", f"orphan-{here}")
    _by_machine(folder)
    folder.git("checkout", "--quiet", here)
    said = ("--allow-unrelated-histories", "--strategy=ours", "--message", "Merge")
    _git(folder, "merge", "--quiet", "--no-ff", *said, f"orphan-{here}")


def _on_another_root(folder: GitFolder) -> None:
    """Build where the baseline is no ancestor: the range begins at the root."""
    here = folder.git("branch", "--show-current")
    folder.git("checkout", "--quiet", "--orphan", f"orphan-{here}")
    _by_machine(folder)
    folder.git("branch", "--quiet", "-M", here)
    folder.write(FILE, "on another root\n")
    folder.commit("By hand", author=_LEE)


def _cloned(
    *options: str, notes: bool = True
) -> Callable[[GitFolder], GitFolder | None]:
    """Collect from a clone that lacks something."""

    def wash(folder: GitFolder) -> GitFolder:
        _by_machine(folder, mark="By hand")
        branch = folder.git("branch", "--show-current")
        folder.git("config", "uploadpack.allowFilter", "true")
        clone = folder.path.with_name(Path(branch).name)
        source = f"file://{folder.path}"
        folder.git("clone", "-q", "-b", branch, *options, source, str(clone))
        if notes:
            GitFolder(clone).fetching_notes()
        return GitFolder(clone)

    return wash


def _grafted(folder: GitFolder) -> GitFolder:
    """Hide a commit between the baseline and the head from whoever looks here."""
    base = folder.git("rev-parse", "HEAD")
    _by_machine(folder)
    folder.write(FILE, "grafted\n")
    head = folder.commit("By hand", author=_LEE)
    clone = folder.path.with_name("grafted")
    folder.git("clone", "-q", str(folder.path), str(clone))
    made = GitFolder(clone)
    made.fetching_notes()
    made.git("checkout", "-q", head)
    (clone / ".git/info/grafts").write_text(f"{head} {base}\n")
    return made


def _submodule(folder: GitFolder) -> None:
    _plain(folder)
    entry = f"160000,{folder.git('rev-parse', 'HEAD')},vendored"
    folder.git("update-index", "--add", "--cacheinfo", entry)
    _git(folder, "commit", "--quiet", "--message", "Vendor it")
    folder.git("reset", "--quiet", "--hard")


_MARKED = f"Set it\n\n{MARK}\n".encode()

WAYS = (
    Way("reworded", Left.GONE, _reworded),
    Way("reworded-by-rebase", Left.GONE, _reworded_by_rebase),
    Way("filtered", Left.GONE, _filtered),
    Way("committed-anew", Left.GONE, _committed_anew),
    Way("picked-bare", Left.GONE, _picked_without_its_message),
    Way("squashed-bare", Left.GONE, _squashed_without_its_message),
    Way("author-reset", Left.GONE, _author_reset),
    Way("branch-renamed", Left.GONE, _branch_renamed),
    Way("note-removed", Left.GONE, _note_removed),
    Way("note-rewritten", Left.GONE, _note_rewritten),
    Way("trace-amended-away", Left.GONE, _trace_amended_away),
    Way("note-joined", Left.SEEN, _note_joined),
    Way("trace-edited-later", Left.SEEN, _trace_edited_later),
    Way("trace-binary", Left.SEEN, _trace_called("binary")),
    Way("trace-no-diff", Left.SEEN, _trace_called("-diff")),
    Way("rebased", Left.SEEN, _rebased),
    Way("squashed", Left.SEEN, _squashed_by_git),
    Way("picked", Left.SEEN, _picked),
    Way("denied-in-words", Left.SEEN, _denied_in_words),
    Way("typed-again", Left.SEEN, _typed_again),
    Way("replaced", Left.SEEN, _replaced),
    Way("mapped", Left.SEEN, _mapped),
    Way("generated", Left.SEEN, _generated),
    Way("nul", Left.SEEN, _crafted(b"Set it\n\0\n" + MARK.encode() + b"\n")),
    Way("returns", Left.SEEN, _crafted(_MARKED.replace(b"\n", b"\r"))),
    Way("utf-16", Left.SEEN, _crafted(_MARKED, "\nencoding utf-16")),
    Way("ebcdic", Left.SEEN, _crafted(_MARKED, "\nencoding cp037")),
    Way("dated", Left.SEEN, _dated),
    Way("merged-from-elsewhere", Left.SEEN, _from_elsewhere),
    Way("on-another-root", Left.SEEN, _on_another_root),
    Way(
        "git-environment",
        Left.SEEN,
        _as_it_is,
        environ={"GIT_DIR": "/nowhere", "GIT_GRAFT_FILE": "/dev/null"},
    ),
    Way("note-broken", Left.CUT, _note_broken),
    Way("partial-clone", Left.CUT, _cloned("--filter=blob:none", "--no-checkout")),
    Way("without-notes", Left.CUT, _cloned(notes=False)),
    Way("submodule", Left.CUT, _submodule),
    Way("grafted", Left.CUT, _grafted),
)
