"""Lint: what would make a signature fail, said before it is made."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from countersign.core.types.artifacts import Digest, Tree
from countersign.core.types.attestors import Attestor
from countersign.core.types.change import NamespaceWindow
from countersign.core.types.evidence import Emergency
from countersign.core.types.people import Roster
from countersign.core.types.policy import (
    BreakGlass,
    Demands,
    Images,
    Policy,
    QuestionSet,
    Scope,
    Slot,
    ThirdParty,
    Toggle,
    TraceDemand,
    Treatment,
)
from countersign.usecases.lint import lint
from countersign.usecases.lint_kinds import Lint, LintKind
from countersign.usecases.look import look
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.usecases.sign_off import Review
from tests.support.commits import commit_id
from tests.support.signing import NOON
from tests.unit.usecases.test_lineage import HISTORY, build
from tests.unit.usecases.test_sign_off import (
    BUNDLE,
    DEPLOYMENT,
    IMAGE,
    KEYS,
    REVIEW,
    prepared,
    provenance,
    with_image,
)

POLICY = Policy(
    name="payments",
    scope=Scope(namespaces=("payments",)),
    roster=Roster("platform", ()),
    collectors=(Attestor(name="ci", trust_root="keys", key="ci"),),
    slots=(Slot(role="senior", independent_of=frozenset({"author"})),),
)


async def sheet_of(*bundles: bytes, image: str = IMAGE) -> Sheet:
    """Look at the Deployment."""
    objects = prepared(with_image(image))
    order = LookOrder(objects=objects, bundles=bundles)
    return await look(order, prover=KEYS.prover(), cluster=None)


async def kinds(
    sheet: Sheet,
    review: Review = REVIEW,
    policies: Collection[Policy] | None = (POLICY,),
) -> set[LintKind]:
    """Return the kinds of all lints."""
    return {each.kind for each in lint(sheet, review, policies, NOON)}


async def clean() -> Sheet:
    """Return a sheet with nothing amiss but the image's provenance."""
    return await sheet_of(await provenance(*prepared(DEPLOYMENT)))


@pytest.mark.parametrize(
    ("commit", "amiss"),
    [
        pytest.param(HISTORY.target, set[LintKind](), id="the commit that is attested"),
        pytest.param(
            commit_id("another"),
            {LintKind.IMAGE_WITHOUT_PROVENANCE},
            id="another commit",
        ),
    ],
)
async def test_a_build_stands_on_the_provenance_of_its_commit(
    commit: Digest, amiss: set[LintKind]
) -> None:
    """Provenance need not name the image, where a builder links it to the commit."""
    image = Digest.parse(IMAGE.partition("@")[2])
    made = await provenance(*prepared(DEPLOYMENT))

    assert await kinds(await sheet_of(made, await build(image, commit=commit))) == amiss


async def test_says_nothing_where_nothing_is_amiss() -> None:
    """Third parties' images need no provenance of ours."""
    images = Images(third_party=(ThirdParty("ghcr.io/acme/*"),))

    assert not await kinds(await clean(), policies=(replace(POLICY, images=images),))
    assert not await kinds(
        await clean(),
        policies=(replace(POLICY, images=Images(attestations=Toggle.OFF)),),
    )


@pytest.mark.parametrize("policies", [(POLICY,), None], ids=["policy", "no policies"])
async def test_names_what_has_no_provenance(
    policies: Collection[Policy] | None,
) -> None:
    """Objects, images, and images that nothing pins."""
    assert await kinds(await sheet_of(), policies=policies) == {
        LintKind.NO_PROVENANCE,
        LintKind.IMAGE_WITHOUT_PROVENANCE,
    }
    assert LintKind.IMAGE_UNPINNED in await kinds(
        await sheet_of(image="ghcr.io/acme/ledger:1"), policies=policies
    )


async def test_provenance_of_the_same_in_other_words_is_provenance() -> None:
    """What was recorded has the defaults written; what CI attested may not."""
    sheet = await clean()
    (item,) = sheet.items
    attested = item.prepared.intent
    recorded = replace(attested, digest=Digest.sha256(b"with its defaults"))
    other = replace(
        item,
        prepared=replace(item.prepared, intent=recorded),
        change=replace(item.change, digest=recorded.digest),
    )
    same = replace(other, same=(attested,))

    assert LintKind.NO_PROVENANCE in await kinds(replace(sheet, items=(other,)))
    assert LintKind.NO_PROVENANCE not in await kinds(replace(sheet, items=(same,)))


async def test_says_how_an_image_is_pinned() -> None:
    """Before somebody signs what will be denied."""
    sheet = await sheet_of(image="ghcr.io/acme/ledger:1")
    (found,) = (
        one
        for one in lint(sheet, REVIEW, (POLICY,), NOON)
        if one.kind is LintKind.IMAGE_UNPINNED
    )

    assert found.detail == (
        "ghcr.io/acme/ledger:1, not ghcr.io/acme/ledger:1@sha256:DIGEST"
    )


async def test_asks_for_no_provenance_where_nobody_needs_authors() -> None:
    """A policy without a collector goes by sign-offs alone."""
    manual = replace(
        POLICY,
        collectors=(),
        slots=(Slot(role="senior"),),
        images=Images(pinning=Toggle.OFF),
    )

    assert not await kinds(await sheet_of(image="x:1"), policies=(manual,))


