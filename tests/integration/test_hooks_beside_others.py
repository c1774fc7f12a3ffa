"""Hooks beside other hooks, wherever git looks for them; and gone without a trace."""

import shutil
import stat
from pathlib import Path

import pytest

from countersign.adapters.git_hooks import GitHooks
from countersign.core.errors import Malformed, Unavailable
from countersign.provenance.hook_script import HOOKS, KEPT, hook_script
from countersign.usecases.hooks import HookState, install, status, uninstall
from tests.support.hooked import CLAUDE, MARK, Clone, repository


@pytest.fixture(name="bare")
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Return a repository with one commit and no hooks."""
    return repository(tmp_path, monkeypatch)


@pytest.fixture(name="clone")
def _clone(bare: Clone) -> Clone:
    """Return it with our hooks."""
    install(GitHooks(bare.path))
    return bare


def _everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(file.relative_to(folder)): (
            stat.S_IMODE(file.lstat().st_mode),
            str(file.readlink()).encode() if file.is_symlink() else file.read_bytes(),
        )
        for file in sorted(folder.rglob("*"))
        if file.is_symlink() or file.is_file()
    }


def test_it_goes_without_a_trace(bare: Clone) -> None:
    """Every byte, mode and link of the repository is as before."""
    bare.hook("prepare-commit-msg", '#!/bin/sh\necho >>"$1"\n', 0o700)
    bare.hook("commit-msg", "#!/bin/sh\nexit 1\n", 0o644)
    (bare.path / ".git/hooks/post-commit").symlink_to("../../missing")
    bare.git("config", "notes.rewriteMode", "overwrite")
    before = _everything(bare.path)

    install(GitHooks(bare.path))
    assert install(GitHooks(bare.path)) == status(GitHooks(bare.path))
    found = uninstall(GitHooks(bare.path))

    assert {hook.state for hook in found.hooks} == {HookState.ABSENT}
    assert _everything(bare.path) == before
    assert uninstall(GitHooks(bare.path)) == found


def test_what_was_configured_before_stays(bare: Clone) -> None:
    """Notes that were carried are carried on."""
    bare.git("config", "notes.rewriteRef", "refs/notes/*")

    install(GitHooks(bare.path))
    uninstall(GitHooks(bare.path))

    assert bare.git("config", "--get-all", "notes.rewriteRef") == "refs/notes/*"


def test_a_hook_that_was_there_has_its_say(bare: Clone) -> None:
    """First, with all arguments; ours adds to what it wrote."""
    bare.hook("prepare-commit-msg", '#!/bin/sh\nshift\necho "$@" >.git/said\n')
    bare.hook("commit-msg", "#!/bin/sh\nsed -i 's/it/that/' \"$1\"\n")
    bare.hook("post-commit", "#!/bin/sh\ntouch .git/done\n")
    install(GitHooks(bare.path))

    assert bare.commit("Change it", env=CLAUDE) == f"Change that\n\n{MARK}"
    assert (bare.path / ".git/said").read_text() == "message\n"
    assert (bare.path / ".git/done").exists()


@pytest.mark.parametrize("name", ["prepare-commit-msg", "commit-msg"])
def test_a_hook_that_was_there_may_stop_a_commit(bare: Clone, name: str) -> None:
    """As it did before; one that git would not run does nothing."""
    hook = bare.hook(name, "#!/bin/sh\necho no >&2\nexit 3\n")
    install(GitHooks(bare.path))
    bare.change()

    done = bare.run("git", "commit", "--message", "Change it")
    assert (done.returncode, done.stderr) == (1, "no\n")

    hook.with_name(f"{name}.{KEPT}").chmod(0o644)
    bare.git("commit", "--message", "Change it")


def test_what_it_would_overwrite_is_not_touched(clone: Clone) -> None:
    """Somebody put another hook over ours, which had kept one."""
    clone.hook("commit-msg", "#!/bin/sh\n")
    clone.hook(f"commit-msg.{KEPT}", "#!/bin/sh\n")

    with pytest.raises(Malformed, match="rename or remove"):
        install(GitHooks(clone.path))


def test_an_older_edition_is_brought_up_to_date(clone: Clone) -> None:
    """It knew other assistants."""
    hook = clone.hook("commit-msg", hook_script("commit-msg") + "# older\n")
    states = {hook.name: hook.state for hook in status(GitHooks(clone.path)).hooks}
    assert states["commit-msg"] is HookState.OTHER

    install(GitHooks(clone.path))

    assert hook.read_text() == hook_script("commit-msg")


def test_hooks_path_in_the_work_tree(bare: Clone) -> None:
    """Git looks there, so they go there."""
    bare.git("config", "core.hooksPath", ".githooks")

    install(GitHooks(bare.path))

    assert {file.name for file in (bare.path / ".githooks").iterdir()} == set(HOOKS)
    assert bare.commit("Change it", env=CLAUDE).endswith(MARK)
    uninstall(GitHooks(bare.path))
    assert not (bare.path / ".githooks").exists()


def test_hooks_path_of_all_repositories(bare: Clone, tmp_path: Path) -> None:
    """They are other repositories' hooks, too: that has to be meant."""
    bare.git("config", "--global", "core.hooksPath", str(tmp_path / "shared"))
    before = _everything(tmp_path)
    with pytest.raises(Malformed, match="--shared"):
        install(GitHooks(bare.path))

    install(GitHooks(bare.path), shared=True)

    other = Clone(tmp_path / "other", bare.environ)
    bare.git("init", "--quiet", str(other.path))
    assert other.commit("Change it", env=CLAUDE).endswith(MARK)
    shutil.rmtree(other.path)
    uninstall(GitHooks(bare.path), shared=True)
    assert _everything(tmp_path) == before


