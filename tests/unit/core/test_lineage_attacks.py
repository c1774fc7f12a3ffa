"""Evidence of many artifacts, mixed: what it covers is what the lines say, no more.

An attacker combines what others signed: approvals of other objects, builds of other
images, provenance of other commits, his own words. Each pile of it is judged a second time
by the sentences of rule 7 alone, as `covers` has them.
"""

from collections.abc import Collection
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Build, Evidence, Provenance, SignOff
from countersign.core.types.policy import Treatment
from tests.support import a

OTHER_STATE, OTHER_IMAGE = a.digest("another manifest"), a.digest("another image")
ELSEWHERE = "https://github.com/acme/elsewhere"
COMMITS = ("app", "other")

# What might be taken for the digest of the image, or of the object.
NAMED = (a.RUNS, OTHER_IMAGE, a.MANIFEST, OTHER_STATE)
SOURCES = tuple(d for name in COMMITS for d in (a.commit(name), a.tree(name)))
STATES = tuple(
    a.state(ref, intent)
    for ref in (a.OBJECT, replace(a.OBJECT, name="billing"))
    for intent in (a.MANIFEST, OTHER_STATE)
)
SIGNERS = st.sampled_from([a.CI, a.STRANGER])
REPOSITORIES = st.sampled_from([a.REPOSITORY, ELSEWHERE])


def some(of: Collection[Digest], least: int = 0) -> st.SearchStrategy[list[Digest]]:
    """Return some of them."""
    return st.lists(st.sampled_from([*of]), min_size=least, unique=True)


BUILDS = st.builds(
    lambda images, **fields: a.build(*images, **fields),
    some(NAMED, 1),
    target=st.sampled_from(COMMITS),
    signer=SIGNERS,
    repository=REPOSITORIES,
)
PROVENANCE = st.builds(
    a.provenance,
    target=st.sampled_from(COMMITS),
    subjects=some((*NAMED, *SOURCES)),
    signer=SIGNERS,
    repository=REPOSITORIES,
)


@st.composite
def piles(draw: st.DrawFn) -> list[Evidence]:
    """Return statements of all kinds, and approvals by somebody who saw some of them."""
    told = draw(st.lists(st.one_of(BUILDS, PROVENANCE), max_size=4))
    changes = draw(st.lists(st.sampled_from(STATES), min_size=1, unique=True))
    saw = draw(st.lists(st.sampled_from(told), max_size=2)) if told else []
    approval = a.sign_off(
        changes=tuple(changes),
        subjects=[
            *(change.digest for change in changes),
            *draw(some([a.RUNS, OTHER_IMAGE, *SOURCES])),
        ],
        saw=saw,
    )
    return [*told, approval]


def covers(approval: Evidence, pile: Collection[Evidence]) -> bool:
    """Tell by rule 7 alone whether an approval covers the object and its image."""
    claim = approval.claim
    assert isinstance(claim, SignOff)
    if STATES[0] not in claim.changes:
        return False
    if a.RUNS in approval.digests:
        return True
    ours = [
        (e, e.claim)
        for e in pile
        if e.signer == a.CI
        and isinstance(e.claim, Build | Provenance)
        and e.claim.repository == a.REPOSITORY
    ]
    made_of = {
        c.commit for e, c in ours if isinstance(c, Build) and a.RUNS in e.digests
    }
    for statement, said in ours:
        if isinstance(said, Build):
            speaks, source = a.RUNS in statement.digests, {said.commit}
        else:
            speaks = a.RUNS in statement.digests or said.range.target in made_of
            source = {d for d in statement.digests if d.algorithm != "sha256"}
        if speaks and (
            statement.statement in claim.inputs or source & approval.digests
        ):
            return True
    return False


PASSING_BY = a.provenance(target="app", subjects=[a.commit("other")])


@example(  # it names the commit of the build, and does not end there
    [
        PASSING_BY,
        a.build(target="other"),
        a.sign_off(subjects=[a.MANIFEST], saw=[PASSING_BY]),
    ]
)
@settings(max_examples=400, deadline=None)
@given(piles())
def test_a_pile_covers_what_its_lines_say(pile: list[Evidence]) -> None:
    """However it is put together."""
    verdict = a.decide(
        *pile,
        human=Treatment.SIGN_OFF,
        slots=(a.slot("senior", "deployer"),),
    )

    assert verdict.allowed == covers(pile[-1], pile)
