"""Plans of infrastructure, with the real program: from a commit to the apply.

A real repository, an assistant's commit, real plans of the real OpenTofu, and the script
that CI runs. Faults this was seen to catch: a gate that judges the JSON it is given and
not that of the plan; a script that applies the plan and not its copy.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from countersign.faces.cli import main
from countersign.faces.cli.session import Exit, Session
from countersign.report.plan import plan_counts
from countersign.usecases.carry import unload
from countersign.wire.manifests import parse_manifests
from countersign.wire.plan import read_parts, read_plan
from countersign.wire.saved_plan import read_code
from tests.support.chart import NAMESPACE
from tests.support.cli import NOON, Ran
from tests.support.gate import Gate
from tests.support.plans import SECRET, STACK, Stack, archive, program, recorded
from tests.support.release import Release
from tools.stack.people import CI, DANA

SCRIPT = Path(__file__).parents[2] / "ci" / "tofu-apply.sh"


@dataclass(frozen=True)
class Estate:
    """A stack in a repository, and who may do what to it.

    Attributes:
        release: Repository, policies, keys.
        stack: Below the repository.
    """

    release: Release
    stack: Stack

    def here(self, *words: object, policies: bool = True) -> Ran:
        """Run a command of ours in the stack's folder, at noon; it tells no secret."""
        out, err = io.StringIO(), io.StringIO()
        told = {"COUNTERSIGN_POLICIES": str(self.release.path("policies"))}
        session = Session(environ=told, present=lambda: NOON)
        more = ("--policies", self.release.path("policies")) if policies else ()
        with (
            contextlib.chdir(self.stack.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main([str(word) for word in (*words, *more)], session=session)
        assert SECRET not in out.getvalue() + err.getvalue()
        return Ran(code, out.getvalue(), err.getvalue())

    def gate(self, plan: str, *more: object, name: str = "web") -> Ran:
        """Judge a plan by what it showed."""
        return self.here(
            *("gate", "--plan", f"{name}={plan}.json", "-n", "payments"),
            *("--saved-plan", f"{name}={plan}"),
            *("--cluster", "prod", *more),
        )

    def attest(self, plan: str) -> None:
        """Attest the range, with a plan that was made of it: ``attested.yaml``."""
        ran = self.here(
            *("attest", f"{self.release.base}..HEAD", "--repo", self.release.git.path),
            *("--plan", f"web={plan}.json", "-n", "payments", "--cluster", "prod"),
            *("--saved-plan", f"web={plan}"),
            *("--carrier", "bundleset", "--sets-only", "--out", "attested.yaml"),
            *("--key", self.release.path("ci.key")),
        )
        assert ran.code == Exit.DONE, ran.err

    def sign(self, plan: str, who: str = "dana") -> Ran:
        """Attest a plan, and sign it off: ``signed.yaml``."""
        self.attest(plan)
        ran = self.here(
            *("sign-off", "--plan", f"web={plan}.json", "-n", "payments"),
            *("--saved-plan", f"web={plan}"),
            *("-f", "attested.yaml", "--cluster", "prod", "--out", "signed.yaml"),
            *("--key", self.release.path(f"{who}.key")),
            *("--answers", self.release.path("answers.yaml")),
        )
        assert ran.code == Exit.DONE, ran.err
        return ran

    def apply(self, plan: str, *more: str, **environ: str) -> Ran:
        """Run the script of CI."""
        told = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COUNTERSIGN_PLAN": "web",
            "COUNTERSIGN_NAMESPACE": "payments",
            "COUNTERSIGN_CLUSTER": "prod",
            "COUNTERSIGN_POLICIES": str(self.release.path("policies")),
            "COUNTERSIGN_TOFU": str(self.stack.tofu),
        }
        done = subprocess.run(
            ["sh", SCRIPT, plan, *more],
            cwd=self.stack.folder,
            env=self.stack.environ | told | environ,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a release whose head is an assistant's commit of infrastructure."""
    release = Release.make(tmp_path_factory.mktemp("release") / "r")
    (release.git.path / "infra").mkdir()
    release.git.write("infra/main.tf", STACK)
    release.git.commit("Make the stack\n\nAI-Assisted: amazon-q/2026-03\n")
    return release


def made(template: Release, folder: Path, name: str) -> Estate:
    """Return a stack of a program's, without anything there."""
    tofu = program(name)
    if tofu is None:
        pytest.skip(f"no {name} on this machine")
    release = template.copy(folder / "release")
    estate = Estate(release, Stack(release.git.path / "infra", tofu))
    estate.stack.init()
    return estate


@pytest.fixture(name="estate")
def _estate(template: Release, tmp_path: Path) -> Estate:
    return made(template, tmp_path, "tofu")


@pytest.mark.parametrize("name", ["tofu", "terraform"])
def test_from_the_commit_to_the_apply(
    template: Release, tmp_path: Path, name: str
) -> None:
    """Denied; signed by the command that it says; applied; changed and denied again."""
    estate = made(template, tmp_path, name)
    stack = estate.stack
    said = stack.plan("one")
    estate.attest("one")

    denied = estate.apply("one", "-f", "attested.yaml")
    assert denied.code == Exit.DENIED, denied.err
    assert "an AI-assisted change without a senior sign-off" in denied.out
    assert "is a copy of one, and gone: write one" in denied.err
    assert stack.state() == {}

    judged = estate.gate("one", "-f", "attested.yaml")
    command = re.search(r"to run: countersign (.*?) {4}then", judged.out)
    assert command, judged.out
    signed = estate.here(
        *shlex.split(command[1]),
        *("--key", estate.release.path("dana.key")),
        *("--answers", estate.release.path("answers.yaml")),
    )
    assert signed.code == Exit.DONE, signed.err
    counts = next(line for line in said.splitlines() if line.startswith("Plan: "))
    assert counts in signed.out + signed.err

    done = estate.apply("one", "-f", "SIGNED")
    assert done.code == 0, done.out + done.err
    assert "senior: dana" in done.out
    assert stack.state()["terraform_data.web"]["input"]["size"] == 3

    stack.plan("two", "-var=size=4")
    again = estate.apply("two", "-f", "SIGNED")
    assert again.code == Exit.DENIED
    assert stack.state()["terraform_data.web"]["input"]["size"] == 3
    judged = estate.gate("two", "-f", "SIGNED")
    assert "/data/resource_changes terraform_data.db[0]" in judged.out


def test_what_a_plan_would_do_decides(estate: Estate) -> None:
    """The same plan made twice passes; others of the same commit and state do not."""
    stack = estate.stack
    stack.plan("first")
    assert stack.apply("first").code == 0
    stack.plan("signed", "-var=size=4")
    stack.plan("again", "-var=size=4")
    estate.sign("signed")

    for plan in ("signed", "again"):
        assert estate.gate(plan, "-f", "signed.yaml").code == Exit.DONE
    others = {
        "replaced": ["-var=size=4", "-replace=terraform_data.web"],
        "targeted": ["-var=size=4", "-target=terraform_data.web"],
        "password": ["-var=size=4", "-var=password=another-one"],
        "destroyed": ["-destroy", "-var=size=4"],
        "nothing": [],
    }
    for plan, words in others.items():
        said = stack.plan(plan, *words)
        ran = estate.gate(plan, "-f", "signed.yaml")
        assert ran.code != Exit.DONE, plan
        counted = re.search(r"^Plan: .*", said, re.MULTILINE)
        raw = (stack.folder / f"{plan}.json").read_bytes()
        parts = read_parts(read_plan(raw, {}, name="a", namespace="b"))
        assert plan_counts(parts.changes) == (
            counted[0] if counted else "Plan: 0 to add, 0 to change, 0 to destroy."
        )


def test_what_is_judged_is_what_is_applied(estate: Estate) -> None:
    """The JSON of a signed plan beside another plan; and another stack, estate, namespace."""
    stack = estate.stack
    stack.plan("signed")
    stack.plan("other", "-var=size=9")
    estate.sign("signed")
    (stack.folder / "other.json").write_bytes(
        (stack.folder / "signed.json").read_bytes()
    )

    ran = estate.apply("other", "-f", "signed.yaml")
    assert (ran.code, stack.state()) == (Exit.DENIED, {})
    cluster = ("--cluster", "staging")
    where = ("-n", "elsewhere")
    assert estate.gate("signed", "-f", "signed.yaml").code == Exit.DONE
    assert estate.gate("signed", "-f", "signed.yaml", name="db").code == Exit.DENIED
    assert estate.gate("signed", "-f", "signed.yaml", *cluster).code == Exit.DENIED
    assert estate.gate("signed", "-f", "signed.yaml", *where).code == Exit.UNDECIDED


def test_a_plan_that_is_changed_while_it_is_judged(estate: Estate) -> None:
    """What was copied first is applied, whatever becomes of the file meanwhile."""
    stack = estate.stack
    stack.plan("signed")
    stack.plan("other", "-var=size=9")
    estate.sign("signed")
    swapping = stack.folder / "swapping"
    tofu = shlex.quote(str(stack.tofu))
    swapping.write_text(
        f'#!/bin/sh\n{tofu} "$@" || exit\n'
        'if [ "$1" = show ]; then cat other >signed; fi\n'
    )
    swapping.chmod(0o755)

    ran = estate.apply("signed", "-f", "signed.yaml", COUNTERSIGN_TOFU=str(swapping))
    names = [stack.folder / name for name in ("signed", "other")]
    assert names[0].read_bytes() == names[1].read_bytes()
    assert ran.code == 0, ran.out + ran.err
    assert stack.state()["terraform_data.web"]["input"]["size"] == 3


def test_a_state_that_moved_on_is_the_programs_to_refuse(estate: Estate) -> None:
    """Two plans of one state, both signed: the second is stale."""
    stack = estate.stack
    stack.plan("one")
    estate.sign("one")
    (stack.folder / "two").write_bytes((stack.folder / "one").read_bytes())
    assert estate.apply("one", "-f", "signed.yaml").code == 0

    ran = estate.apply("two", "-f", "signed.yaml")
    assert ran.code != 0
    assert "would be admitted" in ran.out
    assert "stale" in ran.err


def test_an_author_cannot_sign_for_himself(estate: Estate) -> None:
    """The same law as of manifests."""
    estate.stack.plan("one")
    estate.sign("one", who="dev")
    ran = estate.gate("one", "-f", "signed.yaml")
    assert ran.code == Exit.DENIED
    assert "not eligible: dev (author)" in ran.out


def test_nothing_that_is_written_tells_a_secret(estate: Estate) -> None:
    """Of a plan with a password in variables, state, changes, outputs, configuration."""
    estate.stack.plan("one")
    assert SECRET in (estate.stack.folder / "one.json").read_text()
    said = estate.sign("one")
    assert "(sensitive value)" in said.out + said.err
    for file in ("attested.yaml", "signed.yaml"):
        text = (estate.stack.folder / file).read_text()
        assert SECRET not in text
        _, sets = unload(parse_manifests(text.encode()))
        for _, one in sets:
            assert one.intents
            assert not any(SECRET.encode() in r for r in (*one.bundles, *one.intents))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--carrier", "annotations"], "bundleset"),
        (["--carrier", "oci"], "bundleset"),
        (["--operation", "delete"], "-destroy"),
    ],
)
def test_what_makes_no_sense_of_a_plan_is_refused(
    estate: Estate, words: list[str], said: str
) -> None:
    """With what to do instead."""
    ran = estate.here(
        *("sign-off", "--plan", "web=one.json", "-n", "payments", "--cluster", "prod"),
        *("--saved-plan", "web=one"),
        *("--answers", estate.release.path("answers.yaml"), *words),
    )
    assert ran.code == Exit.USAGE
    assert said in ran.err


