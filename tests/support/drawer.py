"""A drawer full of evidence, policies and requests that fit together often enough.

Properties of the law draw from it. Whoever adds a rule adds what it can bite on, and a
story that it admits.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st

from countersign.core.presets import PRESETS
from countersign.core.types.bound import BoundChange, BoundIntent
from countersign.core.types.change import (
    Access,
    Deletion,
    Elastic,
    NamespaceWindow,
    Operation,
)
from countersign.core.types.evidence import (
    Assistance,
    Contributor,
    Evidence,
    Part,
    Presence,
)
from countersign.core.types.policy import (
    BaseRule,
    Images,
    ImageSubject,
    Policy,
    Revoked,
    RevokedKind,
    ThirdParty,
    Toggle,
    Treatment,
)
from countersign.core.types.request import Requester
from countersign.core.types.time import Interval
from tests.support import a, robots

T = TypeVar("T")

BOUNDS = (Elastic("/spec/replicas", 1, 9),)
AGENT = Contributor(Part.AUTHOR, "bot@agents.example", agent=True)

AMD, ARM = a.digest("for amd64"), a.digest("for arm64")
INDEX = replace(a.IMAGE, platforms=frozenset({AMD, ARM}))

CLEAN = a.provenance()
MARKED = a.marked()
BOTH = a.provenance(a.LEE, a.DANA)
MIDDLE = a.marked(target="middle", subjects=[a.OLD_MANIFEST, a.OLD_IMAGE])
LOWER = a.provenance(target="middle", subjects=[a.OLD_MANIFEST, a.OLD_IMAGE])
TOP = a.provenance(base="middle")
MANIFEST_ONLY = a.provenance(subjects=[a.MANIFEST])
IMAGE_ONLY = a.provenance(target="image", subjects=[a.RUNS])
BY_AGENT = a.marked(
    contributors=frozenset({AGENT, a.by(a.LEE, Part.REQUESTER)}), target="agents"
)
RAISED = robots.made(target="raised")
STRAYED = robots.made(target="strayed", paths=["src/ledger.go"])
TOGETHER = robots.made(a.LEE, target="together")
UNTOLD = robots.made(target="raised", paths=None)
BY_ROBOT = (RAISED, STRAYED, TOGETHER, UNTOLD)
PROVENANCE = (
    CLEAN,
    MARKED,
    BOTH,
    MIDDLE,
    LOWER,
    TOP,
    MANIFEST_ONLY,
    IMAGE_ONLY,
    BY_AGENT,
    a.provenance(complete=False),
    a.provenance(signer=a.STRANGER),
    a.provenance(a.RAVI, target="ravi"),
    a.marked(subjects=[]),
    a.marked(assistance=Assistance.AI, target="stripped", subjects=[a.MANIFEST]),
)

APP = a.provenance(target="app", subjects=[])
MARKED_APP = a.marked(target="app", subjects=[])
ABOVE_APP = a.provenance(target="app", base="below", subjects=[])
BELOW_APP = a.marked(target="below", subjects=[])
BUILT = a.build(target="app")
OLD_BUILT = a.build(a.OLD_IMAGE, target="below")
SOURCES = (APP, MARKED_APP, ABOVE_APP, BELOW_APP)
BUILDS = (
    BUILT,
    OLD_BUILT,
    a.build(),
    a.build(target="agents"),
    a.build(target="app", signer=a.STRANGER),
    a.build(target="app", repository="https://git.acme.example/fork"),
    a.build(AMD, ARM, target="app"),
    a.build(AMD, target="app"),
    a.build(ARM, target="agents"),
)

_ABOVE = a.sign_off(
    changes=(a.state(intent=a.OLD_MANIFEST),),
    saw=[MIDDLE],
    subjects=[a.OLD_MANIFEST, a.OLD_IMAGE, a.commit("middle")],
    signed_at=a.NOON - 3 * a.HOUR,
)
SIGN_OFFS = (
    a.sign_off(),
    a.sign_off(saw=PROVENANCE),
    a.sign_off(saw=[]),
    a.sign_off(device="laptop", signed_at=None, saw=PROVENANCE),
    a.sign_off(changes=(a.state(elastic=BOUNDS),), saw=PROVENANCE),
    a.sign_off(changes=(a.state(base=a.old().digest),), saw=PROVENANCE),
    a.sign_off(subjects=[a.MANIFEST, a.commit(a.HEAD)], saw=[CLEAN]),
    a.sign_off(signed_at=a.NOON - 9 * a.HOUR, restore_until=a.NOON + a.DAY),
    a.sign_off(validity=Interval(a.NOON - 2 * a.HOUR, a.NOON - a.HOUR)),
    a.sign_off(presence=Presence.TOUCH, saw=PROVENANCE),
    a.sign_off(subjects=[a.MANIFEST, a.commit("app")], saw=[]),
    a.sign_off(subjects=[a.MANIFEST, AMD, ARM], saw=[MANIFEST_ONLY, *SOURCES]),
    a.sign_off(a.RAVI),
    a.sign_off(a.RAVI, saw=PROVENANCE),
    a.sign_off(a.RAVI, device="laptop", saw=PROVENANCE),
    a.sign_off(a.RAVI, device="phone", saw=PROVENANCE, meanings=frozenset()),
    a.sign_off(a.LEE, saw=PROVENANCE),
    a.sign_off(changes=(Deletion(object=a.OBJECT, uid="1234"),)),
    _ABOVE,
)
_SHELL = Access(
    object=a.OBJECT, uid="1234", subresource="exec", operation=Operation.CONNECT
)
_HALF = a.HOUR / 2
EMERGENCIES = (
    a.emergency(),
    a.emergency(a.DANA),
    a.emergency(changes=(_SHELL,)),
    *(
        a.emergency(
            who,
            changes=(NamespaceWindow(namespace=a.NAMESPACE),),
            signed_at=a.NOON - _HALF,
            validity=Interval(a.NOON - _HALF, a.NOON + _HALF),
        )
        for who in (a.OMAR, a.INES)
    ),
)
SUPPORTING = (
    *PROVENANCE,
    *SOURCES,
    *BUILDS,
    *(
        a.declaration(who, about)
        for about in (CLEAN, TOP, MANIFEST_ONLY, IMAGE_ONLY, LOWER, APP)
        for who in (a.LEE,)
    ),
    a.declaration(a.DANA, BOTH),
    a.declaration(a.LEE, BOTH),
    *BY_ROBOT,
    *(robots.word(about) for about in BY_ROBOT),
    a.declaration(a.LEE, TOGETHER),
    *SIGN_OFFS,
    *EMERGENCIES,
)
ADVERSE = (
    *PROVENANCE,
    *SOURCES,
    *BUILDS,
    *BY_ROBOT,
    a.rejection(a.RAVI),
    a.rejection(a.LEE),
    a.rejection(),
)
REVOKED = (
    Revoked(RevokedKind.PERSON, "dana", a.NOON - 2 * a.HOUR),
    Revoked(RevokedKind.PERSON, "ravi"),
    Revoked(RevokedKind.KEY, "dana-laptop"),
    Revoked(RevokedKind.KEY, "ravi-phone"),
    Revoked(RevokedKind.IDENTITY, "lee@acme.example"),
    Revoked(RevokedKind.COLLECTOR, "ci", a.NOON),
    Revoked(RevokedKind.BUNDLE, str(MARKED.bundle)),
    Revoked(RevokedKind.BUNDLE, str(BUILT.bundle)),
    Revoked(RevokedKind.IDENTITY, robots.SAN),
)

_PAIR = (a.slot("senior"), a.slot("service-owner"))
_BAN = PRESETS["ban"]
POLICIES = (
    a.policy(),
    a.policy(name="robots", robots=(robots.robot(),)),
    a.policy(name="pair", slots=_PAIR),
    a.policy(name="loose", slots=(a.slot("senior", "x"),), base=BaseRule.ANY),
    a.policy(name="manual", slots=(a.slot("senior", "deployer"),), questions=None),
    a.policy(name="known", unknown=Treatment.DENY, human=Treatment.SIGN_OFF),
    a.policy(name="no AI", ai=Treatment.DENY),
    a.policy(name="no tool", banned_tools=frozenset({"amazon-q"})),
    a.policy(name="any image", images=Images(attestations=Toggle.OFF)),
    a.policy(
        name="others", images=Images(third_party=(ThirdParty("docker.io/acme/*"),))
    ),
    a.policy(
        name="index",
        slots=(a.slot("senior", "deployer"),),
        images=Images(subject=ImageSubject.INDEX),
    ),
    a.policy(
        name="platforms",
        slots=(a.slot("senior", "deployer"),),
        images=Images(
            subject=ImageSubject.ALL_PLATFORMS, registries=("docker.io/acme/*",)
        ),
    ),
    a.policy(
        name="ban", slots=_BAN.slots, unknown=_BAN.unknown, ai=_BAN.ai, human=_BAN.human
    ),
    a.policy(
        name="means",
        slots=(a.slot("senior", "author", meanings=frozenset({"approval"})),),
    ),
)

_CARRIED = a.old(_ABOVE, MIDDLE)
_BUILT_BEFORE = a.old(
    a.sign_off(
        changes=(a.state(intent=a.OLD_MANIFEST),),
        saw=[BELOW_APP],
        signed_at=a.NOON - 3 * a.HOUR,
    ),
    BELOW_APP,
    OLD_BUILT,
)
REQUESTS = (
    a.change(),
    a.change(images=()),
    a.change(images=(INDEX,)),
    a.change(images=(replace(INDEX, platforms=frozenset()),)),
    a.update(_BUILT_BEFORE),
    a.change(requester=Requester("dana")),
    a.change(intents=frozenset({BoundIntent(a.MANIFEST, BOUNDS)})),
    a.update(),
    a.update(_CARRIED),
    a.update(a.old(LOWER, a.declaration(about=LOWER))),
    a.update(a.old(a.sign_off(a.RAVI, signed_at=a.NOON), MARKED)),
    a.update(_CARRIED, operation=Operation.DELETE, intents=frozenset(), images=()),
    a.update(operation=Operation.CONNECT, subresource="exec", intents=frozenset()),
    replace(a.change(), object=replace(a.OBJECT, name="other")),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is put before the law; one policy."""

    request: BoundChange
    policy: Policy
    support: tuple[Evidence, ...]
    adverse: tuple[Evidence, ...] = ()
    revoked: tuple[Revoked, ...] = ()


