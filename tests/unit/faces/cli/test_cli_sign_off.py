"""``countersign sign-off``: seen, asked, signed."""

import hashlib
import io
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from countersign.core.questions import DEFAULT_QUESTIONS
from countersign.core.types.change import Base, Elastic, ObjectChange, Operation
from countersign.core.types.evidence import Result, SignOff, Trace
from countersign.faces.cli.session import Exit
from countersign.usecases.inspect import carried_bundles
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.manifests import parse_manifests
from tests.support.cli import NOON, Ran, Run
from tests.support.release import Release

ANSWERED = "\n".join(["a", "looked at it"] * len(DEFAULT_QUESTIONS)) + "\n"


def sign(
    run: Run,
    release: Release,
    file: Path,
    *more: object,
    by: str = "dana",
    typed: bool = False,
) -> Ran:
    """Sign `file` as somebody, for cluster ``prod``; `typed`: at a terminal."""
    return run(
        *("sign-off", "-f", file, "--key", release.path(f"{by}.key")),
        *("--cluster", "prod", *more),
        interactive=typed,
    )


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Type `text` on the terminal."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def sign_offs(text: str | bytes) -> list[SignOff]:
    """Return the sign-offs that the first object of `text` carries."""
    raw = text.encode() if isinstance(text, str) else text
    _, bundles = carried_bundles(parse_manifests(raw)[0])
    claims = [
        parse_attestation(parse_bundle(b).envelope.payload).claim for b in bundles
    ]
    return [claim for claim in claims if isinstance(claim, SignOff)]