CODE = """\
resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  input = "${terraform_data.a.id}-good"
  provisioner "local-exec" { command = "echo good ${self.id} >ran" }
}
module "m" { source = "./m" }
"""
MODULE = 'resource "terraform_data" "c" { input = "${terraform_data.d.id}-good" }\n'
MODULE += 'resource "terraform_data" "d" {}\n'
LOCKED = """\
provider "registry.opentofu.org/hashicorp/null" {
  version = "3.2.4"
  hashes  = ["h1:%s", "h1:%s"]
}
"""
PROVIDER = b"of a provider that is locked, and that nothing uses"


def _locked(stack: Stack, more: str) -> None:
    """Lock a provider, by its own hash and by one more."""
    where = json.loads(stack.run("version", "-json").out)["platform"]
    package = f".terraform/providers/registry.opentofu.org/hashicorp/null/3.2.4/{where}"
    file = stack.folder / package / "terraform-provider-null"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(PROVIDER)
    file.chmod(0o755)
    listed = f"{hashlib.sha256(PROVIDER).hexdigest()}  {file.name}\n"
    h1, other = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (listed, more)
    )
    (stack.folder / ".terraform.lock.hcl").write_text(LOCKED % (h1, other))


def _coded(stack: Stack, plan: str, code: str, module: str, lock: str) -> None:
    (stack.folder / "m").mkdir(exist_ok=True)
    (stack.folder / "m" / "m.tf").write_text(module)
    stack.write(code)
    stack.init()
    _locked(stack, lock)
    stack.plan(plan)