_POLICY = {policy.name: policy for policy in POLICIES}
_BY_ALL = a.sign_off(a.RAVI, saw=PROVENANCE)
_BY_LINE = a.sign_off(subjects=[a.MANIFEST], saw=[MANIFEST_ONLY, *SOURCES])
_BY_PLATFORM = a.sign_off(subjects=[a.MANIFEST, AMD, ARM], saw=[])
_BY_DANA = a.sign_off(saw=PROVENANCE)
_EXEC = a.update(operation=Operation.CONNECT, subresource="exec", intents=frozenset())


def _declared(about: Evidence) -> Evidence:
    return a.declaration(a.LEE, about)


STORIES = (
    Scene(a.change(), _POLICY["payments"], (CLEAN, _BY_DANA)),
    Scene(a.change(), _POLICY["payments"], (MARKED, _BY_DANA), (MARKED,)),
    Scene(a.change(), _POLICY["payments"], (CLEAN, a.declaration())),
    Scene(a.change(), _POLICY["ban"], (CLEAN, a.declaration()), (CLEAN,)),
    Scene(a.change(), _POLICY["robots"], (RAISED, robots.word(RAISED)), (RAISED,)),
    Scene(a.change(), _POLICY["robots"], (UNTOLD, a.sign_off(saw=BY_ROBOT))),
    Scene(
        a.change(),
        _POLICY["robots"],
        (TOGETHER, robots.word(TOGETHER), a.declaration(a.LEE, TOGETHER)),
    ),
    Scene(a.change(), _POLICY["known"], (MARKED, _BY_DANA), (MARKED,)),
    Scene(a.change(), _POLICY["no AI"], (CLEAN, _BY_DANA), (CLEAN,)),
    Scene(a.change(), _POLICY["no tool"], (CLEAN, _BY_DANA)),
    Scene(a.change(), _POLICY["pair"], (CLEAN, _BY_DANA, _BY_ALL)),
    Scene(a.change(), _POLICY["pair"], (BOTH, _BY_ALL, _BY_DANA, CLEAN)),
    Scene(a.change(), _POLICY["means"], (IMAGE_ONLY, MANIFEST_ONLY, _BY_DANA)),
    Scene(a.change(), _POLICY["loose"], (a.sign_off(saw=[]),)),
    Scene(a.change(), _POLICY["manual"], (a.sign_off(),)),
    Scene(a.change(), _POLICY["any image"], (MANIFEST_ONLY, _BY_DANA)),
    Scene(a.change(), _POLICY["others"], (MANIFEST_ONLY, _BY_DANA)),
    Scene(
        a.change(), _POLICY["payments"], (TOP, a.declaration(about=TOP), _ABOVE, MIDDLE)
    ),
    Scene(
        a.change(),
        _POLICY["loose"],
        (a.sign_off(subjects=[a.MANIFEST, a.commit(a.HEAD)], saw=[CLEAN]), CLEAN),
    ),
    Scene(a.update(_CARRIED), _POLICY["payments"], (TOP, _BY_DANA)),
    Scene(
        a.update(),
        _POLICY["payments"],
        (CLEAN, a.sign_off(changes=(a.state(base=a.old().digest),), saw=PROVENANCE)),
    ),
    Scene(a.change(), _POLICY["payments"], (MANIFEST_ONLY, APP, BUILT, _BY_LINE)),
    Scene(
        a.change(),
        _POLICY["ban"],
        (MANIFEST_ONLY, APP, BUILT, *map(_declared, (MANIFEST_ONLY, APP))),
        (MANIFEST_ONLY, APP, BUILT),
    ),
    Scene(
        a.change(),
        _POLICY["manual"],
        (BUILT, a.sign_off(subjects=[a.MANIFEST, a.commit("app")], saw=[])),
    ),
    Scene(
        a.update(_BUILT_BEFORE),
        _POLICY["payments"],
        (MANIFEST_ONLY, ABOVE_APP, BUILT, _BY_LINE),
    ),
    Scene(a.change(images=(INDEX,)), _POLICY["manual"], (_BY_PLATFORM,)),
    Scene(a.change(images=(INDEX,)), _POLICY["index"], (_BY_DANA,)),
    Scene(a.change(images=(INDEX,)), _POLICY["platforms"], (_BY_PLATFORM,)),
    Scene(
        a.change(images=(INDEX,)),
        _POLICY["platforms"],
        (APP, a.build(AMD, target="app"), a.build(ARM, target="app"), _BY_LINE),
    ),
    Scene(a.update(), _POLICY["payments"], EMERGENCIES),
    Scene(_EXEC, _POLICY["payments"], EMERGENCIES),
    Scene(
        a.update(_CARRIED, operation=Operation.DELETE, intents=frozenset()),
        _POLICY["payments"],
        SIGN_OFFS,
    ),
    Scene(
        a.change(intents=frozenset({BoundIntent(a.MANIFEST, BOUNDS)})),
        _POLICY["payments"],
        (CLEAN, *SIGN_OFFS),
    ),
)


