"""Illegal states do not construct."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, GroupKind, ObjectRef
from countersign.core.types.attestors import Attestor
from countersign.core.types.change import Elastic
from countersign.core.types.evidence import Assistance, Emergency, Lines
from countersign.core.types.globs import glob
from countersign.core.types.people import Roster
from countersign.core.types.policy import (
    Enforcement,
    QuestionSet,
    Scope,
    Slot,
    TraceDemand,
    Treatment,
    any_names,
)
from countersign.core.types.request import Resource
from countersign.core.types.time import ALWAYS, Interval
from countersign.core.types.trust import TrustedKey, TrustRoot, TsaOnly
from countersign.core.types.verdict import Basis, Door, Verdict
from tests.support import a

NAIVE = datetime(2026, 11, 22, 12)  # noqa: DTZ001 - that is the point
KEY = TrustedKey("dana", b"pem")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Digest(Algorithm.SHA256, "ab"), id="a short digest"),
        pytest.param(
            lambda: Digest(Algorithm.SHA256, "A" * 64), id="an upper-case digest"
        ),
        pytest.param(
            lambda: Digest.parse("md5:" + "a" * 32), id="an unknown algorithm"
        ),
        pytest.param(lambda: Interval(a.NOON, a.NOON - a.DAY), id="a span backwards"),
        pytest.param(lambda: Interval(NAIVE), id="a start without zone"),
        pytest.param(lambda: Interval(None, NAIVE), id="an end without zone"),
        pytest.param(
            lambda: a.sign_off(reviewed_on=NAIVE, validity=ALWAYS), id="review"
        ),
        pytest.param(lambda: a.sign_off(started_on=NAIVE), id="its start"),
        pytest.param(lambda: a.sign_off(restore_until=NAIVE), id="a return"),
        pytest.param(lambda: replace(a.sign_off(), signed_at=NAIVE), id="a stamp"),
        pytest.param(
            lambda: a.declaration(declared_on=NAIVE),
            id="a declaration",
        ),
        pytest.param(lambda: Emergency("INC", "!", NAIVE), id="a due date"),
        pytest.param(
            lambda: replace(a.sign_off(), subjects=frozenset()), id="no subjects"
        ),
        pytest.param(
            lambda: a.provenance(assistance=Assistance.HUMAN), id="a claim of human"
        ),
        pytest.param(lambda: Elastic("spec", 1, 2), id="no JSON pointer"),
        pytest.param(lambda: Elastic("/spec", 2, 1), id="empty bounds"),
        pytest.param(lambda: Elastic("/spec", -1, 1), id="negative bounds"),
        pytest.param(lambda: Roster("r", (a.DANA, a.DANA)), id="a person twice"),
        pytest.param(
            lambda: Roster("r", (a.DANA, replace(a.DANA, id="x"))), id="shared keys"
        ),
        pytest.param(lambda: Scope(namespaces=()), id="a scope of nothing"),
        pytest.param(lambda: Attestor(name="x", trust_root="y"), id="nobody"),
        pytest.param(lambda: a.collector(key="both"), id="key and issuer"),
        pytest.param(lambda: a.collector(san=""), id="an issuer for all"),
        pytest.param(
            lambda: a.collector(source_repositories=()), id="for any repository"
        ),
        pytest.param(lambda: Slot(role=""), id="a slot for anybody"),
        pytest.param(lambda: QuestionSet("u", a.digest("q"), ()), id="no questions"),
        pytest.param(lambda: TraceDemand("T", "("), id="a broken pattern"),
        pytest.param(lambda: a.policy(unknown=Treatment.ADMIT), id="silence admits"),
        pytest.param(lambda: a.policy(ai=Treatment.ADMIT), id="AI admits"),
        pytest.param(lambda: a.policy(human=Treatment.DENY), id="nothing ever admits"),
        pytest.param(lambda: a.policy(slots=()), id="sign-offs by nobody"),
        pytest.param(lambda: a.policy(collectors=()), id="of makers nobody names"),
        pytest.param(
            lambda: TrustRoot(name="r", digest=a.digest("r")), id="trust in nothing"
        ),
        pytest.param(
            lambda: TrustRoot(
                name="r",
                digest=a.digest("r"),
                sigstore=b"{}",
                tsa_only=TsaOnly(certificate_chain=b"", tsa_chain=b""),
            ),
            id="two sets of authorities",
        ),
        pytest.param(
            lambda: TrustRoot(name="r", digest=a.digest("r"), keys=(KEY, KEY)),
            id="a key's name twice",
        ),
        pytest.param(lambda: Verdict.of((), ()), id="a verdict of nothing"),
        pytest.param(
            lambda: Verdict(
                bases=(Basis(policy="p", door=Door.SIGNED),), findings=(), outside=True
            ),
            id="a basis outside",
        ),
    ],
)
def test_does_not_construct(make: Callable[[], Any]) -> None:
    """Nobody has to check again."""
    with pytest.raises(Malformed):
        make()


def test_a_digest_is_written_as_it_is_read() -> None:
    """Both ways."""
    digest = a.commit("x")

    assert Digest.parse(str(digest)) == digest


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (a.OBJECT, "payments/Deployment/ledger"),
        (ObjectRef("", "Namespace", "", "payments"), "Namespace/payments"),
        (ObjectRef("batch", "Job", "p", "", "run-"), "p/Job/run-*"),
    ],
)
def test_an_object_is_written_by_what_it_is(ref: ObjectRef, text: str) -> None:
    """Namespace, kind and name."""
    assert str(ref) == text


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (Resource("apps", "v1", "deployments", "scale"), "deployments.apps/scale"),
        (Resource("", "v1", "pods"), "pods"),
    ],
)
def test_a_resource_is_written_as_kubectl_does(resource: Resource, text: str) -> None:
    """Group and subresource where there are any."""
    assert str(resource) == text


@pytest.mark.parametrize(
    ("pattern", "stop", "text", "matches"),
    [
        ("a*c", "", "abbc", True),
        ("a*", "/", "a/b", False),
        ("a.c", "", "abc", False),
        ("*", "@", "", True),
        ("[ab]", "", "a", False),
        ("**a*", "", "ba", True),
        ("*a*a", "", "aba", True),
        ("*ab*b", "", "aab", False),
        ("*a/*b", "/", "ba/b/b", False),
    ],
)
def test_a_star_is_the_only_wildcard(
    pattern: str, stop: str, text: str, *, matches: bool
) -> None:
    """And it stops where it must."""
    assert bool(glob(pattern, stop).fullmatch(text)) is matches


@pytest.mark.parametrize("pattern", ["pay", "pay*", "*", "p.y", "[p]ay"])
@pytest.mark.parametrize("namespace", ["pay", "payments", "", "p.y", "pay\n"])
def test_a_name_among_patterns_is_only_itself(pattern: str, namespace: str) -> None:
    """Found without a pattern, as if it were one."""
    expected = bool(glob(pattern, "").fullmatch(namespace))

    assert any_names((pattern,), namespace) is expected
    assert any_names(("other", pattern), namespace) is expected


def test_many_stars_are_no_slower_than_one() -> None:
    """Each part is found once; else this would take longer than anybody waits."""
    assert not glob("*a" * 30, "/").fullmatch("a" * 255 + "b")


@pytest.mark.parametrize(
    ("kind", "namespace", "holds"),
    [
        (GroupKind("apps", "Deployment"), "payments", True),
        (GroupKind("apps", "Deployment"), "ledger-eu", True),
        (GroupKind("apps", "Deployment"), "sandbox", False),
        (GroupKind("coordination.k8s.io", "Lease"), "payments", False),
        (GroupKind("rbac.authorization.k8s.io", "ClusterRole"), "", True),
        (GroupKind("", "Node"), "", False),
    ],
)
def test_a_scope_holds_by_name_or_kind(
    kind: GroupKind, namespace: str, *, holds: bool
) -> None:
    """Never by label."""
    scope = Scope(
        namespaces=("payments", "ledger-*"),
        exclude=frozenset({GroupKind("coordination.k8s.io", "Lease")}),
        cluster_scoped=frozenset(
            {GroupKind("rbac.authorization.k8s.io", "ClusterRole")}
        ),
    )

    assert scope.holds(kind, namespace) is holds


class TestAttestor:
    """Whose signature is a collector's."""

    @pytest.mark.parametrize(
        ("pins", "made"),
        [
            pytest.param({}, True, id="as it is"),
            pytest.param({"issuer": "https://other"}, False, id="another issuer"),
            pytest.param(
                {"san": a.CI_SAN.replace("main", "x")}, False, id="another SAN"
            ),
            pytest.param(
                {"san": a.CI_SAN.replace("provenance", "*")}, True, id="a pattern"
            ),
            pytest.param({"san": "*"}, False, id="a star crosses no slash"),
            pytest.param({"trust_root": "other"}, False, id="another trust root"),
            pytest.param(
                {"source_repositories": ("https://x",)}, False, id="another repository"
            ),
            pytest.param({"refs": ("refs/heads/main",)}, False, id="a ref it lacks"),
            pytest.param({"triggers": ("push",)}, False, id="a trigger it lacks"),
            pytest.param(
                {"runner_environments": ("hosted",)}, False, id="a runner it lacks"
            ),
        ],
    )
    def test_is_pinned(self, pins: dict[str, Any], *, made: bool) -> None:
        """To what the certificate says."""
        assert a.collector(**pins).made(a.provenance()) is made

    def test_by_certificate_did_not_sign_with_a_key(self) -> None:
        """Nor the other way round."""
        key = Attestor(name="k", trust_root="keys", key="ci")

        assert not a.collector().made(a.provenance(signer=a.key("ci", "x")))
        assert not key.made(a.provenance())

    def test_needs_to_know_what_the_certificate_says(self) -> None:
        """A certificate without claims is pinned to nothing."""
        assert not a.collector().made(replace(a.provenance(), certificate=None))


def test_open_verdicts() -> None:
    """Outside is a name of its own, never the empty value."""
    outside = Verdict.out_of_scope()

    assert outside.allowed
    assert outside.outside


def test_small_things() -> None:
    """What people read of them."""
    assert Lines(1, 2, 3).total == 6
    assert Assistance.MIXED.label == "mixed"
    assert Interval(None, a.NOON).holds(a.NOON)
    assert not Interval(a.NOON + timedelta(seconds=1), None).holds(a.NOON)
    assert TrustRoot(name="r", digest=a.digest("r"), keys=(KEY,)).keys == (KEY,)
    assert a.policy(enforcement=Enforcement.WARN).enforcement == "warn"
    assert list(Roster("r", (a.DANA,))) == [a.DANA]