async def test_weighs_the_provenance() -> None:
    """Where it holds, for how long, and whether anybody verified it."""
    sheet = await clean()
    long = replace(
        REVIEW, valid=timedelta(days=200), clusters=frozenset({"prod", "test"})
    )
    objects = prepared(DEPLOYMENT)
    order = LookOrder(objects=objects, bundles=(await provenance(*objects),))
    unproven = await look(order, prover=None, cluster=None)

    assert {LintKind.OTHER_CLUSTER, LintKind.PROVENANCE_EXPIRES} <= await kinds(
        sheet, long
    )
    assert LintKind.NOT_VERIFIED in await kinds(unproven)
    assert LintKind.NOT_VERIFIED not in await kinds(sheet)


@pytest.mark.parametrize(
    ("policy", "review", "expected"),
    [
        pytest.param(
            replace(POLICY, demands=Demands(max_validity=timedelta(days=7))),
            REVIEW,
            Lint(LintKind.WINDOW_TOO_LONG, "payments", "7d"),
            id="valid for too long",
        ),
        pytest.param(
            POLICY,
            replace(REVIEW, restore_until=NOON + timedelta(days=99)),
            Lint(LintKind.RESTORE_TOO_LONG, "payments", "30d"),
            id="restored for too long",
        ),
        pytest.param(
            replace(
                POLICY,
                demands=Demands(
                    questions=QuestionSet("urn:q", Digest.sha256(b"q"), ("one",))
                ),
            ),
            REVIEW,
            Lint(LintKind.QUESTIONS_DIFFER, "payments", "urn:q"),
            id="other questions",
        ),
        pytest.param(
            replace(
                POLICY,
                demands=Demands(traceability=(TraceDemand("TICKET", "OPS-[0-9]+"),)),
            ),
            REVIEW,
            Lint(LintKind.TRACE_MISSING, "payments", "TICKET=OPS-[0-9]+"),
            id="a link of another form",
        ),
        pytest.param(
            replace(POLICY, slots=(Slot(role="qa", meanings=frozenset({"quality"})),)),
            REVIEW,
            Lint(LintKind.MEANING_MISSING, "payments", "quality"),
            id="another meaning",
        ),
        pytest.param(
            replace(POLICY, ai=Treatment.DENY),
            REVIEW,
            Lint(LintKind.DENIED_ANYWAY, "payments", "mixed"),
            id="a ban",
        ),
    ],
)
async def test_names_what_the_policy_asks_besides(
    policy: Policy, review: Review, expected: Lint
) -> None:
    """Before somebody signs in vain."""
    sheet = await clean()

    assert expected in lint(sheet, review, (policy,), NOON)
    assert expected.kind not in await kinds(sheet)


async def test_a_policy_elsewhere_asks_nothing() -> None:
    """And an object that nobody protects needs no signature."""
    elsewhere = replace(POLICY, scope=Scope(namespaces=("ledger",)))

    assert await kinds(await sheet_of(), policies=(elsewhere,)) == {LintKind.NO_POLICY}


async def test_a_namespace_is_protected_by_its_own_name() -> None:
    """It lies in none."""
    tree: Tree = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "payments"},
    }
    order = LookOrder(objects=prepared(tree))
    sheet = await look(order, prover=KEYS.prover(), cluster=None)

    assert LintKind.NO_POLICY not in await kinds(sheet)


async def test_says_what_was_left_behind() -> None:
    """Evidence of another state, and junk."""
    (one,) = prepared(DEPLOYMENT)
    changed = one.annotated([BUNDLE])
    changed["spec"] = with_image("ghcr.io/acme/ledger@sha256:" + "0" * 64)["spec"]
    order = LookOrder(objects=prepared(changed), bundles=(BUNDLE,))
    sheet = await look(order, prover=None, cluster=None)

    assert {LintKind.STALE_EVIDENCE, LintKind.UNREADABLE_BUNDLE} <= await kinds(sheet)


GLASS = BreakGlass(
    role="on-call", max_validity=timedelta(hours=4), review_within=timedelta(hours=72)
)
URGENT = replace(REVIEW, emergency=Emergency("INC-7", "down"), valid=timedelta(hours=1))


@pytest.mark.parametrize("whole", [False, True], ids=["an object", "a namespace"])
async def test_in_an_emergency_little_is_asked(*, whole: bool) -> None:
    """Whether there is break-glass, and for how long; not who made it."""
    sheet = await sheet_of()
    if whole:
        window = NamespaceWindow(namespace="payments")
        order = LookOrder(windows=(window,))
        sheet = await look(order, prover=None, cluster=None)
    having = replace(POLICY, break_glass=GLASS)
    longer = replace(URGENT, valid=timedelta(hours=5))

    assert await kinds(sheet, URGENT, (having,)) == set()
    assert await kinds(sheet, URGENT) == {LintKind.NO_BREAK_GLASS}
    assert await kinds(sheet, longer, (having,)) == {LintKind.WINDOW_TOO_LONG}
    assert await kinds(sheet, URGENT, None) == set()


async def test_in_an_emergency_images_are_pinned_still() -> None:
    """The law asks for that as ever."""
    sheet = await sheet_of(image="ghcr.io/acme/ledger:1")

    assert await kinds(sheet, URGENT, None) == {LintKind.IMAGE_UNPINNED}