def test_shows_then_signs(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """The sheet goes to the person, the result to standard output."""
    ran = sign(run, release, attested, "--answers", answers)

    (claim,) = sign_offs(ran.out)
    assert ran.code == Exit.DONE
    assert claim.result is Result.APPROVED
    assert claim.reviewer == "dana"
    assert claim.validity.end == NOON + timedelta(days=30)
    assert [answer.text for answer in claim.answers] == ["looked at it"] * 3
    assert "payments/Deployment/ledger  not compared with any cluster" in ran.err
    assert "+  failover: eu-west-1" in ran.err
    assert "provenance 1: mixed (amazon-q 2026-03, 1 of 1 lines" in ran.err
    assert "NOT verified: no trust roots were given" in ran.err


def test_says_what_is_verified_and_what_would_fail(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """Under the rules of a folder."""
    ran = sign(
        run,
        release,
        attested,
        *(
            "--answers",
            answers,
            "--policies",
            release.path("policies"),
            "--valid",
            "60d",
        ),
    )

    assert "verified: ci, trust root keys, no trusted time" in ran.err
    assert "payments: holds longer than the policy allows: 30d" in ran.err
    assert "runs an image without provenance" not in ran.err


@pytest.mark.parametrize(
    ("who", "said"),
    [
        pytest.param("dana", "", id="a senior"),
        pytest.param("dev", "attention: not enough yet: ", id="the author"),
    ],
)
def test_says_at_once_what_the_signature_does_not_do(
    *, run: Run, release: Release, attested: Path, answers: Path, who: str, said: str
) -> None:
    """Whoever signed learns it, not the developer who applies."""
    rules = ("--answers", answers, "--policies", release.path("policies"))

    ran = sign(run, release, attested, *rules, by=who)

    assert ran.code == Exit.DONE
    assert said in ran.err
    assert ("not enough yet" in ran.err) == bool(said)


def test_asks_on_a_terminal(
    run: Run, release: Release, attested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every question, until it is answered; then once more whether to sign."""
    type_in(
        monkeypatch, f"x\n{ANSWERED.replace('looked', ' ' + chr(10) + 'looked', 1)}y\n"
    )

    ran = sign(run, release, attested, typed=True)

    (claim,) = sign_offs(ran.out)
    assert [answer.id for answer in claim.answers] == [q.id for q in DEFAULT_QUESTIONS]
    assert {answer.text for answer in claim.answers} == {"looked at it"}
    assert all(question.text in ran.err for question in DEFAULT_QUESTIONS)
    assert "Sign this as approved for prod?" in ran.err


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        pytest.param(ANSWERED + "n\n", "nothing was written", id="changes their mind"),
        pytest.param("a\n", "nothing was written", id="goes away"),
        pytest.param(
            ANSWERED.replace("a\n", "c\n", 1) + "y\n", "--reject", id="has a concern"
        ),
    ],
)
def test_a_person_can_stop_it(
    *,
    typed: str,
    hint: str,
    run: Run,
    release: Release,
    attested: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is signed then."""
    type_in(monkeypatch, typed)
    out = release.path("signed.yaml")

    ran = sign(run, release, attested, "--out", out, typed=True)

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert hint in ran.err
    assert not out.exists()


def test_a_second_person_signs_the_first_ones_result(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """Both are in it."""
    first, second = release.path("1.yaml"), release.path("2.yaml")
    sign(run, release, attested, "--answers", answers, "--out", first)

    ran = sign(run, release, first, "--answers", answers, "--out", second, by="ravi")

    assert ran.code == Exit.DONE
    assert [c.reviewer for c in sign_offs(second.read_bytes())] == ["dana", "ravi"]
    assert f"next: kubectl apply -f {second}" in ran.err


@pytest.mark.parametrize(
    ("lines", "command"),
    [
        pytest.param(1, "kubectl apply -f", id="small"),
        pytest.param(6000, "kubectl apply --server-side -f", id="large"),
    ],
)
def test_tells_the_command_that_works(
    lines: int, command: str, run: Run, release: Release, answers: Path
) -> None:
    """What it applies, kubectl keeps in an annotation, and 256 KiB is their limit.

    Seen to fail with the plain command for both.
    """
    noise = "".join(hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(lines))
    big, out = release.path("big.yaml"), release.path("sets.yaml")
    big.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: payments}\n"
        f"data: {{a: '{noise}'}}\n"
    )
    ran = sign(run, release, big, "--answers", answers, "--sets-only", "--out", out)

    assert ran.code == Exit.DONE, ran.err
    assert f"next: {command} {out}" in ran.err


def test_evidence_of_another_state_is_left_behind(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """And the reviewer told."""
    attested.write_text(attested.read_text().replace("eu-west-1", "us-east-1"))

    ran = sign(run, release, attested, "--answers", answers)

    assert "ConfigMap/ledger: carries evidence of another state" in ran.err
    assert len(carried_bundles(parse_manifests(ran.out.encode())[0])[1]) == 1


def test_signs_what_the_options_say(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """Each where the law looks for it."""
    ran = sign(
        run,
        release,
        attested,
        *("--answers", answers, "--operation", "update", "--base", "any"),
        *("--elastic", "Deployment/ledger:/spec/replicas=2..20", "--valid", "7d"),
        *("--trace", "TICKET=PAY-1=https://t.example/PAY-1", "--meaning", "approval"),
        *("--restore-until", "5d", "--link", "https://git.example/pull/1"),
    )

    (claim,) = sign_offs(ran.out)
    changes = [c for c in claim.changes if isinstance(c, ObjectChange)]
    assert claim.traceability == (Trace("TICKET", "PAY-1", "https://t.example/PAY-1"),)
    assert claim.meanings == {"approval"}
    assert claim.link == "https://git.example/pull/1"
    assert claim.validity.end == NOON + timedelta(days=7)
    assert claim.restore_until == NOON + timedelta(days=12)
    assert {c.operation for c in changes} == {Operation.UPDATE}
    assert {c.base for c in changes} == {Base.ANY}
    assert [c.elastic for c in changes] == [(), (Elastic("/spec/replicas", 2, 20),)]


def test_records_a_rejection(run: Run, release: Release, attested: Path) -> None:
    """Without questions: a no needs no form."""
    ran = sign(run, release, attested, "--reject")

    (claim,) = sign_offs(ran.out)
    assert ran.code == Exit.DONE
    assert claim.result is Result.REJECTED


def test_tells_a_script(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """As JSON, beside the file."""
    out = release.path("signed.yaml")
    ran = sign(run, release, attested, "--answers", answers, "--out", out, "-o", "json")

    said = json.loads(ran.out)
    assert said["result"] == "approved"
    assert said["clusters"] == ["prod"]
    assert said["provenance"][0]["verified"] is False
    assert [each["object"] for each in said["objects"]] == [
        "payments/ConfigMap/ledger",
        "payments/Deployment/ledger",
    ]


def test_provenance_can_come_beside_the_manifests(
    run: Run, release: Release, answers: Path
) -> None:
    """Then it travels with them from there on."""
    bundle = release.path("provenance.json")
    plain = release.path("ledger.yaml")
    run(
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path, "-f", plain),
        *("-n", "payments", "--cluster", "prod", "--key", release.path("ci.key")),
        *("--out", bundle),
    )

    ran = sign(
        run,
        release,
        plain,
        "-n",
        "payments",
        "--provenance",
        bundle,
        "--answers",
        answers,
    )

    (claim,) = sign_offs(ran.out)
    assert len(claim.inputs) == 1
    assert len(carried_bundles(parse_manifests(ran.out.encode())[0])[1]) == 2


def test_writes_answers_to_fill_in(run: Run, release: Release, attested: Path) -> None:
    """An empty form is no answer."""
    form = release.path("form.yaml")

    made = run("sign-off", "--write-answers", form)
    ran = sign(run, release, attested, "--answers", form)

    assert made.code == Exit.DONE
    assert "--answers" in made.err
    assert ran.code == Exit.UNDECIDED
    assert "expected a text for topology-not-in-code" in ran.err


def test_nothing_of_a_manifest_can_hide(
    run: Run, release: Release, answers: Path
) -> None:
    """A reviewer's terminal takes no orders from what is reviewed."""
    file = release.path("evil.yaml")
    file.write_text(
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: x, namespace: payments}\n"
        'data: {a: "one\\e[2K\\rtwo\\u202e"}\n'
    )

    ran = sign(run, release, file, "--answers", answers)

    assert ran.code == Exit.DONE
    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
    assert "one" in ran.err


def test_does_not_sign_what_it_cannot_compare(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """With a kubeconfig, a cluster that does not answer stops it."""
    kubeconfig = release.path("kubeconfig")
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [
                    {"name": "here", "context": {"cluster": "c", "user": "u"}}
                ],
                "clusters": [
                    {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
                ],
                "users": [{"name": "u", "user": {}}],
            }
        )
    )
    more = ("--answers", answers, "--kubeconfig", kubeconfig)

    ran = sign(run, release, attested, *more)
    blind = sign(run, release, attested, *more, "--no-diff")

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "--no-diff" in ran.err
    assert blind.code == Exit.DONE


@pytest.mark.parametrize(
    ("more", "code", "hint"),
    [
        pytest.param([], Exit.USAGE, "--answers", id="nobody to ask"),
        pytest.param(
            ["--answers", "/nowhere"], Exit.UNDECIDED, "/nowhere", id="no answers"
        ),
        pytest.param(["--reject", "-o", "json"], Exit.USAGE, "--out", id="two results"),
        pytest.param(["--reject", "--trace", "x"], Exit.USAGE, "TYPE=ID", id="no link"),
        pytest.param(
            ["--reject", "--elastic", "web=2"], Exit.USAGE, "MIN..MAX", id="no bounds"
        ),
        pytest.param(
            ["--reject", "--elastic", "D/w:/spec/replicas=9..2"],
            Exit.USAGE,
            "min <= max",
            id="bounds the wrong way round",
        ),
        pytest.param(
            ["--reject", "--elastic", "Deployment/web:/spec/replicas=2..9"],
            Exit.UNDECIDED,
            "--elastic",
            id="bounds for nobody",
        ),
        pytest.param(["--reject", "--base", "old"], Exit.USAGE, "absent", id="no base"),
        pytest.param(
            ["--reject", "--restore-until", "x"], Exit.USAGE, "a time", id="no time"
        ),
        pytest.param(
            ["--reject", "--provenance", "/nowhere"],
            Exit.NO_INPUT,
            "/nowhere",
            id="no provenance",
        ),
    ],
)
def test_says_what_it_expected(
    *,
    more: list[str],
    code: Exit,
    hint: str,
    run: Run,
    release: Release,
    attested: Path,
) -> None:
    """With the code of the contract, and nothing signed."""
    ran = sign(run, release, attested, *more)

    assert (ran.code, ran.out) == (code, "")
    assert hint in ran.err


def test_needs_something_to_sign_and_where_for(run: Run, attested: Path) -> None:
    """Before anything is read."""
    nothing = run("sign-off", "--reject")
    nowhere = run("sign-off", "--reject", "-f", attested)

    assert (nothing.code, nowhere.code) == (Exit.USAGE, Exit.USAGE)
    assert "-f" in nothing.err
    assert "--cluster" in nowhere.err


def test_a_person_confirms_a_rejection(
    run: Run, release: Release, attested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A no is signed under one's name, too."""
    type_in(monkeypatch, "n\n")

    ran = sign(run, release, attested, "--reject", typed=True)

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "Sign this as rejected for prod?" in ran.err


def test_writes_the_sets_alone_for_whoever_brings_the_objects(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """Helm takes no object that is there already: it gets the evidence, no more."""
    ran = sign(run, release, attested, "--answers", answers, "--sets-only")

    trees = parse_manifests(ran.out.encode())
    assert ran.code == Exit.DONE
    assert {tree["kind"] for tree in trees} == {"BundleSet"}


def test_annotations_have_to_be_on_something(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """Without the objects there is nothing that could carry them."""
    way = ("--sets-only", "--carrier", "annotations")
    ran = sign(run, release, attested, "--answers", answers, *way)

    assert ran.code == Exit.USAGE
    assert "expected the carrier bundleset" in ran.err
