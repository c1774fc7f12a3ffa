"""The line from image to sign-off holds, or breaks, exactly where it should.

Small worlds: two repositories, two commits, an index with two platforms, and whatever
builders, collectors and a reviewer may have said of them. What the law finds is compared
with a few lines that say the same in other words. Under each property stands the fault
that was planted to see it fail.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from countersign.core.types.artifacts import Digest
from countersign.core.types.attestors import Attestor
from countersign.core.types.evidence import Build, Evidence, Provenance, SignOff
from countersign.core.types.people import KeyIdentity
from countersign.core.types.policy import (
    Images,
    ImageSubject,
    Policy,
    Slot,
    Treatment,
)
from countersign.core.types.verdict import Verdict
from tests.support import a

REPOSITORIES = ("https://git.acme.example/a", "git+https://git.acme.example/b.git")
COMMITS = ("x", "y")
AMD, ARM = a.digest("for amd64"), a.digest("for arm64")
PLATFORMS = frozenset({AMD, ARM})
IMAGES = (a.RUNS, AMD, ARM, a.OLD_IMAGE)
CI, BUILDER = KeyIdentity("keys", "ci"), KeyIdentity("keys", "builder")
OBJECT = a.provenance(subjects=[a.MANIFEST], signer=CI)

Source = tuple[str, str]
sources = st.tuples(st.sampled_from(REPOSITORIES), st.sampled_from(COMMITS))


def few(things: st.SearchStrategy[Evidence]) -> st.SearchStrategy[list[Evidence]]:
    """Draw up to three different statements."""
    return st.lists(things, max_size=3, unique_by=lambda e: e.bundle)


@st.composite
def builds(draw: st.DrawFn) -> Evidence:
    """Draw what a builder said."""
    where, commit = draw(sources)
    named = draw(st.lists(st.sampled_from(IMAGES), min_size=1, max_size=3, unique=True))
    return a.build(*named, target=commit, repository=where, signer=BUILDER)


@st.composite
def attested(draw: st.DrawFn) -> Evidence:
    """Draw what a collector said of a commit; it may name images, and links none."""
    where, commit = draw(sources)
    named = draw(st.lists(st.sampled_from(IMAGES), max_size=1))
    who = draw(st.sampled_from([a.LEE, a.DANA]))
    marked = draw(st.booleans())
    made = a.marked if marked else a.provenance
    return made(
        who, target=commit, base=None, repository=where, subjects=named, signer=CI
    )


@dataclass(frozen=True, slots=True)
class World:
    """What was said, and what the reviewer named and saw."""

    subject: ImageSubject
    builds: list[Evidence]
    made: list[Evidence]
    sign_off: Evidence

    @property
    def evidence(self) -> list[Evidence]:
        """All of it."""
        return [OBJECT, *self.builds, *self.made, self.sign_off]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world."""
    made_of, made = draw(few(builds())), draw(few(attested()))
    saw = [e for e in (*made_of, *made) if draw(st.booleans())]
    names = [*IMAGES, *map(a.commit, COMMITS), *map(a.tree, COMMITS)]
    named = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    return World(
        draw(st.sampled_from(ImageSubject)),
        made_of,
        made,
        a.sign_off(subjects=[a.MANIFEST, *named], saw=[OBJECT, *saw]),
    )


@st.composite
def spoiled(draw: st.DrawFn) -> World:
    """Draw a world in which the reviewer saw AI, but not all of it."""
    where = draw(st.sampled_from(REPOSITORIES))
    seen, unseen = (
        a.marked(target=c, base=None, repository=where, subjects=[], signer=CI)
        for c in draw(st.permutations(COMMITS))
    )
    commit = seen if draw(st.booleans()) else unseen
    target = next(c for c in COMMITS if a.commit(c) in commit.digests)
    return World(
        draw(st.sampled_from(ImageSubject)),
        [a.build(*IMAGES, target=target, repository=where, signer=BUILDER)],
        [seen, unseen],
        a.sign_off(subjects=[a.MANIFEST, *IMAGES], saw=[OBJECT, seen]),
    )


def policy(subject: ImageSubject, slot: Slot) -> Policy:
    """Return a policy for these worlds."""
    return a.policy(
        slots=(slot,),
        human=Treatment.SIGN_OFF,
        images=Images(subject=subject, registries=("docker.io/acme/*",)),
        collectors=(Attestor(name="ci", trust_root="keys", key="ci"),),
        builders=(Attestor(name="builder", trust_root="keys", key="builder"),),
    )


def judge(world: World, evidence: Iterable[Evidence], slot: Slot) -> Verdict:
    """Ask the law."""
    return a.decide(
        *evidence,
        policies=[policy(world.subject, slot)],
        request=a.change(images=(replace(a.IMAGE, platforms=PLATFORMS),)),
    )


ANYBODY, INDEPENDENT = a.slot("senior", "deployer"), a.slot("senior")


def parts(subject: ImageSubject) -> list[list[set[Digest]]]:
    """Return for each thing that must be covered what a statement may name of it."""
    if subject is ImageSubject.ALL_PLATFORMS:
        return [[{AMD}], [{ARM}]]
    either = [set(PLATFORMS)] if subject is ImageSubject.EITHER else []
    return [[{a.RUNS}, *either]]


