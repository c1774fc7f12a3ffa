"""The gate where CI systems run it: on a pull request without a cluster, and with one.

The scripts run as they are, on a real repository and real policies, with the variables
and files that a runner gives. Faults this was seen to catch: a command that leaves out
the namespace; outputs that are only written when all is well.
"""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from countersign.faces.cli import main
from countersign.faces.cli.session import Exit, Session
from countersign.report.comment import marker
from tests.support import chart
from tests.support.cli import NOON, Ran
from tests.support.gate import Gate, written
from tests.support.release import IMAGE, Release

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ci" / "gate.sh"
REPO = "https://git.example/acme/payments"
REPORTS = ("gate.sarif", "gate.xml", "gate.json", "gate.md")
FLAGS = ("--sarif", "--junit", "--code-quality", "--comment")
SOMEBODY = {
    f"GIT_{part}_{what}": "dev@example.com"
    for part in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
_INPUT = re.compile(r"\$\{\{ inputs\.(\w+) \}\}|\$\[\[ inputs\.(\w+) \]\]")


@dataclass
class Change:
    """A pull request: a release whose head an assistant wrote, and a folder of reports.

    Attributes:
        release: Repository, policies and keys.
        environ: Of the job.
    """

    release: Release
    environ: dict[str, str]

    @property
    def repo(self) -> Path:
        """The work tree."""
        return self.release.git.path

    @property
    def reports(self) -> Path:
        """Where the script writes."""
        return self.repo / "countersign-reports"

    def run(self, *command: object, **environ: str) -> Ran:
        """Run a command in the work tree."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.repo,
            env=self.environ | environ,
            capture_output=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def gate(self, **environ: str) -> Ran:
        """Run the plain script."""
        return self.run("sh", SCRIPT, **environ)

    def here(self, *words: object, **environ: str) -> Ran:
        """Run a command of ours in this process, which is quicker; at noon."""
        out, err = io.StringIO(), io.StringIO()
        session = Session(environ=environ, present=lambda: NOON)
        with (
            contextlib.chdir(self.repo),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main([str(word) for word in words], session=session)
        return Ran(code, out.getvalue(), err.getvalue())

    def judge(self, *more: object, **environ: str) -> Ran:
        """Judge the manifests here, and write all reports."""
        self.reports.mkdir(exist_ok=True)
        files = zip(FLAGS, REPORTS, strict=True)
        return self.here(
            *("gate", "-f", "ledger.yaml", "-n", "payments", "--cluster", "prod"),
            *("--policies", self.release.path("policies"), *more),
            *(word for flag, name in files for word in (flag, self.reports / name)),
            **environ,
        )

    def attested(self) -> Path:
        """Attest what is there now, here; return the evidence."""
        out = self.release.path("evidence.yaml")
        ran = self.here(
            *("attest", f"{self.release.base}..HEAD", "-f", "ledger.yaml"),
            *("-n", "payments", "--cluster", "prod", "--image", IMAGE),
            *("--repo-uri", REPO, "--key", self.release.path("ci.key")),
            *("--sets-only", "--out", out),
        )
        assert ran.code == Exit.DONE, ran.err
        return out

    def sign(self, who: str) -> Path:
        """Run the command of the comment, here, as somebody; return the result."""
        first, *_ = self.commands()
        program, *words = shlex.split(first)
        key, answers = (
            self.release.path(f"{who}.key"),
            self.release.path("answers.yaml"),
        )
        ran = self.here(*words, "--key", key, "--answers", answers)
        assert (program, ran.code) == ("countersign", Exit.DONE), ran.err
        return self.repo / "SIGNED"

    def commands(self) -> list[str]:
        """Return what the comment says to run."""
        text = (self.reports / "gate.md").read_text()
        blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        return [line for block in blocks for line in block.splitlines()]

    def sarif(self) -> list[dict[str, Any]]:
        """Return the results of code scanning."""
        log = json.loads((self.reports / "gate.sarif").read_text())
        return list(log["runs"][0]["results"])

    def reasons(self) -> set[str]:
        """Return why it was denied."""
        return {result["ruleId"] for result in self.sarif()}


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Release:
    release = Release.make(tmp_path_factory.mktemp("release"))
    there = tmp_path_factory.mktemp("origin") / "payments.git"
    release.git.git("clone", "--quiet", "--bare", ".", str(there))
    release.git.git("remote", "set-url", "origin", str(there))
    return release


@pytest.fixture(name="change")
def _change(template: Release, tmp_path: Path) -> Change:
    """Return a pull request that nobody approved, and a job that judges it."""
    release = template.copy(tmp_path / "release")
    programs = Path(sys.executable).parent
    return Change(
        release,
        {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(tmp_path),
            "COUNTERSIGN_MANIFESTS": "ledger.yaml",
            "COUNTERSIGN_NAMESPACE": "payments",
            "COUNTERSIGN_CLUSTER": "prod",
            "COUNTERSIGN_POLICIES": str(release.path("policies")),
            "COUNTERSIGN_RANGE": f"{release.base}..HEAD",
            "COUNTERSIGN_IMAGES": IMAGE,
            "COUNTERSIGN_REPO_URI": REPO,
            "COUNTERSIGN_KEY": str(release.path("ci.key")),
        },
    )


@pytest.fixture(name="runner")
def _runner(change: Change, tmp_path: Path) -> dict[str, Path]:
    """Give the job what GitHub's runner gives; return the files that it reads after."""
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    change.environ |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_BASE_REF": "main",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/payments",
        "GITHUB_RUN_ID": "42",
        **{name: str(file) for name, file in files.items()},
    }
    return files


