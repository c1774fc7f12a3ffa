"""Rosters, trust roots, revocations, bundle sets: strict where a slip would weaken."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from countersign.core.types.people import Alias, AliasKind, KeyIdentity
from countersign.core.types.policy import RevokedKind as Kind
from countersign.core.types.trust import TsaOnly
from countersign.wire.resources import objects
from countersign.wire.resources.kinds import KINDS
from countersign.wire.resources.read import Invalid
from tests.support import resources as stored
from tests.support.sigstore import shared

PEM_PRIVATE = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n"
CHAIN = shared().ca.root.public_bytes(Encoding.PEM).decode()


class TestRoster:
    """Roster."""

    def test_becomes_persons(self) -> None:
        """Identities, aliases, roles and time arrive in the law."""
        entry = stored.person(
            roles=[{"name": "senior", "namespaces": ["payments"]}],
            qualifications=[{"name": "DO-178C", "until": "2027-06-30T00:00:00Z"}],
            valid={"from": "2025-01-01T00:00:00+01:00", "until": None},
        )
        entry["aliases"]["git"] = ["Dana@Acme.Example"]

        (dana,) = objects.roster(stored.roster(entry))

        assert dana.valid.start == datetime(2024, 12, 31, 23, tzinfo=UTC)
        assert dana.valid.end is None
        assert KeyIdentity("local-keys", "dana") in dana.identities
        assert Alias(AliasKind.GIT, "dana@acme.example") in dana.aliases
        assert dana.has_role("senior", "payments")
        assert not dana.has_role("senior", "ledger")

    @pytest.mark.parametrize(
        "persons",
        [
            pytest.param([stored.person(), stored.person()], id="an id twice"),
            pytest.param(
                [
                    stored.person(),
                    stored.person("ravi", identities=stored.person()["identities"]),
                ],
                id="an identity twice",
            ),
            pytest.param(
                [
                    stored.person(),
                    stored.person("ravi", aliases={"git": ["DANA@acme.example"]}),
                ],
                id="an alias twice, but for its case",
            ),
            pytest.param(
                [
                    stored.person(
                        valid={
                            "from": "2026-01-01T00:00:00Z",
                            "until": "2025-01-01T00:00:00Z",
                        }
                    )
                ],
                id="a person whose time ends before it starts",
            ),
            pytest.param(
                [stored.person(identities=[{"issuer": "i", "san": "*@acme.example"}])],
                id="an identity that is many people",
            ),
            pytest.param(
                [stored.person(roles=[{"name": "senior", "namespaces": ["pay-*"]}])],
                id="a pattern for a namespace",
            ),
            pytest.param(
                [stored.person(valid={"until": 1700000000})], id="a number for a time"
            ),
            pytest.param(
                [stored.person(valid={"until": "2026-02-30T00:00:00Z"})],
                id="a day that does not exist",
            ),
            pytest.param([], id="nobody"),
        ],
    )
    def test_refuses(self, persons: list[dict[str, Any]]) -> None:
        """What cannot be meant is refused, and the problem says where."""
        tree = stored.stored("Roster", "platform", {"persons": persons})

        with pytest.raises(Invalid):
            objects.roster(tree)


class TestTrustRoot:
    """TrustRoot."""

    def test_keeps_its_material(self) -> None:
        """The prover gets what the object says."""
        pem = stored.public_pem()

        root = objects.trust_root(stored.trust_root(keys=[{"name": "ci", "pem": pem}]))

        assert [(key.name, key.pem) for key in root.keys] == [("ci", pem.encode())]
        assert root.sigstore is None

    def test_has_another_digest_for_other_material(self) -> None:
        """The digest is part of every cache key."""
        assert (
            objects.trust_root(stored.trust_root()).digest
            != objects.trust_root(stored.trust_root()).digest
        )

    def test_has_another_digest_for_another_time(self) -> None:
        """A key that was retired must not be remembered as trusted."""
        pem = stored.public_pem()
        until = {"valid": {"until": "2026-12-01T00:00:00Z"}}
        open_end, retired = (
            objects.trust_root(
                stored.trust_root(keys=[{"name": "k", "pem": pem, **valid}])
            )
            for valid in ({}, until)
        )

        assert open_end.digest != retired.digest

    def test_has_the_same_digest_for_the_same_material(self) -> None:
        """The order of keys is no material."""
        tree = stored.trust_root()
        reordered = copy.deepcopy(tree)
        (key,) = reordered["spec"]["keys"]
        reordered["spec"]["keys"] = [dict(reversed(key.items()))]

        assert objects.trust_root(tree).digest == objects.trust_root(reordered).digest

    def test_names_authorities_without_logs(self) -> None:
        """Chains arrive in the law, and count for the digest."""
        spec = {"tsaOnly": {"certificateChain": CHAIN, "tsaChain": CHAIN * 2}}
        tree = stored.stored("TrustRoot", "private", spec)
        other = copy.deepcopy(tree)
        other["spec"]["tsaOnly"]["tsaChain"] = CHAIN
        root = objects.trust_root(tree)

        assert root.tsa_only == TsaOnly(
            certificate_chain=CHAIN.encode(), tsa_chain=CHAIN.encode() * 2
        )
        assert root.issues
        assert root.digest != objects.trust_root(other).digest

    @pytest.mark.parametrize(
        "spec",
        [
            pytest.param({"keys": []}, id="nothing to trust"),
            pytest.param(
                {"keys": [{"name": "k", "pem": PEM_PRIVATE}]}, id="a private key"
            ),
            pytest.param({"keys": [{"name": "k", "pem": "garbage"}]}, id="no key"),
            pytest.param(
                {"keys": [{"name": "k", "type": "ssh", "pem": "x"}]},
                id="another type's field",
            ),
            pytest.param(
                {"keys": [{"name": "k", "type": "ssh", "ssh": "x"}]}, id="ssh, not yet"
            ),
            pytest.param(
                {"keys": [{"name": "k", "type": "webauthn", "webauthn": "x"}]},
                id="passkeys, not yet",
            ),
            pytest.param(
                {"tsaOnly": {"certificateChain": "x", "tsaChain": "y"}},
                id="chains that are none",
            ),
            pytest.param(
                {"tsaOnly": {"certificateChain": CHAIN}}, id="nobody who stamps"
            ),
            pytest.param(
                {
                    "sigstore": {
                        "mediaType": "application/vnd.dev.sigstore.trustedroot+json"
                    },
                    "tsaOnly": {"certificateChain": CHAIN, "tsaChain": CHAIN},
                },
                id="two sets of authorities",
            ),
            pytest.param(
                {"sigstore": {"mediaType": "text/plain"}}, id="another document"
            ),
            pytest.param({"sigstore": {}}, id="an empty document"),
            pytest.param(
                {"keys": [{"name": "k", "pem": stored.public_pem()}] * 2},
                id="a name twice",
            ),
        ],
    )
    def test_refuses(self, spec: dict[str, Any]) -> None:
        """What cannot be meant is refused, and the problem says where."""
        with pytest.raises(Invalid):
            objects.trust_root(stored.stored("TrustRoot", "root", spec))


class TestRevocation:
    """Revocation."""

    def test_becomes_withdrawals(self) -> None:
        """Kind, value and time arrive in the law."""
        tree = stored.revocation(
            {"kind": "person", "value": "dana", "since": "2026-11-22T19:00:00Z"},
            {"kind": "bundle", "value": f"sha256:{'0' * 64}", "reason": "leaked"},
        )

        first, second = objects.revocation(tree)

        assert (first.kind, first.value) == (Kind.PERSON, "dana")
        assert first.since == datetime(2026, 11, 22, 19, tzinfo=UTC)
        assert (second.kind, second.since) == (Kind.BUNDLE, None)

    @pytest.mark.parametrize(
        "entry",
        [
            pytest.param({"kind": "peron", "value": "dana"}, id="a kind that is none"),
            pytest.param({"kind": "person"}, id="nobody"),
            pytest.param(
                {"kind": "bundle", "value": "0" * 64},
                id="a digest that matches nothing",
            ),
            pytest.param(
                {"kind": "key", "value": "k", "sinec": "x"}, id="a misspelt field"
            ),
        ],
    )
    def test_refuses(self, entry: dict[str, Any]) -> None:
        """What cannot be meant is refused, and the problem says where."""
        with pytest.raises(Invalid):
            objects.revocation(stored.revocation(entry))


class TestBundleSet:
    """BundleSet: form and size only; what it carries is proven elsewhere."""

    def test_unpacks(self) -> None:
        """Plain bytes come out."""
        tree = stored.bundle_set(
            stored.packed(b"bundle"), intents=[stored.packed(b"intent")]
        )

        assert objects.bundle_set(tree) == ((b"bundle",), (b"intent",))

    @pytest.mark.parametrize(
        "entry",
        [
            pytest.param(stored.packed(b"x", data="Z3ppcA=="), id="no gzip"),
            pytest.param(stored.packed(b"x", data="%%%"), id="no base64"),
            pytest.param(stored.packed(b"x", data="AAAAA"), id="base64 cut short"),
            pytest.param(
                stored.packed(b"x", digest={"sha256": "0" * 64}), id="another digest"
            ),
            pytest.param(stored.packed(bytes(2 << 20)), id="a small bomb"),
            pytest.param(
                stored.packed(b"x", data=stored.packed(b"x")["data"][:-8]),
                id="gzip cut short",
            ),
        ],
    )
    def test_refuses(self, entry: dict[str, Any]) -> None:
        """What cannot be meant is refused, and the problem says where."""
        with pytest.raises(Invalid):
            objects.bundle_set(stored.bundle_set(entry))

    def test_refuses_many_that_are_small(self) -> None:
        """Each fits, and all together would not: 5 MiB in 7 KB."""
        entries = [stored.packed(bytes([n]) * (1 << 20)) for n in range(5)]

        assert objects.bundle_set(stored.bundle_set(*entries[:4]))
        with pytest.raises(Invalid, match="4194304 bytes after inflating"):
            objects.bundle_set(stored.bundle_set(*entries))

    @pytest.mark.parametrize(
        "metadata",
        [
            pytest.param({"name": "evidence"}, id="none"),
            pytest.param({"name": f"evidence-{'0' * 32}"}, id="another"),
            pytest.param({"generateName": "evidence-"}, id="a generated name"),
        ],
    )
    def test_refuses_a_name_without_its_digest(self, metadata: dict[str, Any]) -> None:
        """A set that is known by name is known whole."""
        tree = {**stored.bundle_set(stored.packed(b"x")), "metadata": metadata}

        with pytest.raises(Invalid, match=r"^metadata.name: expected to end with"):
            objects.refuse_invalid(tree)


def test_an_object_of_another_kind_or_version_is_refused() -> None:
    """Nothing is read as what it does not claim to be."""
    for field, value in (("kind", "Roster"), ("apiVersion", "countersign.dev/v2")):
        with pytest.raises(Invalid, match=f"^{field}: expected"):
            objects.policy({**stored.policy(), field: value})
    with pytest.raises(Invalid, match=r"^kind: expected one of"):
        objects.refuse_invalid({**stored.policy(), "kind": "Wish"})


@pytest.mark.parametrize(
    "tree",
    [
        stored.full_policy(),
        stored.roster(),
        stored.trust_root(),
        stored.sigstore_root(),
        stored.revocation({"kind": "key", "value": "k"}),
        stored.bundle_set(stored.packed(b"bundle")),
    ],
    ids=lambda tree: str(tree["kind"]),
)
def test_what_every_load_understands_may_be_written(tree: dict[str, Any]) -> None:
    """Admission and load have one parser."""
    objects.refuse_invalid(tree)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["protect", "roster", "keys", "x"]), inner)
    ),
    max_leaves=10,
)


@given(st.sampled_from(sorted(KINDS)), JSON)
@example("Roster", {"persons": 2**64})
@example("Roster", {"persons": "\ud800"})
def test_no_content_makes_the_parser_raise_anything_but_invalid(
    kind: str, spec: dict[str, Any]
) -> None:
    """Seen to catch: integers beyond 64 bits and half characters as a TypeError."""
    with pytest.raises(Invalid) as raised:
        objects.refuse_invalid(stored.stored(kind, "name", spec))
    assert raised.value.problems
