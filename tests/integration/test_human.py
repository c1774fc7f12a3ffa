"""A human commit on its way to an admission without a sign-off, and the ways to fake one.

Real repositories, the commands as they stand. ``payments`` takes the word of developers,
and knows one commit to start from.
"""

import asyncio
import json
from collections.abc import Collection
from pathlib import Path

import pytest

from countersign.adapters.sign.key import KeySigner, load_key
from countersign.wire.bundle import parse_bundle
from tests.support import chart
from tests.support.author import Work, known
from tests.support.gate import Gate, Judged, bundles, carry, documents, written
from tests.support.git import Who
from tools.stack.history import BUILT, IMAGE
from tools.stack.people import CI, DANA, LEE, OMAR, RAVI, REPOSITORY

NEXT = f"{IMAGE}@sha256:{'7e57' * 16}"
DECLARED = ("payments: signed declared=lee",)


@pytest.fixture(name="work")
def _work(gate: Gate, tmp_path: Path) -> Work:
    return Work.begin(gate, tmp_path / "work")


def test_from_a_commit_to_an_admission(gate: Gate, work: Work, name: str) -> None:
    """The author's word, CI's word, and a start that was approved: nobody else's."""
    work.commit(name)
    manifest = chart.deployment(name)

    alone = gate.apply(work.attest(manifest))
    admitted = gate.apply(work.human(manifest))

    assert alone.reasons == ("slot_open",)
    assert admitted.bases == DECLARED, admitted.out
    assert gate.pod(name)


def test_the_next_one_stands_on_what_was_admitted(
    gate: Gate, work: Work, name: str
) -> None:
    """The live object's range ends where the next begins; a new image has its own."""
    first = work.commit("1")
    assert gate.apply(work.human(chart.deployment(name))).admitted

    work.base = first
    work.commit("2")
    manifest = chart.deployment(name, replicas=2)
    again = gate.apply(work.human(manifest))
    work.base = gate.stack.history.baseline
    image = gate.apply(
        work.attest(
            chart.deployment(name, image=NEXT, replicas=2),
            images=[NEXT],
            beside=[work.declare()[0]],
        )
    )

    assert again.bases == DECLARED, again.out
    assert image.bases == DECLARED, image.out


def test_the_one_after_that_shows_the_whole_way(
    gate: Gate, work: Work, name: str
) -> None:
    """Declared commit by commit, as long as each part travels with the next."""
    beside: list[Path] = []
    for step in ("1", "2", "3"):
        work.commit(step)
        word, _ = work.declare()
        beside.append(word.rename(gate.folder / f"{name}.{step}.word"))
        text = work.attest(chart.config_map(name, step=step), beside=beside)
        done = gate.apply(text)
        assert done.bases == DECLARED, done.out
        made = gate.folder / f"{name}.{step}.made"
        made.write_text(json.dumps(bundles(documents(text)[0])[-1]))
        beside.append(made)
        work.base = work.git.git("rev-parse", "HEAD")
    work.commit("4")

    cut = gate.apply(work.human(chart.config_map(f"{name}-2")))

    _doubted(cut, "does not begin at anything approved", {"authors_unknown"})


def test_what_was_signed_off_is_ground_too(gate: Gate, work: Work, name: str) -> None:
    """An assistant's change that a senior approved may be built upon by hand."""
    head = work.commit("1", "By machine\n\nAI-Assisted: amazon-q/2026-03")
    signed = gate.sign(
        work.attest(chart.config_map(name)), "--kubeconfig", _admin(gate)
    )
    assert gate.apply(signed).admitted

    work.base = head
    work.commit("2")
    admitted = gate.apply(work.human(chart.config_map(name, region="by-hand")))

    assert admitted.bases == DECLARED, admitted.out


def test_a_source_that_was_signed_off_is_ground(
    gate: Gate, work: Work, name: str
) -> None:
    """An assistant's commits that a senior approved as such, for whatever is new."""
    work.base = work.commit("1", "By machine\n\nAI-Assisted: amazon-q/2026-03")
    before = f"{gate.stack.history.baseline}..{work.base}"
    work.commit("2")
    made = work.collect(before)
    word, _ = work.declare()
    manifest = chart.deployment(name)

    def applied(*beside: Path) -> Judged:
        return gate.apply(work.attest(manifest, beside=[word, *beside]))

    unread = applied(made, work.approve(before))
    unknown = applied(work.approve(before, made))
    himself = applied(made, work.approve(before, made, by=LEE))
    stranger = applied(made, work.approve(before, made, by=OMAR))
    elsewhere = applied(made, work.approve(before, made, flags=["--cluster", "prod"]))
    admitted = applied(made, work.approve(before, made))

    for denied in (unread, unknown, himself, stranger, elsewhere):
        assert {"slot_open", "authors_unknown"} <= set(denied.reasons)
    assert admitted.bases == DECLARED, admitted.out
    assert gate.pod(name)