def test_a_pull_request_is_denied_without_a_cluster(change: Change) -> None:
    """Every report is there, at the object, with who could sign."""
    ran = change.gate()

    assert ran.code == Exit.DENIED, ran.err
    assert all((change.reports / name).stat().st_size for name in REPORTS)
    assert change.reasons() == {"slot_open"}
    places = {
        place["physicalLocation"]["artifactLocation"]["uri"]
        for result in change.sarif()
        for place in result["locations"]
    }
    assert places == {"ledger.yaml"}
    assert "`dana`, `ravi`" in (change.reports / "gate.md").read_text()
    assert "dev (author)" in (change.reports / "gate.md").read_text()


def test_the_command_works_as_it_stands(change: Change) -> None:
    """A senior runs what the comment says; the next run of the gate admits."""
    assert change.gate().code == Exit.DENIED
    first, *_ = change.commands()
    signed = change.run(
        "sh",
        "-c",
        f"{first} --answers {shlex.quote(str(change.release.path('answers.yaml')))}",
        COUNTERSIGN_KEY=str(change.release.path("dana.key")),
    )

    assert signed.code == Exit.DONE, signed.err
    assert {tree["kind"] for tree in read(change.repo / "SIGNED")} == {"BundleSet"}
    ran = change.gate(COUNTERSIGN_EVIDENCE="SIGNED")
    assert ran.code == Exit.DONE, ran.out
    assert "senior: dana" in ran.out
    cases = ET.parse(change.reports / "gate.xml").iter("testcase")  # noqa: S314 - ours
    assert all(case.find("failure") is None for case in cases)
    assert change.sarif() == []


def test_notes_of_assistants_are_fetched(change: Change) -> None:
    """A note that somebody pushed beside the commits; no clone has it by itself."""
    git = change.release.git.git
    git("notes", "--ref", "ai", "add", "-m", "anything", "HEAD", env=SOMEBODY)
    git("push", "--quiet", "origin", "refs/notes/ai")
    git("update-ref", "-d", "refs/notes/ai")
    git("config", "--replace-all", "remote.origin.fetch", "+refs/heads/*:refs/x/*")

    change.gate()

    assert git("for-each-ref", "--format=%(refname)", "refs/notes") == "refs/notes/ai"
    assert "+refs/notes/*:refs/notes/*" in git("config", "-l")


def test_notes_that_cannot_be_fetched_are_missed(change: Change) -> None:
    """The provenance is not complete then, and who made the change not known."""
    git = change.release.git.git
    git("config", "--replace-all", "remote.origin.fetch", "+refs/heads/*:refs/x/*")
    git("remote", "set-url", "origin", str(change.repo / "nowhere"))

    assert change.gate().code == Exit.DENIED
    assert "authors_unknown" in change.reasons()


def test_an_author_cannot_sign_for_himself(change: Change) -> None:
    """The same command, run by who made the change."""
    evidence = change.attested()
    change.judge("-f", evidence)
    signed = change.sign("dev")

    assert change.judge("-f", evidence, "-f", signed).code == Exit.DENIED
    assert "not_independent" in change.reasons()


