"""``countersign init``: what it writes can be used, and nothing is overwritten."""

import json
from pathlib import Path

import pytest

from countersign.adapters.policy_files import PolicyFiles
from countersign.core.types.policy import Enforcement
from countersign.faces.cli.session import Exit
from tests.support.cli import Ran, Run
from tests.support.release import Release
from tools.sigstore import VirtualSigstore


def _init(run: Run, folder: Path, *more: object) -> Ran:
    me = ("--name", "Dana Lee", "--email", "dana.lee+git@acme.example")
    return run(
        *("init", "--dir", folder / "policies", *me, *more),
        environ={"COUNTERSIGN_PASSWORD": ""},
    )


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_it_writes_is_a_policy_that_only_looks(run: Run, tmp_path: Path) -> None:
    """With its author on the roster, by a new key."""
    ran = _init(run, tmp_path, "--namespace", "payments", "-n", "ledger-*")

    assert ran.code == Exit.DONE, ran.err
    books = PolicyFiles(tmp_path / "policies").books
    assert not books.problems
    (policy,) = books.policies.policies
    assert policy.enforcement is Enforcement.AUDIT
    assert policy.scope.namespaces == ("payments", "ledger-*")
    (person,) = policy.roster.persons
    assert (person.id, person.name) == ("dana-lee", "Dana Lee")
    assert (tmp_path / "dana-lee.key").stat().st_mode & 0o777 == 0o600


def test_one_can_sign_by_it(run: Run, tmp_path: Path, release: Release) -> None:
    """From the first sign-off to the verdict; a policy that audits warns nobody."""
    assert _init(run, tmp_path, "-n", "payments").code == Exit.DONE
    signed = tmp_path / "signed.yaml"
    ran = run(
        *("sign-off", "-f", release.path("attested.yaml"), "--cluster", "prod"),
        *("--key", "dana-lee.key", "--answers", release.path("answers.yaml")),
        *("--policies", "policies", "--out", signed),
        environ={"COUNTERSIGN_PASSWORD": ""},
    )
    assert ran.code == Exit.DONE, ran.err

    judged = run(
        *("verify", "-f", signed, "--policies", "policies", "--cluster", "prod")
    )

    assert judged.code == Exit.DONE
    assert "senior: dana-lee" in judged.out


def test_a_key_that_one_has(run: Run, tmp_path: Path) -> None:
    """Is used, and none is made."""
    made = run("keys", "generate", "mine", environ={"COUNTERSIGN_PASSWORD": ""})
    assert made.code == Exit.DONE

    ran = _init(run, tmp_path, "--key", "mine.pub", "--id", "dl")

    assert ran.code == Exit.DONE, ran.err
    assert not list(tmp_path.glob("dl.*"))
    assert not PolicyFiles(tmp_path / "policies").books.problems


def test_keyless(run: Run, tmp_path: Path) -> None:
    """By issuer and name, under the Sigstore that is given."""
    root = tmp_path / "trusted_root.json"
    root.write_text(json.dumps(VirtualSigstore().trusted_root()))

    ran = _init(
        run, tmp_path, "--issuer", "https://idp.acme.example", "--trusted-root", root
    )

    assert ran.code == Exit.DONE, ran.err
    books = PolicyFiles(tmp_path / "policies").books
    assert not books.problems
    assert [root.name for root in books.roots] == ["sigstore"]


@pytest.mark.parametrize("there", ["trust-root.yaml", "roster.yaml", "policy.yaml"])
def test_nothing_is_overwritten(run: Run, tmp_path: Path, there: str) -> None:
    """And nothing is written beside it."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / there).write_text("mine")

    ran = _init(run, tmp_path)

    assert ran.code == Exit.UNDECIDED
    assert there in ran.err
    assert [file.name for file in folder.iterdir()] == [there]
    assert (folder / there).read_text() == "mine"
    assert not list(tmp_path.glob("*.key"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param(("-n", "Payments!"), "namespaces", id="no namespace"),
        pytest.param(("--id", "a b", "--key", "mine.pub"), "id", id="no id"),
        pytest.param(("--key", "mine.key"), "a private one", id="a private key"),
        pytest.param(("--key", "none.pub"), "could not read", id="no file"),
    ],
)
def test_what_cannot_be_used_is_not_written(
    run: Run, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    """And it says what."""
    run("keys", "generate", "mine", environ={"COUNTERSIGN_PASSWORD": ""})

    ran = _init(run, tmp_path, *more)

    assert ran.code == Exit.UNDECIDED
    assert said in ran.err
    assert not (tmp_path / "policies").exists()


def test_text_is_text(run: Run, tmp_path: Path) -> None:
    """A name that YAML would read otherwise stays a name."""
    ran = run(
        *(
            "init",
            "--name",
            'a: "b" # \U0001f600\u2028 {x}',
            "--email",
            "no@acme.example",
        ),
        environ={"COUNTERSIGN_PASSWORD": ""},
    )

    assert ran.code == Exit.DONE, ran.err
    (policy,) = PolicyFiles(tmp_path / "policies").books.policies.policies
    (person,) = policy.roster.persons
    assert (person.id, person.name) == ("no", 'a: "b" # \U0001f600\u2028 {x}')


def test_git_says_who_one_is(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: Release
) -> None:
    """Where nothing else does."""
    monkeypatch.chdir(release.git.path)
    release.git.git("config", "user.name", "Lee Park")
    release.git.git("config", "user.email", "lee@acme.example")

    ran = run("init", "--dir", tmp_path / "p", environ={"COUNTERSIGN_PASSWORD": ""})

    assert ran.code == Exit.DONE, ran.err
    (policy,) = PolicyFiles(tmp_path / "p").books.policies.policies
    assert policy.roster.persons[0].name == "Lee Park"
