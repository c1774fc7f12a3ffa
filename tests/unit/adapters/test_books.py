"""What is stored becomes what is in force; what cannot be read opens nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from countersign.adapters.books import Books, bind_books, observe
from countersign.adapters.policy_files import PolicyFiles
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.policy import RevokedKind
from countersign.telemetry import POLICIES, TRUST_ROOT_EXPIRY
from tests.support import resources as stored
from tools.sigstore import VirtualSigstore

Tree = dict[str, Any]


def bound(*trees: Tree) -> Books:
    """Bind these objects."""
    return bind_books(
        lambda kind: [tree for tree in trees if tree["kind"] == kind.name],
        ("payments",),
    )


WHOLE = (
    stored.policy(),
    stored.roster(),
    stored.sigstore_root(),
    stored.revocation({"kind": "key", "value": "lost"}),
)


def test_binds_policies_with_what_they_name() -> None:
    """Everything valid is in force."""
    books = bound(*WHOLE)

    (policy,) = books.policies.policies
    (revoked,) = books.policies.revocations
    assert policy.roster.name == "platform"
    assert revoked.kind is RevokedKind.KEY
    assert [root.name for root in books.roots] == ["public-good"]
    assert books.policies.protected == ("payments",)
    assert not books.policies.invalid
    assert not books.problems


def test_sorts_by_name_whatever_the_order_of_the_server() -> None:
    """So that a denial is the same each time."""
    trees = [stored.policy(name) for name in ("b", "a", "c")]

    books = bound(*trees, *WHOLE[1:])

    assert [policy.name for policy in books.policies.policies] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("spoilt", "problem"),
    [
        pytest.param(
            (stored.roster(stored.person(), stored.person()), *WHOLE[2:]),
            "spec.roster: no Roster 'platform'",
            id="a roster that cannot be read",
        ),
        pytest.param(
            (stored.roster(), stored.trust_root("public-good", sigstore={})),
            "no TrustRoot 'public-good'",
            id="a trust root that cannot be read",
        ),
        pytest.param((), "spec.provenance: no TrustRoot", id="nothing at all"),
    ],
)
def test_what_a_policy_names_must_be_readable(
    spoilt: tuple[Tree, ...], problem: str
) -> None:
    """Else the policy is invalid, and denies what it would have matched."""
    books = bound(stored.policy(), *spoilt)

    (invalid,) = books.policies.invalid
    assert not books.policies.policies
    assert problem in "; ".join(invalid.problems)
    assert invalid.scope is not None
    assert invalid.scope.namespaces == ("payments",)


def test_no_assistant_is_a_robot() -> None:
    """What the registry knows as one is never human, whoever signs for it."""
    copilot = "198982749+Copilot@users.noreply.github.com"
    provenance = {
        "collectors": [stored.collector()],
        "robots": [stored.robot(authors=[copilot])],
    }
    books = bound(stored.policy(provenance=provenance), *WHOLE[1:])

    (invalid,) = books.policies.invalid
    assert "expected no assistant's address" in "; ".join(invalid.problems)


def test_a_revocation_that_cannot_be_read_denies_everything_protected() -> None:
    """Nobody can say what it was to withdraw."""
    lost = stored.revocation({"kind": "peron", "value": "dana"})

    books = bound(*WHOLE[:3], lost)

    (invalid,) = books.policies.invalid
    assert invalid.name == "Revocation/lost"
    assert invalid.scope is None
    assert [policy.name for policy in books.policies.policies] == ["payments"]


def test_one_invalid_policy_leaves_the_others_in_force() -> None:
    """Each is judged by itself."""
    books = bound(stored.policy("bad", signOf={}), *WHOLE)

    assert [policy.name for policy in books.policies.policies] == ["payments"]
    assert [policy.name for policy in books.policies.invalid] == ["bad"]


class TestExpiry:
    """When trust ends is a metric; what it rests on must be readable."""

    def test_is_the_last_end_of_what_signs(self) -> None:
        """Of several keys the last; a key without end never ends."""
        pem = stored.public_pem()
        ends = ("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z")
        keys = [
            {"name": f"k{n}", "pem": pem, "valid": {"until": end}}
            for n, end in enumerate(ends)
        ]
        forever = [*keys, {"name": "forever", "pem": pem}]

        books = bound(
            stored.trust_root("ends", keys=keys), stored.trust_root("not", keys=forever)
        )
        observe(books)

        assert books.expiry == {"ends": datetime(2028, 1, 1, tzinfo=UTC), "not": None}
        (told,) = TRUST_ROOT_EXPIRY.collect()
        values = {s.labels["trust_root"]: s.value for s in told.samples}
        assert values == {"ends": 1830297600.0, "not": float("inf")}

    def test_is_that_of_the_certificate_authority(self) -> None:
        """The window of a trusted root, or the certificates, whichever is first."""
        material: Any = VirtualSigstore().trusted_root()
        tree = stored.trust_root("public", sigstore=material)
        first = bound(tree).expiry["public"]
        assert first is not None

        for authority in material["certificateAuthorities"]:
            authority["validFor"]["end"] = "2027-01-01T00:00:00Z"

        assert bound(tree).expiry == {"public": datetime(2027, 1, 1, tzinfo=UTC)}

    def test_garbage_is_no_trust_root(self) -> None:
        """It would be found out at the first signature, when it is late."""
        tree = stored.sigstore_root()
        tree["spec"]["sigstore"]["certificateAuthorities"] = [
            {
                "validFor": {"start": "2026-01-01T00:00:00Z"},
                "certChain": {"certificates": [{"rawBytes": "AAAA"}]},
            }
        ]

        books = bound(tree)

        assert books.roots == ()
        assert "spec.sigstore" in books.problems[0].problems[0]


class TestPolicyFiles:
    """The same books from a folder."""

    @pytest.fixture(name="folder")
    def _folder(self, tmp_path: Path) -> Path:
        policy, *rest = WHOLE
        (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy))
        deeper = tmp_path / "people"
        deeper.mkdir()
        (deeper / "rest.yml").write_text(yaml.safe_dump_all(rest))
        (tmp_path / "notes.txt").write_text("{not yaml")
        (tmp_path / "app.yaml").write_text("kind: ConfigMap\napiVersion: v1\n")
        return tmp_path

    def test_gives_what_a_cluster_would(self, folder: Path) -> None:
        """Subfolders, several documents; other objects and files passed over."""
        files = PolicyFiles(folder, protected=("payments",))

        assert files.snapshot() == bound(*WHOLE).policies
        assert files.roots() == bound(*WHOLE).roots
        assert POLICIES.labels("valid").collect()

    def test_the_same_evidence_may_lie_in_two_namespaces(self, folder: Path) -> None:
        """A BundleSet is named by what is in it. In one namespace it stands once.

        Seen to fail with names alone.
        """
        beside = [
            {
                "apiVersion": "countersign.dev/v1alpha1",
                "kind": "BundleSet",
                "metadata": {"name": "sign-off-0", "namespace": namespace},
            }
            for namespace in ("payments", "orders")
        ]
        file, before = folder / "evidence.yaml", PolicyFiles(folder).snapshot()
        file.write_text(yaml.safe_dump_all(beside))

        assert PolicyFiles(folder).snapshot() == before
        file.write_text(yaml.safe_dump_all([*beside, beside[0]]))
        with pytest.raises(Malformed, match="twice: BundleSet/sign-off-0"):
            PolicyFiles(folder)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            pytest.param("- {", "expected YAML", id="no YAML"),
            pytest.param(
                yaml.safe_dump(WHOLE[0]),
                "saw twice: ProtectionPolicy/payments",
                id="twice",
            ),
            pytest.param(
                "apiVersion: countersign.dev/v1alpha1\nkind: ProtectionPolcy\n",
                "saw 'ProtectionPolcy'",
                id="a misspelt kind",
            ),
            pytest.param("a: 1\na: 2\n", "more.yaml", id="a key twice"),
        ],
    )
    def test_refuses_what_may_be_the_policy_that_matters(
        self, folder: Path, content: str, problem: str
    ) -> None:
        """Passing it over would ask for less."""
        (folder / "more.yaml").write_text(content)

        with pytest.raises(Malformed, match=problem):
            PolicyFiles(folder)

    def test_a_policy_of_another_version_is_invalid_not_absent(
        self, folder: Path
    ) -> None:
        """It still denies what it would have matched."""
        later = {**stored.policy("later"), "apiVersion": "countersign.dev/v1"}
        (folder / "later.yaml").write_text(yaml.safe_dump(later))

        snapshot = PolicyFiles(folder).snapshot()

        assert [policy.name for policy in snapshot.invalid] == ["later"]

    def test_a_folder_without_policies_is_no_folder_of_policies(
        self, tmp_path: Path
    ) -> None:
        """A wrong path must not judge as if nothing were asked."""
        with pytest.raises(Malformed, match="saw none"):
            PolicyFiles(tmp_path)
        with pytest.raises(Unavailable, match="expected a folder"):
            PolicyFiles(tmp_path / "nowhere")
