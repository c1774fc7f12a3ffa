"""One request before the policies: what applies, what passes, what is doubted."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.masking import mask
from countersign.binding.match import state_digest
from countersign.core.errors import Malformed, OverLimit, Stale, Unavailable
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.change import Elastic
from countersign.core.types.doors import Doors, Tools
from countersign.core.types.evidence import Evidence
from countersign.core.types.people import CertIdentity
from countersign.core.types.policy import (
    BaseRule,
    Enforcement,
    Images,
    Revoked,
    RevokedKind,
    Scope,
    Toggle,
)
from countersign.core.types.request import Resource, Verb
from countersign.core.types.verdict import Detail, Door, Expected, Names, Reason
from countersign.ports import InvalidPolicy
from countersign.usecases.bind import MAX_ELASTICS, Sight, bind_old
from countersign.usecases.gather import MAX_CARRIED, MAX_TRIED, Gatherer
from countersign.usecases.gathered import Gathered
from countersign.wire.annotations import Carried, pack
from tests.support import a
from tests.support.trees import having
from tests.support.world import (
    SALT,
    Tree,
    World,
    create,
    delete,
    node,
    ref_of,
    request,
    stored,
    update,
)

ONE, TWO = (f"ghcr.io/acme/ledger@sha256:{n * 64}" for n in "12")
MAIN = "/spec/template/spec/containers/0"
BUNDLES = "/metadata/annotations/countersign.dev~1bundles"
INTENT = "/metadata/annotations/countersign.dev~1intent"


def ledger(image: str = ONE, **spec: Any) -> Tree:
    """Return the Deployment of the ledger as its author writes it."""
    container = {"name": "app", "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "ledger",
            "namespace": a.NAMESPACE,
            "labels": {"app": "ledger"},
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "ledger"}},
            "template": {
                "metadata": {"labels": {"app": "ledger"}},
                "spec": {"containers": [container]},
            },
            **spec,
        },
    }


def config(**metadata: Any) -> Tree:
    """Return a ConfigMap."""
    place = {"name": "settings", "namespace": a.NAMESPACE, **metadata}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": place,
        "data": {"a": "b"},
    }


@pytest.fixture(name="world")
def _world() -> World:
    return World()


# Who is asked -----------------------------------------------------------------------


async def test_the_signed_change_is_admitted(world: World) -> None:
    """By the person who fills the slot, as the basis says."""
    verdict = await world.judge(create(world.signed(ledger())))

    (basis,) = verdict.bases
    assert verdict.allowed
    assert basis.door is Door.SIGNED
    assert [slot.person for slot in basis.filled] == ["dana"]


async def test_nothing_signed_is_denied(world: World) -> None:
    """With what is missing."""
    assert await world.why(create(ledger())) == {Reason.NO_EVIDENCE, Reason.SLOT_OPEN}


async def test_another_namespace_is_nobodys(world: World) -> None:
    """No policy, no floor: not ours."""
    verdict = await world.judge(create(config(namespace="sandbox")))

    assert verdict.outside


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(Resource("", "v1", "events"), id="noise"),
        pytest.param(
            Resource("countersign.dev", "v1alpha1", "bundlesets"), id="our own kinds"
        ),
    ],
)
async def test_some_requests_are_never_ours(world: World, resource: Resource) -> None:
    """Also where a policy would hold."""
    verdict = await world.judge(create(config(), resource=resource))

    assert verdict.outside


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        pytest.param(Unavailable("no first list"), Reason.NOT_READY, id="not ready"),
        pytest.param(Stale("no word for 90 s"), Reason.STALE, id="stale"),
    ],
)
async def test_without_policies_nothing_is_admitted(
    world: World, trouble: Unavailable, reason: Reason
) -> None:
    """Not even what no policy might have judged."""
    world.trouble = trouble
    verdict = await world.judge(create(config(namespace="sandbox")))

    assert a.reasons(verdict) == {reason}
    assert a.finding(verdict, reason).facts == Detail(str(trouble))


async def test_a_protected_namespace_needs_a_policy(world: World) -> None:
    """Rule 18: an emptied list of policies opens nothing."""
    world.policies, world.protected = (), ("pay*",)

    assert await world.why(create(world.signed(ledger()))) == {Reason.NO_POLICY}
    assert (await world.judge(create(config(namespace="sandbox")))).outside
    assert await world.why(delete(stored(config()))) == {Reason.NO_POLICY}
    elsewhere = Scope(namespaces=("ledger",))
    world.policies = (a.policy(scope=elsewhere),)
    assert await world.why(create(world.signed(ledger()))) == {Reason.NO_POLICY}


async def test_the_floor_leaves_what_a_policy_leaves_alone(world: World) -> None:
    """A policy that excludes a kind is there; the floor is for none at all."""
    kinds = frozenset({GroupKind("", "ConfigMap")})
    scope = Scope(namespaces=(a.NAMESPACE,), exclude=kinds)
    world.policies, world.protected = (a.policy(scope=scope),), (a.NAMESPACE,)

    assert (await world.judge(create(config()))).outside
    assert await world.why(create(ledger()))


@pytest.mark.parametrize(
    ("scope", "protected", "holds"),
    [
        pytest.param(Scope(namespaces=("payments",)), (), True, id="its namespace"),
        pytest.param(Scope(namespaces=("other",)), (), False, id="another namespace"),
        pytest.param(None, ("payments",), True, id="unreadable, on the floor"),
        pytest.param(None, ("other",), False, id="unreadable, beside the floor"),
        pytest.param(None, (), True, id="unreadable, and no floor"),
    ],
)
async def test_an_unreadable_policy_denies_what_it_would_match(
    world: World, scope: Scope | None, protected: tuple[str, ...], *, holds: bool
) -> None:
    """Rule 24, whatever the readable ones say."""
    world.invalid = (InvalidPolicy(name="odd", scope=scope, problems=("slits: no",)),)
    world.protected = protected
    verdict = await world.judge(create(world.signed(ledger())))

    assert verdict.allowed is not holds
    assert verdict.bases
    assert a.reasons(verdict) == ({Reason.POLICY_INVALID} if holds else set())


@pytest.mark.parametrize(
    "enforcement", [Enforcement.WARN, Enforcement.AUDIT, Enforcement.DENY]
)
async def test_only_deny_denies(world: World, enforcement: Enforcement) -> None:
    """The findings are the same, and their weight is the policy's."""
    world.policies = (a.policy(enforcement=enforcement),)
    verdict = await world.judge(create(ledger()))

    assert a.reasons(verdict) == {Reason.NO_EVIDENCE, Reason.SLOT_OPEN}
    assert verdict.allowed is (enforcement is not Enforcement.DENY)


