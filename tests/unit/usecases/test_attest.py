"""Attest: a statement of what a history shows, signed."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest, Subject
from countersign.core.types.evidence import (
    Assistance,
    Contributor,
    Lines,
    Part,
    Provenance,
)
from countersign.core.types.time import Interval
from countersign.provenance.commits import ChangedFile, Commit, History
from countersign.provenance.pull_request import PullRequest
from countersign.provenance.registry import known_agents
from countersign.usecases.attest import (
    MAX_COMMITS_TOLD,
    Attested,
    AttestOrder,
    attest,
)
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import MAX_BUNDLE, parse_bundle
from countersign.wire.provenance import MAX_PARTS
from tests.support.commits import commit, history
from tests.support.signing import CLOCK, NOON, Keyring

ORDER = AttestOrder(
    revisions="base..main",
    repository="https://git.example/acme/payments",
    collector="ci",
    collector_version="0.1.0",
    clusters=frozenset({"prod"}),
    valid=timedelta(days=90),
)
IMAGE = Subject("image:ghcr.io/acme/ledger", Digest.sha256(b"image"))
ASSISTED = commit("x\n\nAI-Assisted: amazon-q/2026-03")


class FakeRepository:
    """A repository that holds one history."""

    def __init__(self, found: History) -> None:
        self.found = found

    def history(self, revision_range: str, head: str = "") -> History:
        """Return it for the range of `ORDER`."""
        assert (revision_range, head) == (ORDER.revisions, "")
        return self.found


async def attested(found: History, order: AttestOrder = ORDER) -> Attested:
    """Attest `found` as ``ci``."""
    return await attest(
        order,
        repository=FakeRepository(found),
        registry=known_agents(),
        signer=Keyring("ci").signer("ci"),
        clock=CLOCK,
    )


def statement_of(done: Attested) -> bytes:
    """Return the signed statement."""
    return parse_bundle(done.bundle).envelope.payload


async def test_the_law_reads_back_what_was_claimed() -> None:
    """All of it, through the strict parser."""
    actors = frozenset({Contributor(Part.PUSHER, "1+lee@users.noreply.github.com")})
    order = replace(ORDER, artifacts=(IMAGE,), actors=actors)
    found = history(commit(committer="ci@example.com"), ASSISTED)

    done = await attested(found, order)

    read = parse_attestation(statement_of(done))
    assert read.claim == done.claim
    assert read.claim == Provenance(
        repository="https://git.example/acme/payments",
        range=done.claim.range,
        assistance=Assistance.MIXED,
        complete=True,
        marked=True,
        contributors=actors
        | {
            Contributor(Part.AUTHOR, "dev@example.com"),
            Contributor(Part.COMMITTER, "dev@example.com"),
            Contributor(Part.COMMITTER, "ci@example.com"),
        },
        tools=("amazon-q 2026-03",),
        lines=Lines(ai=3, unknown=3),
        clusters=frozenset({"prod"}),
        validity=Interval(NOON, NOON + timedelta(days=90)),
        collected_on=NOON,
        collector="ci",
    )
    assert {subject.digest for subject in read.subjects} == {
        found.target,
        found.tree,
        IMAGE.digest,
    }
    assert done.statement == Digest.sha256(statement_of(done))


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(
            commit(author="noreply@anthropic.com", committer="dev@example.com"),
            id="an assistant as author",
        ),
        pytest.param(
            commit(
                "x\n\nCo-authored-by: R <ravi@example.com>", committer="c@x.example"
            ),
            id="a co-author",
        ),
        pytest.param(
            commit(
                "x\n\nCo-authored-by: L <lee@example.com>", author="noreply@openai.com"
            ),
            id="who prompted an assistant",
        ),
    ],
)
async def test_nobody_who_took_part_gets_lost(made: Commit) -> None:
    """Independence depends on it."""
    done = await attested(history(made))

    read = parse_attestation(statement_of(done)).claim
    assert isinstance(read, Provenance)
    assert read.contributors == done.derivation.contributors


async def test_the_forge_that_committed_is_nobody() -> None:
    """Its address would be an author whom no roster knows."""
    done = await attested(history(commit(committer="noreply@github.com")))

    read = parse_attestation(statement_of(done)).claim
    assert isinstance(read, Provenance)
    assert {c.id for c in read.contributors} == {"dev@example.com"}


async def test_a_long_range_loses_detail_and_nobody() -> None:
    """The statement stays small; authors and marks are all there."""
    many = [
        commit(
            f"Commit {n}" + ("\n\nGenerated-by: Amp" if n == 7 else ""),
            author=f"dev{n}@example.com",
            files=tuple(ChangedFile(f"{n}/{i}" + "x" * 100, 1) for i in range(100)),
        )
        for n in range(3 * MAX_COMMITS_TOLD)
    ]

    done = await attested(history(*many))

    read = parse_attestation(statement_of(done)).claim
    assert isinstance(read, Provenance)
    assert read.contributors == done.derivation.contributors
    assert len(read.contributors) == 6 * MAX_COMMITS_TOLD
    assert (read.marked, read.assistance) == (True, Assistance.AI)
    assert read.lines.total == 300 * MAX_COMMITS_TOLD
    assert b"Generated-by: Amp".lower() in statement_of(done).lower()
    assert len(done.bundle) < MAX_BUNDLE / 4


async def test_what_was_out_of_sight_is_said() -> None:
    """A shallow clone is not complete."""
    done = await attested(history(commit(), shallow=True))

    assert not done.claim.complete


async def test_why_it_is_not_complete_is_said() -> None:
    """With the lines of whose commits no more is known than that AI had a hand in them."""
    message = "x\n\nGenerated-by: Amp"
    done = await attested(
        history(commit(), ASSISTED, commit(message), shallow=True),
    )

    coverage = json.loads(statement_of(done))["predicate"]["coverage"]
    assert coverage == {
        "commitsTotal": 3,
        "commitsWithMarker": 2,
        "commitsUnknown": 1,
        "linesAi": 3,
        "linesMixed": 3,
        "linesHuman": 0,
        "linesUnknown": 3,
        "complete": False,
        "unseen": [{"reason": "shallow"}],
    }
    assert done.claim.lines == Lines(ai=6, unknown=3)
    read = parse_attestation(statement_of(done)).claim
    assert read == done.claim


async def test_whom_the_request_names_had_a_part() -> None:
    """And an assistant that opened it is no person."""
    opener = Contributor(Part.OPENER, "198982749+copilot@users.noreply.github.com")
    asked = Contributor(Part.REQUESTER, "7+ravi@users.noreply.github.com")
    request = PullRequest(branch="fix", actors=frozenset({opener, asked}))
    order = replace(ORDER, request=request, actors=frozenset({opener}))

    done = await attested(history(commit()), order)

    read = parse_attestation(statement_of(done)).claim
    assert isinstance(read, Provenance)
    assert read == done.claim
    assert read.assistance is Assistance.MIXED
    assert {replace(opener, agent=True), asked} <= read.contributors
    assert opener not in read.contributors


async def test_an_assistant_that_pushed_had_a_hand_in_it() -> None:
    """CI tells who pushed; an assistant's account is a mark, not a person."""
    address = "198982749+copilot@users.noreply.github.com"
    order = replace(ORDER, actors=frozenset({Contributor(Part.PUSHER, address)}))

    done = await attested(history(commit()), order)

    assert done.claim.assistance is Assistance.MIXED
    assert Contributor(Part.PUSHER, address, agent=True) in done.claim.contributors