# One step from admission: what must not be the step is what the properties are about.
DENIED = (
    Scene(a.change(), _POLICY["known"], (CLEAN, _BY_DANA), (CLEAN,)),
    Scene(a.change(), _POLICY["no AI"], (MARKED, _BY_DANA), (MARKED,)),
    Scene(a.change(), _POLICY["no AI"], (_BY_DANA,)),
    Scene(a.change(), _POLICY["no tool"], (MARKED, _BY_DANA), (MARKED,)),
    Scene(a.change(), _POLICY["payments"], (CLEAN, _BY_DANA), (a.rejection(a.RAVI),)),
    Scene(a.change(), _POLICY["payments"], (TOP, _BY_DANA)),
    Scene(a.change(), _POLICY["payments"], (TOP, a.declaration(about=TOP))),
    Scene(a.change(), _POLICY["payments"], (BOTH, _BY_DANA)),
    Scene(a.change(), _POLICY["payments"], (RAISED, robots.word(RAISED))),
    Scene(a.change(), _POLICY["robots"], (STRAYED, robots.word(STRAYED))),
    Scene(a.change(), _POLICY["robots"], (UNTOLD, robots.word(UNTOLD))),
    Scene(a.change(), _POLICY["robots"], (TOGETHER, robots.word(TOGETHER))),
    Scene(a.change(), _POLICY["ban"], (CLEAN, _BY_DANA, _BY_ALL)),
    Scene(a.change(), _POLICY["ban"], (MARKED, _BY_DANA), (MARKED,)),
    Scene(
        a.change(),
        _POLICY["pair"],
        (CLEAN, *(a.sign_off(a.RAVI, device=d) for d in ("laptop", "phone"))),
    ),
    Scene(a.change(intents=frozenset()), _POLICY["payments"], (CLEAN, _BY_DANA)),
    Scene(a.update(), _POLICY["payments"], (CLEAN, a.declaration())),
    Scene(a.update(), _POLICY["ban"], (CLEAN, a.declaration())),
    Scene(a.update(), _POLICY["payments"], (CLEAN, _BY_DANA)),
    Scene(a.change(), _POLICY["payments"], (MANIFEST_ONLY, APP, _BY_LINE)),
    Scene(
        a.change(),
        _POLICY["payments"],
        (MANIFEST_ONLY, APP, a.build(target="other"), _BY_LINE),
    ),
    Scene(
        a.change(),
        _POLICY["no AI"],
        (MANIFEST_ONLY, APP, MARKED_APP, BUILT, _BY_LINE),
        (MANIFEST_ONLY, APP, MARKED_APP, BUILT),
    ),
    Scene(a.change(images=(INDEX,)), _POLICY["index"], (_BY_PLATFORM,)),
    Scene(a.change(images=(INDEX,)), _POLICY["platforms"], (_BY_DANA,)),
    Scene(a.change(), _POLICY["platforms"], (_BY_DANA, _BY_PLATFORM)),
)