@pytest.mark.parametrize("name", ["tofu", "terraform"])
def test_code_that_its_json_does_not_show_is_signed(
    template: Release, tmp_path: Path, name: str
) -> None:
    """A literal beside a reference, a command, a module, a provider's hash: denied.

    The JSON is the same to the byte, but for the time.
    """
    estate = made(template, tmp_path, name)
    stack = estate.stack
    _coded(stack, "good", CODE, MODULE, "good")
    said = estate.sign("good")
    evil = {
        "literal": (CODE.replace("id}-good", "id}-evil"), MODULE, "good"),
        "command": (CODE.replace("echo good", "echo evil"), MODULE, "good"),
        "module": (CODE, MODULE.replace("good", "evil"), "good"),
        "lock": (CODE, MODULE, "evil"),
    }
    places = dict.fromkeys(evil, "tfconfig~1m-~1main.tf")
    places |= {"module": "tfconfig~1m-m~1m.tf", "lock": ".terraform.lock.hcl"}

    assert "code: 4 files are signed with it" in said.out + said.err
    for plan, written in evil.items():
        _coded(stack, plan, *written)
        shown = [json.loads(stack.show(one)) for one in ("good", plan)]
        assert shown[0] | {"timestamp": ""} == shown[1] | {"timestamp": ""}, plan
        ran = estate.apply(plan, "-f", "signed.yaml")
        assert ran.code == Exit.DENIED, plan
        assert f"/data/code {places[plan]}" in ran.out, ran.out
    assert stack.state() == {}
    _coded(stack, "again", *(CODE, MODULE, "good"))
    assert estate.gate("again", "-f", "signed.yaml").code == Exit.DONE