async def test_every_policy_is_asked(world: World) -> None:
    """One that is met does not speak for the other."""
    other = a.policy(name="strict", slots=(a.slot("senior"), a.slot("service-owner")))
    world.policies = (a.policy(), other)
    verdict = await world.judge(create(world.signed(ledger())))

    assert [basis.policy for basis in verdict.bases] == ["payments"]
    assert {finding.policy for finding in verdict.findings} == {"strict"}
    assert not verdict.allowed


async def test_a_namespace_is_judged_by_its_own_name(world: World) -> None:
    """Rule 18: its labels decide what may run in it."""
    space: Tree = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": a.NAMESPACE, "labels": {"team": "pay"}},
        "spec": {"finalizers": ["kubernetes"]},
    }
    asked = create(space)
    shown = replace(asked, ref=replace(asked.ref, namespace=a.NAMESPACE))
    carried = create(world.signed(space))
    signed = replace(carried, ref=replace(carried.ref, namespace=a.NAMESPACE))

    assert await world.why(shown)
    assert await world.why(signed) == set()
    assert (await world.judge(create(having(space, "/metadata/name", "x")))).outside


async def test_the_way_to_every_kubelet_is_shut(world: World) -> None:
    """Rule 19: by whichever policy looks at cluster-scoped kinds at all."""
    kinds = frozenset({GroupKind("", "PersistentVolume")})
    scope = Scope(namespaces=(a.NAMESPACE,), cluster_scoped=kinds)
    ask = request(
        Verb.CONNECT,
        {"apiVersion": "v1", "kind": "NodeProxyOptions", "metadata": {}},
        resource=Resource("", "v1", "nodes", "proxy"),
    )

    assert (await world.judge(ask)).outside
    world.policies = (a.policy(scope=scope),)
    assert Reason.SUBRESOURCE in await world.why(ask)


# What passes unsigned ---------------------------------------------------------------