def test_a_source_and_objects_are_signed_off_at_once(
    gate: Gate, work: Work, name: str
) -> None:
    """The first sign-off of a release is ground for the next, by whatever path."""
    head = work.commit("1", "By machine\n\nAI-Assisted: amazon-q/2026-03")
    text = work.attest(chart.config_map(name))
    flags = ("--source", work.span, "--repo", work.git.path, "--repo-uri", REPOSITORY)
    signed = gate.sign(text, "--kubeconfig", _admin(gate), *flags)
    assert gate.apply(signed).admitted

    work.base = head
    work.commit("2")
    admitted = gate.apply(work.human(chart.config_map(name, region="by-hand")))

    assert admitted.bases == DECLARED, admitted.out


def test_everybody_declares(gate: Gate, work: Work, name: str) -> None:
    """Two authors are two words, of which one is of somebody without the role."""
    work.commit("1")
    work.commit("2", by=DANA)

    denied = gate.apply(work.human(chart.config_map(name), by=[LEE, DANA]))
    half = gate.apply(work.human(chart.config_map(name), by=[LEE]))

    _doubted(denied, "takes the role developer")
    _doubted(half, "dana@acme.example had a part too")


def test_notes_and_trailers_that_claim_a_human(
    gate: Gate, work: Work, name: str
) -> None:
    """Anybody can write them."""
    work.commit(
        name, "Set it by hand\n\nAI-Assisted: none\nHuman-Authored: true\nAI: no"
    )
    note = '{"schema_version":"authorship/3.0.0","human_author":"lee@acme.example"}'
    work.git.git(
        *("-c", "user.name=Lee", "-c", "user.email=lee@acme.example"),
        "notes",
        "--ref=ai",
        "add",
        "-m",
        f"deploy/region\n  h_1 1-9\n---\n{note}",
    )

    assert gate.apply(work.attest(chart.config_map(name))).reasons == ("slot_open",)


def test_a_statement_that_says_human(gate: Gate, work: Work, name: str) -> None:
    """That is for the law to find, whoever signs it."""
    work.commit(name)
    tree = documents(work.attest(chart.config_map(name)))[0]
    (bundle,) = bundles(tree)
    statement = json.loads(parse_bundle(json.dumps(bundle).encode()).envelope.payload)
    statement["predicate"]["assistance"] = "human"
    carry(tree, [bundle, _signed_anew(gate, statement)])

    assert gate.apply(written([tree])).reasons == ("slot_open",)


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "silent"])
def test_on_top_of_what_nobody_approved(
    gate: Gate, work: Work, name: str, *, declared: bool
) -> None:
    """A spotless range that begins at an unapproved commit of an assistant."""
    ai = work.commit("1", "By machine\n\nAI-Assisted: amazon-q/2026-03")
    work.commit("2")
    work.base = ai
    manifest = chart.config_map(name)

    done = gate.apply(work.human(manifest) if declared else work.attest(manifest))

    if declared:
        _doubted(done, "does not begin at anything approved", {"authors_unknown"})
    else:
        assert set(done.reasons) == {"slot_open", "authors_unknown"}


def test_the_whole_range_holds_the_assistant(work: Work) -> None:
    """Whoever includes it is told before signing, and not believed after."""
    work.commit("1", "By machine\n\nAI-Assisted: amazon-q/2026-03")
    work.commit("2")
    _, refused = work.declare(check=False)

    assert refused.code == 1
    assert "1 of 2 commits" in refused.err


def test_a_range_from_an_arbitrary_commit(gate: Gate, work: Work, name: str) -> None:
    """Not approved, not admitted, not a baseline: clean as it may be."""
    work.base = work.commit("1")
    work.commit("2")

    denied = gate.apply(work.human(chart.config_map(name)))

    _doubted(denied, "does not begin at anything approved", {"authors_unknown"})


