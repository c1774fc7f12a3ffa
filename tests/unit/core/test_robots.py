"""Trusted automation: whose word counts, for which addresses, and as far as which paths.

Each way to lend a robot's trust to something else was tried, and is denied.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.core.rules.authentic import authentic
from countersign.core.types.bound import BoundIntent
from countersign.core.types.evidence import (
    Assistance,
    CertificateClaims,
    Contributor,
    Evidence,
    Part,
    Touched,
)
from countersign.core.types.policy import Revoked, RevokedKind, Treatment
from countersign.core.types.verdict import DeclarationGap, Reason, Verdict, WordGap
from tests.support import a
from tests.support.robots import ADDRESS, INSIDE, RAN, SAN, SIGNER, made, robot, word

FORK = "https://git.acme.example/mallory/fork"
COPILOT = Contributor(Part.AUTHOR, "copilot@agents.example", agent=True)
KEY = a.key("versions", "vault")
BY_KEY: dict[str, Any] = {"issuer": "", "san": "", "trust_root": "keys", "key": KEY.key}


def decide(*evidence: Evidence, **given: Any) -> Verdict:
    """Judge by a policy with the robot, unless `given` says otherwise."""
    return a.decide(*evidence, **{"robots": (robot(),), **given})


def doubt(verdict: Verdict) -> DeclarationGap:
    """Return what is said of the one declaration."""
    facts = a.finding(verdict, Reason.DECLARATION_REJECTED).facts
    assert isinstance(facts, DeclarationGap)
    return facts


def test_its_own_word_makes_its_own_commits_human() -> None:
    """Told apart from persons in the basis."""
    (basis,) = decide(made(), word()).bases

    assert basis.declared_by == ("robot:versions",)
    assert basis.assistance is Assistance.HUMAN


def test_a_person_beside_it_declares_as_well() -> None:
    """Each for the own part: neither word is enough for both."""
    both = made(a.LEE)
    lee, machine = a.declaration(a.LEE, both), word(both)

    (basis,) = decide(both, lee, machine).bases
    assert basis.declared_by == ("lee", "robot:versions")
    for alone, silent in ((lee, ADDRESS), (machine, "lee@acme.example")):
        said = doubt(decide(both, alone))
        assert (said.gap, said.seen) == (WordGap.SILENT, silent)


@pytest.mark.parametrize(
    ("evidence", "gap"),
    [
        pytest.param(
            [p := made(paths=[INSIDE, "src/ledger.go"]), word(p)],
            WordGap.OUTSIDE,
            id="another path",
        ),
        pytest.param(
            [p := made(paths=None), word(p)], WordGap.UNTOLD, id="paths not told"
        ),
        pytest.param(
            [
                p := made(
                    touched=frozenset(
                        Touched(ADDRESS, frozenset({path}))
                        for path in (INSIDE, "src/ledger.go")
                    )
                ),
                word(p),
            ],
            WordGap.OUTSIDE,
            id="paths told in pieces",
        ),
        pytest.param(
            [p := made(touched=a.marked().claim.touched), word(p)],  # type: ignore[union-attr]
            WordGap.UNTOLD,
            id="somebody else's paths",
        ),
        pytest.param(
            [p := made(paths=["charts/../src/values.yaml"]), word(p)],
            WordGap.OUTSIDE,
            id="up and out",
        ),
        pytest.param(
            [p := made(paths=["charts/a/b/values.yaml"]), word(p)],
            WordGap.OUTSIDE,
            id="a star that crosses a slash",
        ),
        pytest.param(
            [p := made(paths=["Charts/ledger/values.yaml"]), word(p)],
            WordGap.OUTSIDE,
            id="another case",
        ),
        pytest.param([p := made(marked=True), word(p)], WordGap.MARKED, id="a mark"),
        pytest.param(
            [
                p := made(
                    contributors=frozenset({Contributor(Part.AUTHOR, ADDRESS), COPILOT})
                ),
                word(p),
            ],
            WordGap.MARKED,
            id="an assistant beside it",
        ),
        pytest.param(
            [
                p := made(
                    contributors=frozenset(
                        {Contributor(Part.AUTHOR, ADDRESS, agent=True)}
                    )
                ),
                word(p),
            ],
            WordGap.MARKED,
            id="an assistant under its address",
        ),
        pytest.param(
            [p := made(complete=False), word(p)], WordGap.PROVENANCE, id="incomplete"
        ),
        pytest.param(
            [p := made(base="unapproved"), word(p)], WordGap.PROVENANCE, id="no ground"
        ),
        pytest.param(
            [made(), word(made(base=None))], WordGap.ELSEWHERE, id="another range"
        ),
        pytest.param(
            [made(), word(subjects=[a.commit(a.HEAD), a.tree("x")])],
            WordGap.ELSEWHERE,
            id="another tree",
        ),
        pytest.param(
            [p := a.provenance(), word(p)], WordGap.NO_PART, id="a person's commits"
        ),
        pytest.param(
            [p := made(a.LEE), word(p)], WordGap.SILENT, id="committed by a person"
        ),
        pytest.param(
            [
                p := made(
                    contributors=frozenset(
                        {Contributor(Part.AUTHOR, ADDRESS), a.by(a.DANA, Part.PUSHER)}
                    )
                ),
                word(p),
            ],
            WordGap.SILENT,
            id="pushed by a person",
        ),
        pytest.param(
            [made(), word(signer=replace(SIGNER, san=SAN.replace("main", "evil")))],
            WordGap.UNKNOWN,
            id="its workflow on another branch",
        ),
        pytest.param(
            [made(), word(certificate=CertificateClaims(source_repository=FORK))],
            WordGap.UNKNOWN,
            id="run in a fork",
        ),
        pytest.param(
            [p := made(repository=FORK), word(p)],
            WordGap.FOREIGN,
            id="about a fork",
        ),
        pytest.param(
            [made(), a.declaration(a.LEE, made())],
            WordGap.NO_PART,
            id="a person for the robot",
        ),
        pytest.param(
            [p := made(signer=SIGNER), word(p)], WordGap.ALONE, id="its own collector"
        ),
    ],
)
def test_anything_else_is_not(evidence: list[Evidence], gap: WordGap) -> None:
    """Denied, and the denial says what is in the way."""
    verdict = decide(*evidence)

    assert not verdict.allowed
    assert doubt(verdict).gap is gap


def test_names_the_paths_that_are_outside() -> None:
    """A few of them: there may be thousands."""
    wide = made(paths=[INSIDE, *(f"src/{n}" for n in range(9))])

    assert doubt(decide(wide, word(wide))).seen == (
        "src/0, src/1, src/2, src/3, src/4 and 4 more"
    )


def test_each_of_several_robots_has_its_own_paths() -> None:
    """Together they cover a range only as each covers what is its own."""
    locks = "locks@acme.example"
    other = robot(
        **BY_KEY,
        name="locks",
        authors=frozenset({locks}),
        paths=("**/*.lock",),
    )

    def judged(*touched: tuple[str, str], also: bool = True) -> Verdict:
        parts = frozenset(Contributor(Part.AUTHOR, who) for who, _ in touched)
        told = frozenset(Touched(who, frozenset({path})) for who, path in touched)
        both = made(contributors=parts, touched=told)
        words = [word(both), *([a.declaration(about=both, signer=KEY)] * also)]
        return decide(both, *words, robots=(robot(), other))

    assert judged((ADDRESS, INSIDE), (locks, "a/b/x.lock")).allowed
    assert not judged((ADDRESS, INSIDE), (locks, "a/b/x.lock"), also=False).allowed
    assert not judged((ADDRESS, "x.lock"), (locks, "x.lock")).allowed
    assert not judged((ADDRESS, INSIDE), (locks, INSIDE)).allowed


def test_a_robot_of_a_key_may_be_bound_to_repositories() -> None:
    """No certificate says where it ran; the policy says what it may speak of."""
    spoken = a.declaration(about=made(), signer=KEY)

    def allowed(*homes: str) -> bool:
        mine = robot(**BY_KEY, source_repositories=homes)
        return decide(made(), spoken, robots=(mine,)).allowed

    assert allowed()
    assert allowed(FORK, f"git+{a.REPOSITORY}.git")
    assert not allowed(FORK)


@pytest.mark.parametrize(
    "withdrawn",
    [
        (RevokedKind.IDENTITY, SAN),
        (RevokedKind.BUNDLE, str(word().bundle)),
        (RevokedKind.COLLECTOR, "ci"),
    ],
)
def test_what_was_withdrawn_opens_nothing(withdrawn: tuple[RevokedKind, str]) -> None:
    """Neither its identity, nor its word, nor who confirmed it."""
    assert not decide(made(), word(), revoked=[Revoked(*withdrawn)]).allowed


def test_what_a_collector_saw_elsewhere_wins() -> None:
    """As for persons: the worse of two provenances."""
    assert not decide(made(), word(), adverse=[made(), a.marked(subjects=[])]).allowed


def test_a_policy_may_want_a_senior_all_the_same() -> None:
    """`human: signOff`."""
    verdict = decide(made(), word(), human=Treatment.SIGN_OFF)

    assert a.reasons(verdict) == {Reason.SLOT_OPEN}


def test_its_addresses_are_resolved_and_it_approves_nothing() -> None:
    """A senior signs what it may not; nobody has to be added for it."""
    wide = made(paths=["src/ledger.go"])
    signed = a.sign_off(saw=[wide])

    assert decide(wide, signed).allowed
    assert a.reasons(decide(wide, signed, robots=())) == {
        Reason.AUTHOR_UNRESOLVED,
        Reason.SLOT_OPEN,
    }
    assert not decide(wide, a.sign_off(saw=[wide], signer=SIGNER)).allowed


@pytest.mark.parametrize("part", [Part.COMMITTER, Part.OPENER, Part.REQUESTER])
def test_it_answers_for_no_assistant(part: Part) -> None:
    """Who asked an assistant is a person, or nobody knows who made it."""
    helped = a.marked(contributors=frozenset({COPILOT, Contributor(part, ADDRESS)}))

    verdict = decide(helped, a.sign_off(saw=[helped]))

    assert Reason.AUTHOR_UNRESOLVED in a.reasons(verdict)


def test_children_follow_what_it_stands_for() -> None:
    """And only as far as it may stand for it."""

    def stands(*evidence: Evidence, **given: Any) -> bool:
        return authentic(
            a.policy(**{"robots": (robot(),), **given}),
            a.OBJECT,
            frozenset({BoundIntent(a.MANIFEST)}),
            evidence,
            cluster=a.CLUSTER,
        )

    wide = made(paths=["src/ledger.go"])
    assert stands(made(), word())
    assert not stands(made())
    assert not stands(made(), word(), robots=())
    assert not stands(wide, word(wide))
    assert not stands(made(a.LEE), word(made(a.LEE)))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/x",
        "./a",
        "a/",
        "a//b",
        "a/./b",
        "../a",
        "a\\b",
        "a\nb",
        "a**",
        "**",
        "*",
        "*/**",
        "**b/c",
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(path: str) -> None:
    """A limit that is none, or that never fits, is found when it is written."""
    with pytest.raises(Malformed):
        robot(paths=(path,))


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("charts/**", "charts/a/b", True),
        ("charts/**", "charts", False),
        ("charts/**", "charts/a/../../src", False),
        ("charts/**", "chartsx/a", False),
        ("**/values.yaml", "values.yaml", True),
        ("**/values.yaml", "a/b/values.yaml", True),
        ("**/values.yaml", "a/b/xvalues.yaml", False),
        ("a/**/b/**/c", "a/b/b/c", True),
        ("caf\u00e9/*", "cafe\u0301/x", False),
        ("a.b/*", "axb/c", False),
        ("a/*", "a/.b", True),
        ("a/*", "./a/b", False),
    ],
)
def test_paths_are_taken_as_they_are_written(
    pattern: str, path: str, *, fits: bool
) -> None:
    """No folding, no way up, no star across a folder."""
    assert robot(paths=(pattern,)).may_touch(path) is fits


_parts = st.lists(
    st.sampled_from(["a", "b", "ab", "a*", "*b", "*", "**"]), min_size=1, max_size=4
)


@given(
    _parts, st.lists(st.sampled_from(["a", "b", "ab", "ba"]), min_size=1, max_size=4)
)
def test_more_stars_never_fit_less(parts: list[str], names: list[str]) -> None:
    """A pattern with a star in the place of a part fits whatever the part fitted.

    Caught: a ``**`` that stood for one folder at least.
    """
    path = "/".join(names)

    def fits(pattern: list[str]) -> bool:
        return robot(paths=("/".join([*pattern, "b"]),)).may_touch(f"{path}/b")

    for at, part in enumerate(parts):
        if part != "**":
            wider = [*parts[:at], "*", *parts[at + 1 :]]
            assert (
                fits(parts)
                <= fits(wider)
                <= fits([*parts[:at], "**", *parts[at + 1 :]])
            )


def test_nobody_confirms_his_own_word() -> None:
    """A collector's pattern may take in a robot's workflow."""
    wide = a.collector(san=SAN.replace("versions", "*"))
    alone = made(signer=SIGNER)

    assert decide(made(), word(), collectors=(a.collector(), wide)).allowed
    assert not decide(alone, word(alone), collectors=(a.collector(), wide)).allowed


def test_a_robot_of_two_repositories_speaks_of_the_one_it_ran_in() -> None:
    """Its workflow in one may be of somebody else than in the other."""
    both = (robot(source_repositories=(a.REPOSITORY, FORK)),)
    elsewhere = word(certificate=CertificateClaims(source_repository=FORK))

    assert decide(made(), word(), robots=both).allowed
    verdict = decide(made(), elsewhere, robots=both)
    assert not verdict.allowed
    assert doubt(verdict).gap is WordGap.FOREIGN


def test_a_certificate_is_what_says_where_it_ran() -> None:
    """Without one, a certificate's identity is nobody's."""
    assert not decide(made(), word(certificate=None)).allowed
    assert decide(made(), word(certificate=RAN)).allowed


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [({"authors": frozenset()}, "addresses"), ({"paths": ()}, "paths")],
    ids=["authors", "paths"],
)
def test_automation_is_somebody_and_limited(
    fields: dict[str, Any], lacking: str
) -> None:
    """Without addresses it is nobody's, without paths it may touch all."""
    with pytest.raises(Malformed, match=f"expected .*{lacking}"):
        robot(**fields)