async def test_applying_again_changes_nothing(world: World) -> None:
    """Defaults spelled out, and no evidence needed."""
    live = stored(world.signed(ledger()))
    again = having(live, "/spec/revisionHistoryLimit", 10)
    world.prover.known.clear()

    verdict = await world.judge(update(live, again))

    assert [basis.door for basis in verdict.bases] == [Door.UNCHANGED]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(BUNDLES, pack(b"[]"), id="other bundles"),
        pytest.param(INTENT, pack(b"{}"), id="another intent"),
        pytest.param("/metadata/labels/x", "y", id="a label"),
        pytest.param("/metadata/finalizers", ["x/y"], id="a finalizer"),
        pytest.param("/metadata/ownerReferences", [{"uid": "1"}], id="an owner"),
        pytest.param("/spec/paused", True, id="a field"),
        pytest.param(f"{MAIN}/image", TWO, id="an image"),
        pytest.param(f"{MAIN}/env", [{"name": "A", "value": "B"}], id="a variable"),
    ],
)
async def test_any_change_needs_a_signature(
    world: World, path: str, value: Any
) -> None:
    """Our annotations count as any other part (rule 10)."""
    live = stored(world.signed(ledger()))

    assert await world.why(update(live, having(live, path, value)))


async def test_a_status_changes_nothing_else(world: World) -> None:
    """Rule 16, with the places that it tried to write."""
    live = stored(world.signed(ledger()))
    labelled = having(live, "/metadata/annotations/x", "y")
    fine = having(live, "/status", {"replicas": 2})

    assert not await world.why(update(live, fine, subresource="status"))
    verdict = await world.judge(update(live, labelled, subresource="status"))
    assert a.reasons(verdict) == {Reason.STATUS_METADATA}
    facts = a.finding(verdict, Reason.STATUS_METADATA).facts
    assert facts == Detail("/metadata/annotations/x")


async def test_a_restart_is_for_those_who_may(world: World) -> None:
    """By policy; the others keep their say."""
    live = stored(world.signed(ledger()))
    path = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"
    restart = update(live, having(live, path, "2026-11-22T12:00:00Z"))
    doors = Doors(restart_groups=frozenset({"developers"}))

    assert await world.why(restart) == {Reason.CHANGED, Reason.SLOT_OPEN}
    world.policies = (a.policy(doors=doors),)
    assert not await world.why(restart)
    world.policies = (a.policy(doors=doors), a.policy(name="other"))
    verdict = await world.judge(restart)
    assert {f.policy for f in verdict.findings} == {"other"}


# Annotations under our prefix ---------------------------------------------------------


@pytest.mark.parametrize("key", ["skip", "ref"])
async def test_foreign_annotations_are_refused(world: World, key: str) -> None:
    """What is signed leaves our prefix out: anything could be written there."""
    tree = world.signed(ledger())
    odd = having(tree, f"/metadata/annotations/countersign.dev~1{key}", "true")
    verdict = await world.judge(create(odd))

    assert a.reasons(verdict) == {Reason.FOREIGN_ANNOTATION}
    facts = a.finding(verdict, Reason.FOREIGN_ANNOTATION).facts
    assert facts == Names((f"countersign.dev/{key}",))


async def test_evidence_is_not_taken_off(world: World) -> None:
    """Applying a plain manifest over a signed object says what would be lost."""
    live = stored(world.signed(ledger()))

    assert await world.why(update(live, ledger(TWO))) == {Reason.EVIDENCE_REMOVED}
    assert await world.why(update(live, ledger())) == {Reason.EVIDENCE_REMOVED}


# Evidence -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bundles", "reason"),
    [
        pytest.param("garbage", Reason.MALFORMED, id="no base64"),
        pytest.param(pack(b"{}"), Reason.MALFORMED, id="no list"),
        pytest.param(pack(b"[1]"), Reason.MALFORMED, id="no bundles"),
        pytest.param(
            "A" * (256 * 1024 + 4), Reason.OVER_LIMIT, id="more than Kubernetes stores"
        ),
        pytest.param(
            pack(b"[" + b",".join(b'{"n": %d}' % n for n in range(1025)) + b"]"),
            Reason.OVER_LIMIT,
            id="more than are looked at",
        ),
        pytest.param(
            pack(b'[{"n": 1}]'), Reason.PROOF_REJECTED, id="what nobody signed"
        ),
    ],
)
async def test_garbage_explains_the_denial(
    world: World, bundles: str, reason: Reason
) -> None:
    """And never more: it supports nothing."""
    tree = having(world.signed(ledger()), BUNDLES, bundles)

    assert {reason, Reason.NO_EVIDENCE} <= await world.why(create(tree))