def test_what_was_signed_is_what_is_judged(change: Change) -> None:
    """A commit after the signature."""
    evidence = change.attested()
    change.judge("-f", evidence)
    signed = change.sign("dana")
    assert change.judge("-f", evidence, "-f", signed).code == Exit.DONE
    text = (change.repo / "ledger.yaml").read_text()
    change.release.git.write("ledger.yaml", text.replace("eu-west-1", "us-east-1"))
    change.release.git.commit("Elsewhere")

    after = change.judge("-f", change.attested(), "-f", signed)
    assert after.code == Exit.DENIED
    assert {r["ruleId"] for r in change.sarif()} & {"changed", "slot_open"}
    assert "payments/ConfigMap/ledger" in after.out


def test_a_mark_that_is_gone_opens_nothing(change: Change) -> None:
    """Reworded and forced: nobody proved that it is human-made."""
    change.release.git.git("reset", "--quiet", "--soft", change.release.base)
    change.release.git.commit("Fail over by itself")

    assert change.judge("-f", change.attested()).code == Exit.DENIED
    assert change.reasons() == {"slot_open"}


def test_without_provenance_it_says_what_ci_has_to_do(change: Change) -> None:
    """With the range of the pull request."""
    ran = change.judge(GITHUB_BASE_REF="main")

    assert ran.code == Exit.DENIED
    first, *_ = change.commands()
    assert first.startswith("countersign attest origin/main..HEAD -f ledger.yaml ")


def test_reports_are_the_same_each_time(change: Change) -> None:
    """Of the same evidence."""
    evidence, found = change.attested(), []
    for _ in range(2):
        change.judge("-f", evidence)
        found.append([(change.reports / name).read_bytes() for name in REPORTS])

    assert found[0] == found[1]


def test_names_that_a_shell_would_cut_stay_whole(change: Change) -> None:
    """Several manifests, one a line, with blanks and stars."""
    (change.repo / "ledger.yaml").rename(change.repo / "my ledger *.yaml")
    (change.repo / "more.yaml").write_text(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
    )
    ran = change.gate(COUNTERSIGN_MANIFESTS="my ledger *.yaml\nmore.yaml\n")

    assert ran.code == Exit.DENIED, ran.err
    assert "3 of 3 objects" in ran.out
    first, *_ = change.commands()
    assert "-f 'my ledger *.yaml' -f more.yaml " in first


def test_what_nobody_attested_is_judged_without(change: Change) -> None:
    """A pull request from a fork, which has no identity to sign with."""
    ran = change.gate(COUNTERSIGN_KEY=str(change.repo / "nobody.key"))

    assert ran.code == Exit.DENIED
    assert "is not attested" in ran.err
    assert "no_evidence" in change.reasons()


@pytest.mark.parametrize("name", ["COUNTERSIGN_MANIFESTS", "COUNTERSIGN_CLUSTER"])
def test_nothing_to_go_by_is_no_success(change: Change, name: str) -> None:
    """A variable that somebody forgot."""
    ran = change.gate(**{name: ""})

    assert ran.code not in {Exit.DONE, Exit.DENIED}
    assert name in ran.err


def test_only_evidence_is_no_success(change: Change) -> None:
    """A folder that holds no object is not one that is admitted."""
    ran = change.here(
        *("gate", "-f", change.attested(), "--cluster", "prod"),
        *("--policies", change.release.path("policies")),
    )

    assert ran.code == Exit.NO_INPUT
    assert "saw only BundleSets" in ran.err


@pytest.mark.parametrize(
    ("enforcement", "flags", "code"),
    [
        ("deny", (), Exit.DENIED),
        ("warn", (), Exit.DONE),
        ("warn", ("--strict",), Exit.WARNED),
        ("audit", ("--strict",), Exit.DONE),
        ("none", (), Exit.UNDECIDED),
    ],
)
def test_exits_as_it_says(
    change: Change, enforcement: str, flags: tuple[str, ...], code: Exit
) -> None:
    """Of a policy that denies, warns or notes; and of one that cannot be read."""
    rules = change.release.path("policies") / "all.yaml"
    rules.write_text(
        rules.read_text().replace(
            "  preset: default\n",
            f"  preset: default\n  enforcement: {enforcement}\n",
        )
        if enforcement != "none"
        else "no rules"
    )

    ran = change.judge("-f", change.attested(), *flags)

    assert ran.code == code, ran.out + ran.err
    if enforcement in {"warn", "audit"}:
        levels = {result["level"] for result in change.sarif()}
        assert levels == {{"warn": "warning", "audit": "note"}[enforcement]}