def test_a_folder_of_hooks_elsewhere(bare: Clone, tmp_path: Path) -> None:
    """A link leads out of the repository: who knows who else uses what is there."""
    hooks = bare.path / ".git/hooks"
    shutil.rmtree(hooks)
    (tmp_path / "elsewhere").mkdir()
    hooks.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Malformed, match="--shared"):
        install(GitHooks(bare.path))

    assert not list((tmp_path / "elsewhere").iterdir())


# What both frameworks write: cut down to how they find the hook that they call.
FRAMEWORK = """\
#!/bin/sh
# File generated by pre-commit: https://pre-commit.com
[ -z "$RUNNING" ] || exit 1
export RUNNING=1
if [ -x "$0.legacy" ]; then "$0.legacy" "$@" || exit; fi
echo framework >&2
"""
HUSKY = """\
#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
sh -e "$s" "$@"
"""


def test_the_framework_was_there_first(bare: Clone) -> None:
    """It calls ours; it may be installed again, and removed."""
    hook = bare.hook("prepare-commit-msg", FRAMEWORK)
    install(GitHooks(bare.path))

    assert hook.read_text() == FRAMEWORK
    assert bare.commit("Change it", env=CLAUDE).endswith(MARK)
    hook.with_name("prepare-commit-msg.legacy").rename(hook)  # pre-commit uninstall
    assert bare.commit("Change it", env=CLAUDE).endswith(MARK)


def test_the_framework_came_later(bare: Clone) -> None:
    """It calls ours, which calls what was there before both."""
    hook = bare.hook("prepare-commit-msg", "#!/bin/sh\necho before >&2\n")
    install(GitHooks(bare.path))
    hook.rename(f"{hook}.legacy")  # pre-commit install
    bare.hook("prepare-commit-msg", FRAMEWORK)
    install(GitHooks(bare.path))
    bare.change()

    done = bare.run("git", "commit", "--quiet", "-m", "Change it", env=CLAUDE)

    assert done.stderr.split() == ["before", "framework"]
    assert bare.message().endswith(MARK)
    uninstall(GitHooks(bare.path))
    assert hook.read_text() == FRAMEWORK
    legacy = hook.with_name("prepare-commit-msg.legacy")
    assert "before" in legacy.read_text()


def test_husky(bare: Clone) -> None:
    """Its folder is made anew at each start; what it calls is above."""
    shims = bare.path / ".husky/_"
    shims.mkdir(parents=True)
    (shims / "h").touch()
    for name in HOOKS:
        (shims / name).write_text(HUSKY)
        (shims / name).chmod(0o755)
    bare.git("config", "core.hooksPath", ".husky/_")
    own = bare.path / ".husky/prepare-commit-msg"
    own.write_text("echo husky >&2\n")

    install(GitHooks(bare.path))
    bare.change()
    done = bare.run("git", "commit", "--quiet", "-m", "Change it", env=CLAUDE)
    assert (done.returncode, done.stderr) == (0, "husky\n")
    assert bare.message().endswith(MARK)
    uninstall(GitHooks(bare.path))

    assert own.read_text() == "echo husky >&2\n"
    assert {file.name for file in own.parent.iterdir()} == {"_", own.name}


def test_no_repository(tmp_path: Path) -> None:
    """Git's own words say so."""
    with pytest.raises(Malformed, match="not a git repository"):
        GitHooks(tmp_path)


def test_an_empty_hooks_path(bare: Clone) -> None:
    """Git looks in the root then, not in the work tree: that is nobody's alone."""
    bare.git("config", "core.hooksPath", "")

    found = GitHooks(bare.path)

    assert str(found.folder) == "/"
    with pytest.raises(Malformed, match="others may use"):
        install(found)


def test_what_cannot_be_written_leaves_nothing(bare: Clone) -> None:
    """Neither a part of it nor another name for it."""
    (bare.path / ".git/hooks/commit-msg").mkdir()
    before = sorted((bare.path / ".git/hooks").iterdir())

    with pytest.raises(Unavailable, match="expected to write commit-msg"):
        GitHooks(bare.path).write("commit-msg", b"#!/bin/sh\n")

    assert sorted((bare.path / ".git/hooks").iterdir()) == before