async def test_garbage_beside_evidence_stops_nobody(world: World) -> None:
    """One bundle that does not verify does not spoil the others."""
    manifest = ledger()
    made = a.provenance(subjects=world.subjects(manifest))
    approval = a.sign_off(
        saw=(made,), subjects=world.subjects(manifest), changes=(world.state(manifest),)
    )
    bundles = [world.prover.bundle(e) for e in (made, approval)]
    carried = Carried((b'{"n": 1}', *bundles), world.intent(manifest)[1])

    assert not await world.why(create(world.annotated(manifest, carried)))


async def test_an_intent_must_be_canonical(world: World) -> None:
    """Its digest is checked against its bytes, not believed."""
    tree = having(world.signed(ledger()), INTENT, pack(b'{"kind": "Deployment"}'))

    assert Reason.MALFORMED in await world.why(create(tree))


async def test_another_objects_evidence_is_worth_nothing(world: World) -> None:
    """Neither the bundles alone, nor with their intent."""
    other = having(ledger(), "/metadata/name", "gateway")
    signed = world.signed(other)
    taken = having(ledger(), "/metadata/annotations", signed["metadata"]["annotations"])

    assert Reason.WRONG_OBJECT in await world.why(create(taken))


async def test_a_difference_is_shown(world: World) -> None:
    """At the place, from the nearest intent."""
    tree = having(world.signed(ledger()), "/spec/minReadySeconds", 5)
    verdict = await world.judge(create(tree))
    facts: Any = a.finding(verdict, Reason.CHANGED).facts

    assert [d.path for d in facts.differences] == ["/spec/minReadySeconds"]


async def test_a_rejection_outweighs(world: World) -> None:
    """Adverse evidence counts where it is carried, by the old object too."""
    manifest = ledger()
    no = a.rejection(
        a.RAVI, subjects=world.subjects(manifest), changes=(world.state(manifest),)
    )
    with_no = world.signed(manifest, more=[no])

    assert Reason.REJECTED in await world.why(create(with_no))
    live = stored(having(with_no, "/spec/replicas", 5))
    assert Reason.REJECTED in await world.why(update(live, world.signed(manifest)))


async def test_a_stretch_is_what_people_of_the_roster_signed(world: World) -> None:
    """Anybody can sign something; only theirs stretches an intent."""
    elastic = (Elastic("/spec/replicas", 2, 9),)
    manifest = ledger()
    stretched = having(world.signed(manifest, elastic=elastic), "/spec/replicas", 7)
    strangers = having(
        world.signed(manifest, elastic=elastic, signer=a.STRANGER), "/spec/replicas", 7
    )

    assert not await world.why(create(stretched))
    assert Reason.CHANGED in await world.why(
        create(having(stretched, "/spec/replicas", 10))
    )
    assert await world.why(create(strangers))


async def test_strangers_do_not_crowd_out_the_roster(world: World) -> None:
    """Whoever has an identity under a public trust root could sign thousands."""
    manifest = ledger()
    crowd = [
        a.sign_off(
            signer=a.STRANGER,
            subjects=world.subjects(manifest),
            changes=(
                world.state(manifest, elastic=(Elastic("/spec/replicas", 0, n),)),
            ),
        )
        for n in range(MAX_ELASTICS + 1)
    ]
    tree = world.signed(
        manifest, elastic=(Elastic("/spec/replicas", 2, 9),), more=crowd
    )

    assert not await world.why(create(having(tree, "/spec/replicas", 7)))


async def test_junk_takes_no_place(world: World) -> None:
    """What does not verify, or is by nobody we know, leaves room for what counts."""
    manifest = ledger()
    made = a.provenance(subjects=world.subjects(manifest))
    approval = a.sign_off(
        saw=(made,), subjects=world.subjects(manifest), changes=(world.state(manifest),)
    )
    good = [world.prover.bundle(e) for e in (made, approval)]
    junk = [b'{"n": %d}' % n for n in range(2 * MAX_CARRIED)]
    strange = [world.prover.bundle(e) for e in strangers(2 * MAX_CARRIED)]
    intent = world.intent(manifest)[1]
    tree = world.annotated(manifest, Carried((*junk, *strange, *good), intent))

    assert not await world.why(create(tree))