def test_an_author_whom_nobody_knows(gate: Gate, work: Work, name: str) -> None:
    """Nobody can declare for an address that is no person's."""
    work.commit("1")
    work.commit("2", by=Who("Mallory", "mallory@elsewhere.example"))

    denied = gate.apply(work.human(chart.config_map(name)))

    _doubted(denied, "mallory@elsewhere.example had a part too", {"author_unresolved"})


def test_somebody_elses_word(gate: Gate, work: Work, name: str) -> None:
    """The command refuses it; made elsewhere, it counts for nothing: Lee may declare."""
    work.commit(name, by=RAVI)
    _, refused = work.declare(by=LEE, check=False)
    word, _ = work.declare(by=LEE, environ={"COUNTERSIGN_POLICIES": ""})

    denied = gate.apply(work.attest(chart.config_map(name), beside=[word]))

    assert refused.code == 1
    assert "nobody declares for others" in refused.err
    _doubted(denied, "somebody without a part in the change")


def test_a_person_without_the_role(gate: Gate, work: Work, name: str) -> None:
    """A senior is no developer here."""
    work.commit(name, by=RAVI)
    word, said = work.declare(by=RAVI)

    denied = gate.apply(work.attest(chart.config_map(name), beside=[word]))

    assert "no policy here counts a declaration by ravi" in said.err
    _doubted(denied, "takes the role developer")


@pytest.mark.parametrize("other", ["range", "repository"])
def test_a_word_about_something_else(
    gate: Gate, work: Work, name: str, other: str
) -> None:
    """Attest refuses to carry it; carried anyway, it counts for nothing.

    The last commit alone ends where the whole range ends, in the same tree.
    """
    work.commit("1")
    work.commit("2")
    word, _ = work.declare(
        span="HEAD~1..HEAD" if other == "range" else "",
        repository=f"{REPOSITORY}-fork" if other == "repository" else REPOSITORY,
    )
    refused = gate.cli(
        *("attest", work.span, "--repo", work.git.path, "--repo-uri", REPOSITORY),
        *("-f", gate.write(chart.config_map(name)), "--key", gate.stack.key(CI)),
        *("--carrier", "annotations", "--declaration", word),
    )
    tree = documents(work.attest(chart.config_map(name)))[0]
    carry(tree, [*bundles(tree), json.loads(word.read_text())])

    denied = gate.apply(written([tree]))

    assert refused.code == 1
    _doubted(denied, "no provenance here speaks of just its range")


def test_amended_after_the_word(gate: Gate, work: Work, name: str) -> None:
    """Same message, other files: another commit and another tree."""
    work.commit("1")
    word, _ = work.declare()
    work.git.write("deploy/region", "2")
    work.git.git(
        *("commit", "--quiet", "--amend", "--no-edit"),
        env={"GIT_COMMITTER_NAME": LEE.name, "GIT_COMMITTER_EMAIL": LEE.email},
    )
    tree = documents(work.attest(chart.config_map(name)))[0]
    carry(tree, [*bundles(tree), json.loads(word.read_text())])

    denied = gate.apply(written([tree]))

    _doubted(denied, "no provenance here speaks of just its range")


def test_the_provenance_of_another_manifest(gate: Gate, work: Work, name: str) -> None:
    """Human-made, but not this object."""
    work.commit(name)
    donor = documents(work.human(chart.config_map(f"{name}-donor")))[0]
    thief = documents(work.attest(chart.config_map(name)))[0]
    carry(thief, bundles(donor))

    denied = gate.apply(written([thief]))

    assert set(denied.reasons) == {"slot_open", "authors_unknown"}


@pytest.mark.parametrize(
    "images",
    [
        pytest.param([], id="none"),
        pytest.param([chart.PINNED.replace(BUILT, "ab12" * 16)], id="another's"),
    ],
)
def test_an_image_without_its_own_provenance(
    gate: Gate, work: Work, name: str, images: list[str]
) -> None:
    """The manifest is human; what it would run is anybody's."""
    work.commit(name)
    text = work.attest(
        chart.deployment(name), images=images, beside=[work.declare()[0]]
    )

    denied = gate.apply(text)

    assert set(denied.reasons) == {"slot_open", "authors_unknown"}