def test_a_cluster_has_to_be_named(change: Change) -> None:
    """Nothing is judged for any that happens to be there."""
    rules = change.release.path("policies")

    assert change.here("gate", "-f", "ledger.yaml", "--policies", rules).code == (
        Exit.USAGE
    )


def test_on_github_the_runner_is_told(
    change: Change, runner: Mapping[str, Path]
) -> None:
    """Annotations, the page of the job, outputs; and the way to the run."""
    ran = change.judge("-f", change.attested(), **change.environ)

    assert ran.code == Exit.DENIED
    assert ran.out.count("::error file=ledger.yaml,line=") == 2
    assert "outcome=denied\n" in runner["GITHUB_OUTPUT"].read_text()
    summary = runner["GITHUB_STEP_SUMMARY"].read_text()
    assert "2 of 2 objects would be denied in prod" in summary
    assert marker("prod") not in summary
    run = "https://github.com/acme/payments/actions/runs/42"
    assert f"[run]({run})" in (change.reports / "gate.md").read_text()


def test_json_stays_json_on_github(change: Change, runner: Mapping[str, Path]) -> None:
    """Annotations go elsewhere then."""
    ran = change.judge("-o", "json", **change.environ)

    assert runner["GITHUB_STEP_SUMMARY"].exists()
    assert ran.code == Exit.DENIED
    assert [one["line"] for one in json.loads(ran.out)] == [1, 8]
    assert ran.err.count("::error ") == 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_manifest_commands_no_runner(
    change: Change, runner: Mapping[str, Path], form: str
) -> None:
    """By the name of its object; a runner looks for this anywhere in a line."""
    name = "##[set-output name=outcome]allowed"
    (change.repo / "ledger.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '{name}'}}\n"
    )
    ran = change.judge("-o", form, **change.environ)

    assert ran.code == Exit.DENIED, ran.err
    assert "##[" not in ran.out + ran.err
    assert form == "text" or name in json.loads(ran.out)[0]["object"]
    assert "outcome=denied" in runner["GITHUB_OUTPUT"].read_text()


def test_the_name_of_a_file_commands_no_runner(change: Change) -> None:
    """It may hold anything, and an error quotes it."""
    folder = change.repo / "deploy"
    folder.mkdir()
    (folder / "##[error]\n \n ::add-mask::denied.yaml").write_text("{")

    words = ("--cluster", "prod", "--policies", change.release.path("policies"))
    ran = change.here("gate", "-f", "deploy", *words)

    assert ran.code == Exit.UNDECIDED
    assert "add-mask" in ran.err
    assert "##[" not in ran.err
    assert not any(line.strip().startswith("::") for line in ran.err.splitlines())