async def test_what_lies_beyond_the_caps_is_not_looked_at(world: World) -> None:
    """Order is the carrier's; what comes after what counts, or after much work."""
    manifest = ledger()
    made = a.provenance(subjects=world.subjects(manifest))
    approval = a.sign_off(
        saw=(made,), subjects=world.subjects(manifest), changes=(world.state(manifest),)
    )
    good = [world.prover.bundle(e) for e in (made, approval)]
    known = [
        world.prover.bundle(a.sign_off(link=f"https://review.example/{n}"))
        for n in range(MAX_CARRIED)
    ]
    junk = [b'{"n": %d}' % n for n in range(MAX_TRIED)]
    intent = world.intent(manifest)[1]
    for front in (known, junk):
        over = world.annotated(manifest, Carried((*front, *good), intent))

        assert Reason.OVER_LIMIT in await world.why(create(over))
    full = world.annotated(manifest, Carried((*known[2:], *good), intent))
    assert not await world.why(create(full))


def strangers(count: int) -> list[Evidence]:
    """Return what somebody signed whom nobody knows, and who can do so for ever."""
    return [
        a.sign_off(
            link=f"https://stranger.example/{n}",
            signer=CertIdentity("public-good", "https://stranger.example", "eve"),
        )
        for n in range(count)
    ]


async def test_only_new_images_need_cover(world: World) -> None:
    """What the old object runs already was covered when it came."""
    manifest = ledger(ONE, paused=True)
    live = stored(world.signed(ledger(ONE)))
    without_image = world.signed(manifest, about=[world.intent(manifest)[0]])

    assert not await world.why(update(live, without_image))
    new = ledger(TWO)
    uncovered = world.signed(new, about=[world.intent(new)[0]])
    assert Reason.IMAGE_UNCOVERED in await world.why(update(live, uncovered))


async def test_an_older_state_does_not_come_back(world: World) -> None:
    """Rule 8 [V]: rollout undo brings old bundles with the old image."""
    older = world.signed(ledger(ONE), signed_at=a.NOON - 5 * a.HOUR)
    newer = world.signed(ledger(TWO))
    live = stored(newer)

    assert Reason.STALE_BASE in await world.why(update(live, older))
    assert not await world.why(update(stored(older), newer))
    world.policies = (a.policy(base=BaseRule.ANY),)
    assert not await world.why(update(live, older))


async def test_a_live_object_that_nobody_signed_is_newer_than_all(
    world: World,
) -> None:
    """Rule 8: whatever it carries, it is not in the state that this speaks of."""
    moved = having(stored(world.signed(ledger(ONE))), "/spec/minReadySeconds", 5)

    assert Reason.STALE_BASE in await world.why(
        update(moved, world.signed(ledger(TWO)))
    )


async def test_a_live_object_that_was_scaled_is_the_one_that_was_signed(
    world: World,
) -> None:
    """Who may choose a number was asked when it was chosen; the next state follows."""
    scaled = having(stored(world.signed(ledger(ONE))), "/spec/replicas", 5)

    assert not await world.why(update(scaled, world.signed(ledger(TWO))))


async def test_only_what_names_a_state_speaks_of_it(world: World) -> None:
    """Rule 3: nobody hangs a range on an object, to begin the next one at its end."""
    manifest = ledger()
    hung = a.provenance(subjects=(), target=a.HEAD, base="elsewhere")
    word = a.declaration()
    tree = stored(world.signed(manifest, more=[hung, word]))
    gathered = Gathered()
    gatherer = Gatherer(world.prover, world.sets)
    await gatherer.gather(tree, ref_of(tree), gathered, world.policies)
    sight = Sight(tree=tree, identity=ref_of(tree), old=tree, facts=world.settings)
    state = bind_old(sight, gathered, a.policy(), None)

    assert hung in gathered.evidence
    assert hung not in state.evidence
    assert word in state.evidence
    assert len(state.evidence) == len(gathered.evidence) - 1


async def test_an_exact_base_is_the_live_state(world: World) -> None:
    """Whose digest is computed from the live object, never read from it."""
    live = stored(world.signed(ledger(ONE)))
    change = world.state(ledger(TWO), base=state_digest(live))
    signed = world.signed(ledger(TWO), changes=(change,))
    world.policies = (a.policy(base=BaseRule.EXACT),)

    assert not await world.why(update(live, signed))
    moved = having(live, "/spec/replicas", 3)
    assert Reason.STALE_BASE in await world.why(update(moved, signed))