def said(evidence: Evidence) -> tuple[str, Digest]:
    """Return repository and commit of a statement."""
    claim = evidence.claim
    assert isinstance(claim, Build | Provenance)
    commit = claim.commit if isinstance(claim, Build) else claim.range.target
    short = claim.repository.removeprefix("git+").removesuffix(".git")
    return short, commit


def covered(world: World, ways: list[set[Digest]]) -> bool:
    """Say in other words whether the sign-off covers something."""
    claim, named = world.sign_off.claim, world.sign_off.digests
    assert isinstance(claim, SignOff)
    if any(way <= named for way in ways):
        return True
    for build in world.builds:
        if not any(way <= build.digests for way in ways):
            continue
        if said(build)[1] in named or build.statement in claim.inputs:
            return True
        for made in world.made:
            git = {d for d in made.digests if d.algorithm != "sha256"}
            if said(made) == said(build) and (
                made.statement in claim.inputs or git & named
            ):
                return True
    return False


@settings(max_examples=150)
@given(worlds())
def test_a_sign_off_covers_what_one_line_leads_to(world: World) -> None:
    """From the image through one build to one commit, and from there to the reviewer.

    Caught: a build and provenance joined by commit in any repository; by repository at
    any commit; a build of any image; one platform for all of an index; the index for
    each platform.
    """
    verdict = judge(world, world.evidence, ANYBODY)
    wanted = all(covered(world, ways) for ways in parts(world.subject))
    worse = "worse_provenance" in a.reasons(verdict)

    event(f"covered: {wanted}, worse than seen: {worse}")
    assert worse or verdict.allowed is wanted
    assert not worse or not verdict.allowed


@settings(max_examples=150)
@given(worlds())
def test_independent_is_who_made_none_of_what_lines_lead_to(world: World) -> None:
    """Dana's approval counts only where each image has known makers other than her.

    Caught: makers read from what names the image alone; what the reviewer did not see.
    """
    claim = world.sign_off.claim
    assert isinstance(claim, SignOff)
    linked = [
        [
            p
            for p in world.made
            if p.statement in claim.inputs
            and any(
                said(b) == said(p) and any(way <= b.digests for way in ways)
                for b in world.builds
            )
        ]
        for ways in parts(world.subject)
    ]
    known = all(linked)
    hers = any(
        all(a.by(a.DANA) in p.claim.contributors for p in each)  # type: ignore[union-attr] # all are provenance
        for each in linked
        if each
    )

    verdict = judge(world, world.evidence, INDEPENDENT)

    event(f"allowed: {verdict.allowed}, makers known: {known}, hers alone: {hers}")
    assert not verdict.allowed or (known and not hers)


@settings(max_examples=100)
@given(worlds(), st.sampled_from([ANYBODY, INDEPENDENT]), st.data())
def test_losing_builds_never_admits(
    world: World, slot: Slot, data: st.DataObject
) -> None:
    """What still counts against stays; what supports may be lost.

    Caught: commits that count against an image read from supporting builds.
    """
    adverse = [e for e in world.evidence if isinstance(e.claim, Provenance | Build)]
    kept = [e for e in world.builds if data.draw(st.booleans())]
    rest = [OBJECT, *world.made, world.sign_off]

    def allowed(some: list[Evidence]) -> bool:
        return a.decide(
            *rest,
            *some,
            policies=[policy(world.subject, slot)],
            request=a.change(images=(replace(a.IMAGE, platforms=PLATFORMS),)),
            adverse=adverse,
        ).allowed

    before = allowed(kept)
    event(f"allowed with less: {before}")
    assert allowed(world.builds) or not before


@settings(max_examples=100)
@given(
    worlds() | spoiled(), builds(), attested(), st.sampled_from([ANYBODY, INDEPENDENT])
)
def test_what_counts_against_never_admits(
    world: World, build: Evidence, made: Evidence, slot: Slot
) -> None:
    """One build and one provenance more, on the adverse side only.

    Caught: what the reviewer saw, measured by commits of adverse builds.
    """

    def allowed(*more: Evidence) -> bool:
        return a.decide(
            *world.evidence,
            policies=[policy(world.subject, slot)],
            request=a.change(images=(replace(a.IMAGE, platforms=PLATFORMS),)),
            adverse=[*world.builds, *world.made, *more],
        ).allowed

    before = allowed()
    event(f"denied: {not before}")
    for more in ((build,), (made,), (build, made)):
        assert before or not allowed(*more)


@settings(max_examples=100)
@given(worlds())
def test_looking_never_takes_an_admission_away(world: World) -> None:
    """What an index holds can only add to what evidence may name.

    As long as nothing is said against what it holds. Caught: `either` that asked for
    the platforms where they are known.
    """
    index = World(world.subject, world.builds, [], world.sign_off)

    def allowed(platforms: frozenset[Digest] | None) -> bool:
        return a.decide(
            *index.evidence,
            policies=[policy(index.subject, ANYBODY)],
            request=a.change(images=(replace(a.IMAGE, platforms=platforms),)),
        ).allowed

    assert allowed(PLATFORMS) or not allowed(None)