def test_provenance_that_did_not_see_everything(
    gate: Gate, work: Work, name: str, tmp_path: Path
) -> None:
    """A shallow clone in CI hides what it hides."""
    work.commit("1")
    work.commit("2")
    word, _ = work.declare(span="HEAD")
    tree = documents(work.attest(chart.config_map(name), beside=[], span="HEAD"))[0]
    work.git.git(
        "clone",
        "--quiet",
        "--depth=1",
        f"file://{work.git.path}",
        str(tmp_path / "cut"),
    )
    whole, work.git = work.git, type(work.git)(tmp_path / "cut")
    cut = documents(work.attest(chart.config_map(name), span="HEAD"))[0]
    carry(cut, [*bundles(cut), json.loads(word.read_text())])
    carry(tree, [*bundles(tree), json.loads(word.read_text())])
    _, refused = work.declare(span="HEAD", check=False)
    work.git = whole

    denied = gate.apply(written([cut]))

    assert refused.code == 1
    assert "--unshallow" in refused.err
    _doubted(denied, "does not see the whole range", {"authors_unknown"})


def test_an_author_forged_by_another_committer(
    gate: Gate, work: Work, name: str
) -> None:
    """Git lets anybody write any author; whoever committed had a part in it."""
    work.commit("1", by=LEE, committer=RAVI)

    denied = gate.apply(work.human(chart.config_map(name)))

    _doubted(denied, "ravi@acme.example had a part too")


def test_an_assistant_squashed_into_a_humans_commit(
    gate: Gate, work: Work, name: str
) -> None:
    """The trailer of the squashed commit is in the message of the squash."""
    work.git.git("checkout", "--quiet", "-b", "topic")
    work.commit("1")
    work.commit("2", "By machine\n\nAI-Assisted: amazon-q/2026-03")
    log = work.git.git("log", "--format=%B", f"{work.base}..HEAD")
    work.git.git("checkout", "--quiet", "work")
    work.git.git("merge", "--quiet", "--squash", "topic")
    work.git.commit(f"Squash\n\n{log}\n\nSigned-off-by: Lee", author=known(LEE))
    _, refused = work.declare(check=False)

    denied = gate.apply(work.attest(chart.config_map(name)))

    assert refused.code == 1
    assert denied.reasons == ("slot_open",)
    assert "amazon-q" in denied.out


def test_a_strangers_provenance(gate: Gate, work: Work, name: str) -> None:
    """Lee attests his own range: he is no collector."""
    work.commit(name)
    word, _ = work.declare()
    out = gate.folder / "strange.yaml"
    done = gate.cli(
        *("attest", work.span, "--repo", work.git.path, "--repo-uri", REPOSITORY),
        *("-f", gate.write(chart.config_map(name)), "--key", gate.stack.key(LEE)),
        *("--carrier", "annotations", "--declaration", word, "--out", out),
    )
    assert done.code == 0, done.err

    denied = gate.apply(out.read_text())

    _doubted(denied, "no collector of this policy", {"authors_unknown"})


def test_a_mark_that_is_found_later(gate: Gate, work: Work, name: str) -> None:
    """The worse of two provenances about the same commit wins."""
    work.commit(name)
    manifest = chart.config_map(name)
    good = documents(work.human(manifest))[0]
    found = documents(work.attest(manifest, environ=_run_of("copilot/fix")))[0]
    carry(good, [*bundles(good), *bundles(found)])

    _doubted(gate.apply(written([good])), "assistance was seen in it")


def _doubted(judged: Judged, why: str, more: Collection[str] = ()) -> None:
    """Check that it was denied for what it needs, and that a word is told not to count."""
    assert set(judged.reasons) == {"slot_open", "declaration_rejected", *more}
    also = [line for line in judged.out.splitlines() if "the declaration of" in line]
    assert any(why in line for line in also), judged.out


def _admin(gate: Gate) -> Path:
    return gate.stack.folder / "kubeconfig"


def _run_of(branch: str) -> dict[str, str]:
    """Return what GitHub says of the run for a pull request from `branch`."""
    return {"GITHUB_ACTIONS": "true", "GITHUB_HEAD_REF": branch}


def _signed_anew(gate: Gate, statement: chart.Tree) -> chart.Tree:
    key = load_key(gate.stack.key(CI).read_bytes(), "")
    raw = asyncio.run(KeySigner(key).sign(json.dumps(statement).encode()))
    found: chart.Tree = json.loads(raw)
    return found