async def test_the_branch_of_a_pull_request_is_a_mark() -> None:
    """CI checks out a merge without a branch; only its environment knows the name."""
    done = await attested(
        history(commit()), replace(ORDER, source_branch="copilot/fix-1")
    )

    assert done.claim.assistance is Assistance.MIXED
    assert done.claim.tools == ("copilot",)


async def test_takes_the_address_from_origin() -> None:
    """Without the credentials that CI systems put there."""
    found = replace(history(commit()), remote="https://t:x@git.example/acme/pay.git")

    done = await attested(found, replace(ORDER, repository=""))

    assert done.claim.repository == "https://git.example/acme/pay"


async def test_without_an_address_it_says_what_to_do() -> None:
    """No policy could know such a repository."""
    with pytest.raises(Malformed, match="--repo-uri"):
        await attested(history(commit()), replace(ORDER, repository=""))


async def test_says_nothing_about_nothing() -> None:
    """An empty range has no provenance."""
    with pytest.raises(Malformed, match="at least one commit"):
        await attested(history())


def test_without_a_cluster_it_does_not_construct() -> None:
    """It could be used nowhere."""
    with pytest.raises(Malformed, match="cluster"):
        replace(ORDER, clusters=frozenset())


async def test_a_signer_that_does_not_answer_is_not_papered_over() -> None:
    """No bundle without a signature."""

    class Down:
        async def sign(self, statement: bytes) -> bytes:
            raise Unavailable(f"no answer for {len(statement)} bytes")

    with pytest.raises(Unavailable):
        await attest(
            ORDER,
            repository=FakeRepository(history(commit())),
            registry=known_agents(),
            signer=Down(),
            clock=CLOCK,
        )


async def test_signs_nothing_that_no_verifier_would_read() -> None:
    """A range by more people than a predicate may name has to be cut in parts."""
    crowd = [commit(f"{n}", author=f"dev{n}@example.com") for n in range(MAX_PARTS)]

    with pytest.raises(Malformed, match="in parts"):
        await attested(history(*crowd, commit()))