def test_the_github_action(change: Change, runner: Mapping[str, Path]) -> None:
    """Its second step, as a runner runs it; the first one installs (docs/ci.md)."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    given = {name: one.get("default", "") for name, one in action["inputs"].items()} | {
        "manifests": "ledger.yaml",
        "cluster": "prod",
        "namespace": "payments",
        "policies": change.environ["COUNTERSIGN_POLICIES"],
        "range": change.environ["COUNTERSIGN_RANGE"],
        "images": IMAGE,
    }
    step = action["runs"]["steps"][1]
    temp = change.repo.parent / "temp"
    (temp / "countersign/venv").mkdir(parents=True)
    (temp / "countersign/venv/bin").symlink_to(Path(sys.executable).parent)
    change.environ = of_the_job(change) | {
        **{name: filled(text, given) for name, text in step["env"].items()},
        "RUNNER_TEMP": str(temp),
        "GITHUB_ACTION_PATH": str(ROOT),
    }

    ran = change.run("sh", "-e", "-c", step["run"])

    assert ran.code == Exit.DENIED, ran.err
    assert "outcome=denied" in runner["GITHUB_OUTPUT"].read_text()
    outputs = [one["value"] for one in action["outputs"].values()]
    written_out = runner["GITHUB_OUTPUT"].read_text()
    for name in re.findall(r"steps\.gate\.outputs\.(\w+)", " ".join(outputs)):
        assert f"{name}=" in written_out


@pytest.mark.parametrize("link", ["evidence.yaml", "."])
def test_no_link_of_a_change_leads_to_policies(change: Change, link: str) -> None:
    """Seen to overwrite them with evidence, before they were read."""
    policies = Path(change.environ["COUNTERSIGN_POLICIES"])
    before = {file.name: file.read_bytes() for file in policies.iterdir()}
    first = change.gate()
    shutil.rmtree(change.reports)
    if link == ".":
        change.reports.symlink_to(policies)
    else:
        change.reports.mkdir()
        (change.reports / link).symlink_to(policies / min(before))

    ran = change.gate()

    assert (first.code, ran.code) == (Exit.DENIED, Exit.DENIED), ran.err
    assert {file.name: file.read_bytes() for file in policies.iterdir()} == before
    assert not change.reports.is_symlink()


def test_a_report_that_a_change_brings_is_no_report(change: Change) -> None:
    """Also where the gate cannot look, and writes none."""
    change.reports.mkdir()
    for name in REPORTS:
        (change.reports / name).write_text("all is well\n")

    ran = change.gate(COUNTERSIGN_POLICIES="/nowhere")

    assert ran.code not in {Exit.DONE, Exit.DENIED}
    assert not any((change.reports / name).exists() for name in REPORTS)


def test_the_gitlab_component(change: Change) -> None:
    """Its script, with variables as GitLab fills them, and the artifacts it promises."""
    _, jobs = yaml.safe_load_all((ROOT / "templates" / "gate.yml").read_text())
    spec, _ = yaml.safe_load_all((ROOT / "templates" / "gate.yml").read_text())
    job = jobs["countersign-gate"]
    inputs = spec["spec"]["inputs"]
    given = {name: one.get("default", "") for name, one in inputs.items()} | {
        "manifests": "ledger.yaml",
        "cluster": "prod",
        "namespace": "payments",
        "policies": change.environ["COUNTERSIGN_POLICIES"],
        "range": change.environ["COUNTERSIGN_RANGE"],
        "images": IMAGE,
        "strict": "false",
    }
    change.environ = of_the_job(change) | {
        **{name: filled(text, given) for name, text in job["variables"].items()},
        "GITLAB_CI": "true",
        "CI_JOB_URL": "https://gitlab.com/acme/payments/-/jobs/42",
    }
    (script,) = job["script"]

    ran = change.run("sh", "-c", script)

    assert ran.code == Exit.DENIED, ran.err
    for file in job["artifacts"]["reports"].values():
        assert (change.repo / file).is_file()
    quality = json.loads((change.reports / "gate.json").read_text())
    assert {one["location"]["path"] for one in quality} == {"ledger.yaml"}
    assert "/-/jobs/42" in (change.reports / "gate.md").read_text()


def test_judges_by_a_clusters_own_policies(gate: Gate, name: str) -> None:
    """And sees there what somebody signed: the same change is admitted then."""
    file = gate.folder / "pull-request.yaml"
    file.write_text(gate.attest(chart.config_map(name)))
    words = ("--kubeconfig", gate.stack.folder / "kubeconfig")
    report = gate.folder / "gate.md"

    before = gate.cli(
        *("gate", "-f", file, *words, "--comment", report), COUNTERSIGN_POLICIES=""
    )
    file.write_text(gate.sign(file.read_text()))
    after = gate.cli("gate", "-f", file, *words, COUNTERSIGN_POLICIES="")

    assert before.code == Exit.DENIED, before.err
    assert "`dana`" in report.read_text()
    assert after.code == Exit.DONE, after.out
    assert gate.apply(written(list(read(file)))).admitted


def of_the_job(change: Change) -> dict[str, str]:
    """Return the environment without what inputs give; the key is a secret of the job."""
    kept = {"COUNTERSIGN_KEY", "COUNTERSIGN_REPO_URI"}
    return {
        name: value
        for name, value in change.environ.items()
        if name in kept or not name.startswith("COUNTERSIGN_")
    }


def filled(text: object, given: Mapping[str, object]) -> str:
    """Put inputs into their places."""
    return _INPUT.sub(lambda found: str(given[found[1] or found[2]]), str(text))


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file."""
    yield from yaml.safe_load_all(file.read_text())