async def test_a_revocation_holds_on_every_request(world: World) -> None:
    """Nothing about it is remembered."""
    ask = create(world.signed(ledger()))

    assert not await world.why(ask)
    world.revocations = (Revoked(RevokedKind.PERSON, "dana"),)
    assert Reason.REVOKED in await world.why(ask)


async def test_a_dry_run_gets_the_same_verdict(world: World) -> None:
    """Never an automatic yes."""
    assert await world.why(create(ledger(), dry_run=True))
    assert not await world.why(create(world.signed(ledger()), dry_run=True))


async def test_helms_marks_are_the_policys_to_allow(world: World) -> None:
    """Each policy is asked with its own."""
    tree = world.signed(ledger())
    marked = having(tree, "/metadata/annotations/meta.helm.sh~1release-name", "ledger")
    world.policies = (
        a.policy(name="with"),
        a.policy(name="without", doors=Doors(tools=Tools(helm=False))),
    )
    verdict = await world.judge(create(marked))

    assert [basis.policy for basis in verdict.bases] == ["with"]
    assert {finding.policy for finding in verdict.findings} == {"without"}


async def test_secrets_are_compared_masked(world: World) -> None:
    """No value, and no hash of one, is in any finding."""
    secret: Tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": a.NAMESPACE},
        "data": {"password": "Y29ycmVjdCBob3JzZQ=="},
    }
    signed = world.signed(secret)
    other = having(signed, "/data/password", "YmF0dGVyeSBzdGFwbGU=")
    live = stored(signed)

    assert not await world.why(create(signed))
    verdict = await world.judge(update(live, other))
    assert not verdict.allowed
    said = repr(verdict)
    for value in ("Y29ycmVj", "YmF0dGVy", mask(secret, SALT)["data"]["password"]):
        assert value not in said
    unsigned = await world.judge(update(stored(secret), having(other, BUNDLES, "x")))
    assert not unsigned.allowed
    assert "YmF0" not in repr(unsigned)


# What cannot be judged ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "facts"),
    [
        pytest.param(
            {"apiVersion": "example.com/v1", "kind": "Widget"},
            Expected("", "example.com/v1/Widget"),
            id="a custom resource",
        ),
        pytest.param(
            {"apiVersion": "extensions/v1beta1", "kind": "Deployment"},
            Expected("", "extensions/v1beta1/Deployment"),
            id="an old version",
        ),
    ],
)
async def test_what_is_unknown_is_denied(
    world: World, tree: Tree, facts: Expected
) -> None:
    """With a hint at what is known."""
    made = {**tree, "metadata": {"name": "it", "namespace": a.NAMESPACE}, "spec": {}}
    verdict = await world.judge(create(made))

    assert a.finding(verdict, Reason.UNSUPPORTED).facts == facts


@pytest.mark.parametrize(
    ("subresource", "verb"),
    [
        pytest.param("exec", Verb.CONNECT, id="exec"),
        pytest.param("attach", Verb.CONNECT, id="attach"),
        pytest.param("portforward", Verb.CONNECT, id="port-forward"),
        pytest.param("proxy", Verb.CONNECT, id="proxy"),
        pytest.param("novelty", Verb.CREATE, id="what a newer server has"),
        pytest.param("binding", Verb.CREATE, id="a binding by a person"),
    ],
)
async def test_side_doors_are_shut(world: World, subresource: str, verb: Verb) -> None:
    """Whatever evidence the object shown carries."""
    pod: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "it", "namespace": a.NAMESPACE},
        "spec": {"containers": [{"name": "app", "image": ONE}]},
    }
    shown = stored(world.signed(pod))
    resource = Resource("", "v1", "pods", subresource)
    old = shown if verb is Verb.UPDATE else None
    ask = request(verb, shown, old, resource=resource)

    assert await world.why(ask) == {Reason.SUBRESOURCE}


