"""What speaks of one state, among all that was ever said of an object."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from countersign.core.types.artifacts import Digest, ObjectRef
from countersign.core.types.change import (
    Access,
    Change,
    Deletion,
    NamespaceWindow,
    Operation,
)
from countersign.core.types.evidence import Assistance, Evidence
from countersign.usecases.concerning import Spoken, State, concerning
from tests.support import a

OLD, NEXT = a.digest("an older state"), a.digest("an image to come")
HERE = State(intents=frozenset({a.MANIFEST}), images=frozenset({NEXT}))
UID = Deletion(object=a.OBJECT, uid="one")
POD = ObjectRef("", "Pod", "payments", "pod")
EXEC = Access(object=POD, uid="1", subresource="exec", operation=Operation.CONNECT)


def said(one: Evidence, *sets: str, given: bool = False) -> Spoken:
    """Return evidence as something that was said, in sets of these names."""
    return Spoken(
        digests=one.digests,
        claim=one.claim,
        signer=one.signer,
        sets=frozenset(sets),
        given=given,
    )


def kept(state: State, *spoken: Spoken) -> list[int]:
    """Return the places of what concerns `state`; the order must not matter."""
    found = concerning(spoken, state)
    assert concerning(spoken[::-1], state) == found[::-1]
    return [n for n, keep in enumerate(found) if keep]


def release(n: int) -> list[Spoken]:
    """Return the evidence of one of many releases, in a set of its own."""
    state = a.digest(f"state {n}")
    made = a.provenance(base=f"{n}", target=f"{n + 1}", subjects=[state, a.RUNS])
    word = a.sign_off(changes=(a.state(intent=state),), saw=[made])
    return [said(made, f"set-{n}"), said(word, f"set-{n}")]


@pytest.mark.parametrize("before", [0, 1, 10, 100])
def test_earlier_releases_are_left_aside(before: int) -> None:
    """However many: of the same object, images and repository, each on the last."""
    past = [one for n in range(before) for one in release(n)]
    state = State(intents=frozenset({a.digest(f"state {before}")}))

    assert kept(state, *release(before), *past) == [0, 1]


@pytest.mark.parametrize(
    ("one", "concerns"),
    [
        pytest.param(a.provenance(), True, id="provenance of its intent"),
        pytest.param(a.provenance(subjects=[NEXT]), True, id="of a new image"),
        pytest.param(
            a.provenance(subjects=[OLD, a.RUNS]), False, id="of another state"
        ),
        pytest.param(a.sign_off(), True, id="a signature on it"),
        pytest.param(a.rejection(), True, id="a rejection of it"),
        pytest.param(
            a.sign_off(changes=(a.state(intent=OLD),), subjects=[OLD, NEXT]),
            False,
            id="a signature on another state with that image",
        ),
        pytest.param(a.sign_off(changes=(UID,)), False, id="a removal"),
    ],
)
def test_what_names_it_concerns_it(one: Evidence, *, concerns: bool) -> None:
    """The intent, or an image that it newly runs."""
    assert kept(HERE, said(one)) == ([0] if concerns else [])


def test_what_was_given_is_kept() -> None:
    """Whatever it names: somebody put it there."""
    other = a.provenance(subjects=[OLD])
    assert kept(HERE, said(other, given=True), said(other)) == [0]


@pytest.mark.parametrize(
    ("deed", "other"),
    [
        pytest.param(UID, Deletion(object=a.OBJECT, uid="two"), id="a removal"),
        pytest.param(
            EXEC,
            Access(object=POD, uid="1", subresource="attach", operation=EXEC.operation),
            id="an access",
        ),
        pytest.param(
            NamespaceWindow(namespace="payments"),
            NamespaceWindow(namespace="ledger"),
            id="a window",
        ),
    ],
)
def test_a_deed_has_what_names_it(deed: Change, other: Change) -> None:
    """Of how the object came to be nothing is asked."""
    words = [a.sign_off(changes=(one,)) for one in (deed, other, a.state())]
    state = State(deeds=(deed,))

    assert kept(state, *map(said, words), said(a.provenance())) == [0]


def test_words_about_its_source_come_along() -> None:
    """Declarations, and sign-offs of where its range begins."""
    made = a.provenance(base="b", target="t")
    ground = a.sign_off(changes=(), subjects=[a.commit("b")])
    elsewhere = a.sign_off(changes=(), subjects=[a.commit("x")])
    other = a.provenance(base="x", target="y")
    words = [a.declaration(about=made), ground, elsewhere, a.declaration(about=other)]

    assert kept(HERE, said(made), *map(said, words)) == [0, 1, 2]


def test_parts_of_a_range_come_along_within_their_set() -> None:
    """Not so the range before it, that another release was made of."""
    last = said(a.provenance(base="b", target="c"), "new")
    part = said(a.provenance(base="a", target="b", subjects=[OLD]), "new")
    first = said(a.provenance(base="0", target="a", subjects=[OLD]), "new")
    before = said(a.provenance(base="0", target="b", subjects=[OLD]), "old")

    assert kept(HERE, last, part, first, before) == [0, 1, 2]


def test_what_says_worse_of_the_same_commit_must_be_seen() -> None:
    """Of tools, assistance, people and gaps; but not the same once more."""
    made = said(a.provenance())
    again = said(a.provenance(subjects=[OLD]))
    worse = said(a.marked(subjects=[OLD]))
    others = [
        a.provenance(a.DANA, subjects=[OLD]),
        a.provenance(complete=False, subjects=[OLD]),
    ]

    assert kept(HERE, made, again, worse) == [0, 2]
    for one in others:
        assert kept(HERE, made, again, said(one)) == [0, 2]


def test_a_stranger_hides_nothing_that_a_collector_saw() -> None:
    """By saying even worse things."""
    loud = a.marked(
        subjects=[OLD], signer=a.STRANGER, assistance=Assistance.AI, tools=("z 1",)
    )
    spoken = [said(one) for one in (a.provenance(), a.marked(subjects=[OLD]), loud)]

    assert kept(HERE, *spoken) == [0, 1, 2]


def test_before_anything_is_proven_nothing_hides_behind_worse() -> None:
    """Junk may claim the worst; whoever judges hears all that names the commit."""
    spoken = [
        said(one)
        for one in (
            a.provenance(),
            a.marked(subjects=[OLD], assistance=Assistance.AI),
            a.marked(subjects=[a.digest("another")]),
            a.provenance(target="x", subjects=[OLD]),
        )
    ]

    assert concerning(spoken, HERE, judging=True) == (True, True, True, False)


def test_images_that_stay_have_what_came_with_the_state() -> None:
    """And not what was said of them with every other one."""
    state = replace(HERE, around=frozenset({a.RUNS}))
    built = a.provenance(target="image", subjects=[a.RUNS])
    here = [said(a.sign_off(), "new"), said(built, "new")]

    assert kept(state, *here, said(built, "old")) == [0, 1]
    assert kept(HERE, *here, said(built, "old")) == [0]


def test_worse_words_about_one_commit_do_not_pile_up() -> None:
    """A hundred releases of the same commit say it once."""
    made = said(a.marked())
    past: Iterable[Digest] = (a.digest(f"{n}") for n in range(100))

    assert kept(HERE, made, *(said(a.marked(subjects=[one])) for one in past)) == [0]


class TestBuilds:
    """An image's builders, and what is said of the commits that they name."""

    BUILD = a.build(NEXT, target="app")
    SOURCE = a.provenance(target="app", subjects=[])

    def test_provenance_of_its_commit_concerns_an_image(self) -> None:
        """And words about that: a declaration, an approval of the source."""
        word = a.declaration(about=self.SOURCE)
        source = a.sign_off(changes=(), subjects=[a.commit("app")])
        said_all = [said(e) for e in (self.BUILD, self.SOURCE, word, source)]

        assert kept(HERE, *said_all) == [0, 1, 2, 3]

    def test_what_is_of_another_image_or_commit_does_not(self) -> None:
        """Earlier releases are built too."""
        others = [
            a.build(a.RUNS, target="app"),
            a.provenance(target="other", subjects=[]),
        ]

        assert kept(HERE, said(self.BUILD), *map(said, others)) == [0]

    def test_an_approval_of_the_commit_needs_no_provenance(self) -> None:
        """The build alone links it."""
        source = a.sign_off(changes=(), subjects=[a.commit("app")])

        assert kept(HERE, said(self.BUILD), said(source)) == [0, 1]

    def test_builds_of_images_that_run_anyway_count_in_their_set(self) -> None:
        """The next range may begin at what they are of."""
        around = State(intents=frozenset({a.MANIFEST}), around=frozenset({a.RUNS}))
        spoken = [
            said(a.provenance(subjects=[a.MANIFEST]), "one"),
            said(a.build(a.RUNS, target="app"), "one"),
            said(self.SOURCE, "one"),
            said(a.build(a.RUNS, target="else"), "two"),
        ]

        assert kept(around, *spoken) == [0, 1, 2]
