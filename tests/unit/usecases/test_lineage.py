"""Lineage: an image, the commits it is made of, how those came to be, and who approved."""

from dataclasses import replace
from datetime import timedelta

from countersign.core.types.artifacts import Digest, Subject, Tree
from countersign.core.types.evidence import Build, CommitRange, Provenance
from countersign.ports import Attached, Pinned
from countersign.provenance.commits import History, Patch
from countersign.provenance.derive import derive
from countersign.provenance.registry import known_agents
from countersign.usecases.attest import AttestOrder, attest
from countersign.usecases.lineage import Lineage, trace
from countersign.usecases.look import look
from countersign.usecases.sheet import LookOrder
from countersign.usecases.sign_off import sign_off
from countersign.usecases.source import Source
from countersign.wire.statement import render_statement
from tests.support.commits import commit, history
from tests.support.signing import CLOCK
from tests.unit.usecases.test_attach import LEDGER, OTHER
from tests.unit.usecases.test_attest import FakeRepository
from tests.unit.usecases.test_sign_off import DEPLOYMENT, KEYS, REVIEW, prepared

REPOSITORY = "https://git.example/acme/payments"
HISTORY = history(commit("x\n\nAI-Assisted: amazon-q"))
ARM = Digest.sha256(b"arm64")


async def provenance(
    *subjects: Digest, repository: str = REPOSITORY, of: History = HISTORY
) -> bytes:
    """Return the provenance of one range, and of what it names besides."""
    done = await attest(
        AttestOrder(
            revisions="base..main",
            repository=repository,
            collector="ci",
            collector_version="0",
            clusters=frozenset({"prod"}),
            valid=timedelta(days=90),
            artifacts=tuple(Subject("image", digest) for digest in subjects),
        ),
        repository=FakeRepository(of),
        registry=known_agents(),
        signer=KEYS.signer("ci"),
        clock=CLOCK,
    )
    return done.bundle


async def statement(predicate: str, body: Tree, *digests: Digest) -> bytes:
    """Return any statement about digests, signed by ci."""
    subjects = [Subject("it", digest) for digest in digests]
    return await KEYS.signer("ci").sign(render_statement(subjects, predicate, body))


async def build(*digests: Digest, commit: Digest = HISTORY.target) -> bytes:
    """Return a builder's statement, as GitHub's generator writes it."""
    source: Tree = {"uri": f"git+{REPOSITORY}", "digest": {"gitCommit": commit.value}}
    body: Tree = {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"repository": REPOSITORY}},
            "resolvedDependencies": [source],
        },
        "runDetails": {"builder": {"id": "https://git.example/builder"}},
    }
    return await statement("https://slsa.dev/provenance/v1", body, *digests)


async def approved(order: LookOrder) -> bytes:
    """Return dana's sign-off."""
    sheet = await look(order, prover=None, cluster=None)
    done = await sign_off(sheet, REVIEW, signer=KEYS.signer("dana"), clock=CLOCK)
    return done.bundle


async def traced(
    *bundles: bytes, platforms: frozenset[Digest] = frozenset()
) -> Lineage:
    """Return the lineage of the ledger's image."""
    lying = Attached(bundles=bundles, platforms=platforms)
    return await trace(LEDGER, lying, KEYS.prover())


def kinds(found: Lineage) -> dict[str, int]:
    """Return how much of each sort there is."""
    (origin,) = found.origins
    return {
        "links": len(origin.links),
        "provenance": len(origin.provenance),
        "source": len(origin.sign_offs),
        "signOffs": len(found.sign_offs),
        "besides": len(found.besides),
        "foreign": len(found.foreign),
    }


async def test_a_build_links_the_image_to_the_commit_that_others_speak_of() -> None:
    """Provenance that names no image counts under the commit that it is about."""
    found = await traced(await build(LEDGER.digest), await provenance())

    assert kinds(found) == {
        "links": 1,
        "provenance": 1,
        "source": 0,
        "signOffs": 0,
        "besides": 0,
        "foreign": 0,
    }
    (origin,) = found.origins
    assert isinstance(origin.links[0].claim, Build)
    assert origin.commit == HISTORY.target
    assert origin.links[0].evidence is not None


async def test_provenance_links_by_itself_where_it_names_the_image() -> None:
    """And is shown once, where the commit stands."""
    found = await traced(await provenance(LEDGER.digest))

    (origin,) = found.origins
    assert [one.bundle for one in origin.links] == [
        one.bundle for one in origin.provenance
    ]
    assert found.besides == ()


async def test_what_names_a_platform_names_the_image() -> None:
    """Only where the index holds it."""
    made = await provenance(ARM)

    within = await traced(made, platforms=frozenset({ARM}))
    without = await traced(made)

    assert len(within.origins) == 1
    assert (len(without.origins), len(without.besides)) == (0, 1)


async def test_a_commit_of_another_repository_is_another_commit() -> None:
    """A fork has the same commits, and other people."""
    fork = await provenance(repository="https://git.example/mallory/payments")

    found = await traced(await build(LEDGER.digest), fork)

    assert kinds(found)["provenance"] == 0
    assert kinds(found)["besides"] == 1


async def test_sign_offs_stand_where_they_belong() -> None:
    """Of the object that runs the image, of the source, of something else."""
    (one,) = prepared(DEPLOYMENT)
    source = Source(
        repository=REPOSITORY,
        range=CommitRange(HISTORY.base, HISTORY.target),
        subjects=(Subject("commit", HISTORY.target), Subject("tree", HISTORY.tree)),
        derivation=derive(HISTORY, known_agents()),
        patch=Patch((), 0),
    )
    found = await traced(
        await provenance(LEDGER.digest),
        await approved(LookOrder(objects=(one,))),
        await approved(LookOrder(source=source)),
        await approved(LookOrder(images=(OTHER,))),
    )

    assert kinds(found) == {
        "links": 1,
        "provenance": 1,
        "source": 1,
        "signOffs": 1,
        "besides": 1,
        "foreign": 0,
    }


async def test_other_peoples_statements_are_named_by_their_type() -> None:
    """An SBOM is no fault; what cannot be read is one, and hides nothing."""
    sbom = await statement("https://cyclonedx.org/bom", {"a": 1}, LEDGER.digest)

    found = await traced(sbom, b"{}", await provenance(LEDGER.digest))

    assert {one.predicate for one in found.foreign} == {"https://cyclonedx.org/bom", ""}
    assert all(one.problem for one in found.foreign)
    assert len(found.origins) == 1


async def test_ranges_that_join_are_one_lineage() -> None:
    """What was declared in parts is shown whole, the end first; a circle of them ends."""
    early = replace(history(commit("y")), base=HISTORY.target)
    assert HISTORY.base is not None
    early = replace(early, target=HISTORY.base)
    found = await traced(
        await provenance(of=early), await build(LEDGER.digest), await provenance()
    )

    (origin,) = found.origins
    targets = [
        one.claim.range.target
        for one in origin.provenance
        if isinstance(one.claim, Provenance)
    ]
    assert targets == [HISTORY.target, HISTORY.base]


async def test_without_anything_there_is_nothing() -> None:
    """An image that nobody spoke of."""
    found = await traced()

    assert (found.origins, found.sign_offs, found.besides) == ((), (), ())
    assert found.of == {LEDGER.digest}
    assert Pinned(LEDGER.repository, LEDGER.digest) == found.image