async def test_a_token_is_for_a_kubelet(world: World) -> None:
    """Rule 20 begins here: nobody else gets one in a protected namespace."""
    token: Tree = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"name": "default", "namespace": a.NAMESPACE},
        "spec": {"boundObjectRef": {"kind": "Pod", "name": "it", "uid": "1"}},
    }
    resource = Resource("", "v1", "serviceaccounts", "token")
    kubelet = create(token, resource=resource, by=node("one"))

    assert not await world.why(kubelet)
    assert await world.why(create(token, resource=resource)) == {Reason.SUBRESOURCE}


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"metadata": "x"}, id="metadata that is none"),
        pytest.param({"spec": "x"}, id="a spec that is none"),
        pytest.param(
            {"metadata": {"annotations": "x"}}, id="annotations that are none"
        ),
        pytest.param({"apiVersion": 1}, id="no version"),
        pytest.param({"metadata": {"name": "another"}}, id="another object"),
    ],
)
async def test_a_broken_object_is_denied(world: World, tree: Tree) -> None:
    """The server sends none; if it did, nothing would be assumed."""
    plain = create(world.signed(ledger()))
    broken: Any = copy.deepcopy(plain.object)
    for key, value in tree.items():
        both = isinstance(value, dict)
        broken[key] = {**broken[key], **value} if both else value
    for ask in (
        replace(plain, object=broken),
        replace(plain, verb=Verb.UPDATE, object=broken, old=plain.object),
        replace(plain, verb=Verb.UPDATE, old=broken),
    ):
        if ask.object is broken or tree.keys() - {"metadata"}:
            assert not (await world.judge(ask)).allowed


# When we could not look -------------------------------------------------------------


async def test_a_prover_that_does_not_answer_denies(world: World) -> None:
    """And says so beside what is missing for it."""
    tree = world.signed(ledger())
    for bundle in world.prover.known:
        world.prover.errors[bundle] = Unavailable("too much is being verified")

    assert Reason.UNAVAILABLE in await world.why(create(tree))


async def test_what_is_proven_in_time_is_enough(world: World) -> None:
    """Law 6: one bundle that never comes does not keep the others from counting."""
    manifest = ledger()
    extra = a.sign_off(a.RAVI, subjects=world.subjects(manifest))
    tree = world.signed(manifest, more=[extra])
    world.prover.stuck.add(world.prover.bundle(extra))

    verdict = await world.judge(create(tree), patience_s=0.05)

    assert verdict.allowed


async def test_time_that_is_up_denies(world: World) -> None:
    """Nothing was proven, and that is said."""
    tree = world.signed(ledger())
    world.prover.stuck |= set(world.prover.known)
    verdict = await world.judge(create(tree), patience_s=0.05)

    assert {Reason.UNAVAILABLE, Reason.NO_EVIDENCE} <= a.reasons(verdict)
    assert not (await world.judge(create(tree), patience_s=0)).allowed


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unavailable("busy"), id="a prover that was busy"),
        pytest.param(OverLimit("too large"), id="a bundle over a limit"),
        pytest.param(Malformed("odd"), id="a bundle that nobody can read"),
    ],
)
async def test_where_tools_are_banned_all_must_be_seen(
    world: World, error: Malformed | Unavailable
) -> None:
    """Rule 6: what was not seen might have named one."""
    tree = world.signed(ledger(), more=[a.sign_off(a.RAVI, subjects=[a.digest("x")])])
    unseen = next(
        b for b, e in world.prover.known.items() if a.digest("x") in e.digests
    )
    world.prover.errors[unseen] = error
    ask = create(tree)

    assert not await world.why(ask)
    world.policies = (a.policy(banned_tools=frozenset({"some-tool"})),)
    assert Reason.UNAVAILABLE in await world.why(ask)


async def test_not_knowing_the_cluster_only_denies(world: World) -> None:
    """A Pod is completed from live facts; a Deployment is not."""
    pod: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "it", "namespace": a.NAMESPACE},
        "spec": {"containers": [{"name": "app", "image": ONE}]},
    }
    world.cluster.down = True

    assert not await world.why(create(world.signed(ledger())))
    assert Reason.UNAVAILABLE in await world.why(create(world.signed(pod)))


async def test_unpinned_images_are_the_policys_to_allow(world: World) -> None:
    """As the law says; here only that it is asked."""
    tree = world.signed(ledger("ghcr.io/acme/ledger:1"))

    assert Reason.IMAGE_UNPINNED in await world.why(create(tree))
    loose = Images(attestations=Toggle.OFF, pinning=Toggle.OFF)
    world.policies = (a.policy(images=loose),)
    assert not await world.why(create(tree))