def test_another_folder_is_the_same_code(estate: Estate, tmp_path: Path) -> None:
    """The repository cloned elsewhere: not a path of it is in the digests."""
    stack = estate.stack
    _coded(stack, "here", CODE, MODULE, "x")
    there = Stack(tmp_path / "a" / "clone", stack.tofu)
    there.folder.mkdir(parents=True)
    _coded(there, "there", CODE, MODULE, "x")
    found = [
        read_code((one.folder / name).read_bytes())
        for one, name in ((stack, "here"), (there, "there"))
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_a_plan_without_its_code_is_refused(estate: Estate) -> None:
    """With what to write."""
    said: dict[str, tuple[str, ...]] = {
        "expected --saved-plan web=FILE with --plan web=one.json": (),
        "expected --saved-plan web=FILE": ("db=one",),
        "expected --saved-plan web=FILE once": ("web=a", "web=b"),
        "expected --plan db=JSON": ("web=a", "db=b"),
    }
    for text, files in said.items():
        words = [word for file in files for word in ("--saved-plan", file)]
        ran = estate.here("gate", "--plan", "web=one.json", *words, "-n", "a")
        assert ran.code == Exit.USAGE
        assert text in " ".join(ran.err.split())


def test_a_state_is_no_plan(estate: Estate) -> None:
    """What `show -json` prints without a plan; and what is no JSON."""
    stack = estate.stack
    stack.plan("one")
    assert stack.apply("one").code == 0
    (stack.folder / "state.json").write_text(stack.run("show", "-json").out)
    (stack.folder / "state").write_bytes((stack.folder / "one").read_bytes())
    ran = estate.gate("state")
    assert ran.code == Exit.UNDECIDED
    assert "give the file of the plan" in ran.err


def test_judges_a_plan_by_a_clusters_own_policies(gate: Gate) -> None:
    """No server ever saw the plan; its namespace there is what protects it."""
    history, cluster = gate.stack.history, gate.stack.folder / "kubeconfig"
    people = gate.stack.folder / "people"
    plan, out = gate.folder / "web.json", gate.folder / "web.yaml"
    plan.write_text(json.dumps(recorded()))
    saved = gate.folder / "web.tfplan"
    saved.write_bytes(archive())
    words = ("--plan", f"web={plan}", "--saved-plan", f"web={saved}", "-n", NAMESPACE)

    def judged(*more: str | Path) -> Ran:
        return gate.cli(
            *("gate", *words, "--kubeconfig", cluster, *more), COUNTERSIGN_POLICIES=""
        )

    attested = gate.cli(
        *("attest", f"{history.baseline}..{history.head}", "--repo", history.path),
        *(*words, "--carrier", "bundleset", "--sets-only", "--out", out),
        *("--key", gate.stack.key(CI)),
    )
    assert attested.code == Exit.DONE, attested.err
    before = judged("-f", out)
    signed = gate.cli(
        *("sign-off", *words, "-f", out, "--out", out, "--sets-only"),
        *("--key", gate.stack.key(DANA), "--answers", people / "answers.yaml"),
    )
    assert signed.code == Exit.DONE, signed.err

    assert before.code == Exit.DENIED, before.err
    assert "without a senior sign-off" in before.out
    assert judged("-f", out).code == Exit.DONE
    assert judged("-f", out, "-n", "sandbox").code == Exit.UNDECIDED