@st.composite
def scenes(draw: st.DrawFn, *pools: tuple[Scene, ...]) -> Scene:
    """Return a scene out of one of `pools`, with at most one twist and some extras."""
    scene: Scene = draw(st.one_of(*map(st.sampled_from, pools)))
    twist = draw(st.sampled_from(["", "", "", "lose", "request", "policy"]))
    if twist == "lose":
        left = list(scene.support)
        left.pop(draw(st.integers(0, len(left) - 1)))
        scene = replace(scene, support=tuple(left))
    elif twist == "request":
        scene = replace(scene, request=draw(st.sampled_from(REQUESTS)))
    elif twist == "policy":
        scene = replace(scene, policy=draw(st.sampled_from(POLICIES)))
    return replace(
        scene,
        support=(*scene.support, *draw(st.just([]) | some(SUPPORTING, 3))),
        adverse=(*scene.adverse, *draw(st.just([]) | some(ADVERSE, 2))),
        revoked=tuple(draw(st.just([]) | some(REVOKED, 1))),
    )


def some(
    drawer: tuple[T, ...], most: int, least: int = 0
) -> st.SearchStrategy[list[T]]:
    """Return up to `most` things of a drawer."""
    return st.lists(st.sampled_from(drawer), min_size=least, max_size=most)
