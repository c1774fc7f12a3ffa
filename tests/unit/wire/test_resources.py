"""Our custom resources: strict where a slip would weaken, and nowhere ambiguous."""

import copy
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from countersign.binding import surface
from countersign.core.presets import PRESETS
from countersign.core.types.evidence import Presence
from countersign.core.types.people import Alias, AliasKind, KeyIdentity
from countersign.core.types.policy import (
    BaseRule,
    Enforcement,
    GroupKind,
    Policy,
    Treatment,
)
from countersign.core.types.policy import RevokedKind as Kind
from countersign.wire.resources import objects, scope
from countersign.wire.resources.kinds import KINDS
from countersign.wire.resources.read import MAX_PROBLEMS, Invalid
from countersign.wire.resources.resolve import resolve
from tests.support import resources as stored

PEM_PRIVATE = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n"

Path = tuple[str | int, ...]


def resolved(tree: dict[str, Any]) -> Policy:
    """Resolve a policy in a world where its roster and trust roots are."""
    return resolve(
        "payments",
        objects.policy(tree),
        [objects.roster(stored.roster())],
        ["public-good", "local-keys", "corp"],
    )


def nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every object, list and leaf below `value`, with its path."""
    yield path, value
    children: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for step, child in children:
        yield from nodes(child, (*path, step))


def at(tree: Any, path: Path) -> Any:
    """Return what lies at `path`."""
    for step in path:
        tree = tree[step]
    return tree


def written(path: Path) -> str:
    """Write a path as problems do."""
    return "spec" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in path
    )


FULL = stored.full_policy()
OBJECTS = [path for path, value in nodes(FULL["spec"]) if isinstance(value, dict)]
FIELDS = [path for path, _ in nodes(FULL["spec"]) if path and isinstance(path[-1], str)]


class TestPolicy:
    """ProtectionPolicy."""

    def test_the_first_policy_anyone_writes_takes_the_rest_from_its_preset(
        self,
    ) -> None:
        """Silence means the preset; exceptions stay off."""
        policy = resolved(stored.policy())

        preset = PRESETS["default"]
        assert policy.enforcement is Enforcement.DENY
        assert policy.slots == preset.slots
        assert policy.demands.questions == preset.questions
        assert policy.demands.base is BaseRule.LINEAGE
        assert (policy.human, policy.unknown, policy.ai) == (
            Treatment.ADMIT,
            Treatment.SIGN_OFF,
            Treatment.SIGN_OFF,
        )
        assert policy.collectors[0].name == "ci"
        assert not policy.doors.helm

    def test_everything_it_says_reaches_the_law(self) -> None:
        """Nothing is read and then dropped."""
        policy = resolved(stored.full_policy())

        assert policy.scope.namespaces == ("payments", "ledger-*")
        assert policy.scope.exclude == {GroupKind("coordination.k8s.io", "Lease")}
        assert policy.demands.max_validity == timedelta(days=14)
        assert policy.demands.max_restore == timedelta(hours=12)
        assert policy.demands.presence is Presence.TOUCH
        assert policy.demands.trusted_time
        assert policy.doors.scale_groups == {"scalers"}
        assert policy.doors.restart_groups == {"restarters"}
        assert policy.break_glass is not None
        assert policy.break_glass.review_within == timedelta(hours=72)

    @pytest.mark.parametrize("path", FIELDS, ids=written)
    def test_taking_any_field_away_changes_what_is_asked(self, path: Path) -> None:
        """A field without effect would be a promise that nobody keeps."""
        tree = stored.full_policy()
        del at(tree["spec"], path[:-1])[path[-1]]

        try:
            policy = resolved(tree)
        except Invalid:
            return
        assert policy != resolved(stored.full_policy())

    def test_ai_is_what_it_says(self) -> None:
        """The one field that the full policy leaves to its preset."""
        provenance = {"collectors": [stored.collector()], "ai": "deny"}

        assert resolved(stored.policy(provenance=provenance)).ai is Treatment.DENY

    @pytest.mark.parametrize("path", OBJECTS, ids=written)
    def test_an_unknown_field_is_named_with_its_path_wherever_it_stands(
        self, path: Path
    ) -> None:
        """A misspelt restriction must not pass for none."""
        tree = stored.full_policy()
        at(tree["spec"], path)["slotz"] = []

        with pytest.raises(Invalid) as raised:
            objects.policy(tree)
        assert raised.value.problems == (f"{written((*path, 'slotz'))}: unknown field",)

    def test_a_field_beside_spec_is_unknown_too(self) -> None:
        """A restriction one level too high restricts nothing."""
        with pytest.raises(Invalid, match="protect: unknown field"):
            objects.policy({**stored.policy(), "protect": {}})

    @pytest.mark.parametrize(
        ("spec", "problem"),
        [
            pytest.param(
                {"protect": {"namespaces": []}},
                "spec.protect.namespaces: ",
                id="nothing to protect",
            ),
            pytest.param(
                {"protect": {"namespaces": ["Payments"]}},
                "spec.protect.namespaces[0]: expected text of the form",
                id="no namespace's name",
            ),
            pytest.param(
                {"protect": {"namespaces": ["payments"], "clusterScoped": "all"}},
                "spec.protect.clusterScoped: expected 'recommended' or 'none', saw \"all\"",
                id="an unknown word",
            ),
            pytest.param(
                {
                    "protect": {
                        "namespaces": ["payments"],
                        "clusterScoped": [{"group": "", "kind": 7}],
                    }
                },
                "spec.protect.clusterScoped[0].kind: ",
                id="a number for a kind",
            ),
            pytest.param(
                {"provenance": {"human": "allow"}},
                "spec.provenance.human: expected 'admit' or 'signOff'",
                id="a treatment that is none",
            ),
            pytest.param(
                {"provenance": {"unknown": "admit"}},
                "spec.provenance.unknown: expected 'signOff' or 'deny'",
                id="silence must not open the gate",
            ),
            pytest.param(
                {"provenance": {"collectors": [{"issuer": "i", "san": "s"}]}},
                "spec.provenance.collectors[0]: expected sourceRepositories",
                id="a certificate that may speak about any repository",
            ),
            pytest.param(
                {"provenance": {"collectors": [{"key": "k", "issuer": "i"}]}},
                "spec.provenance.collectors[0]: expected key, or issuer and san",
                id="two ways to sign in one entry",
            ),
            pytest.param(
                {"provenance": {"collectors": [{}]}},
                "spec.provenance.collectors[0]: expected key, or issuer and san",
                id="no way to sign",
            ),
            pytest.param(
                {"provenance": {"collectors": [stored.collector()] * 2}},
                "spec.provenance.collectors: expected each name once",
                id="two collectors of one name",
            ),
            pytest.param(
                {
                    "provenance": {
                        "collectors": [stored.collector()],
                        "builders": [{"issuer": "i", "san": "elsewhere"}],
                    }
                },
                "spec.provenance.builders: elsewhere: expected san and source",
                id="a builder without pins that is no collector",
            ),
            pytest.param(
                {"provenance": {}},
                "spec: payments: expected a collector",
                id="independence without a collector",
            ),
            pytest.param(
                {"preset": "defualt"}, "spec.preset: expected one of ", id="no preset"
            ),
            pytest.param({"roster": ""}, "spec.roster: ", id="no roster"),
            pytest.param(
                {"signOff": {"slots": []}},
                "spec: payments: expected at least one slot",
                id="a sign-off by nobody",
            ),
            pytest.param(
                {
                    "signOff": {
                        "slots": [{"role": "senior", "independentOf": ["autor"]}]
                    }
                },
                "spec.signOff.slots[0].independentOf: expected author, ",
                id="independent of a word that means nobody",
            ),
            pytest.param(
                {"signOff": {"maxValidity": "30 days"}},
                "spec.signOff.maxValidity: expected a duration like",
                id="a duration in prose",
            ),
            pytest.param(
                {"signOff": {"maxValidity": 30}},
                "spec.signOff.maxValidity: expected a duration like",
                id="a duration without unit",
            ),
            pytest.param(
                {"signOff": {"traceability": [{"type": "T", "pattern": "("}]}},
                "spec.signOff.traceability[0]: expected a regular expression",
                id="a pattern that does not compile",
            ),
            pytest.param(
                {
                    "signOff": {
                        "questionSet": {"uri": "u", "digest": {"sha256": "0" * 64}}
                    }
                },
                "spec.signOff.questionSet: no questions known as u",
                id="questions that nobody knows",
            ),
            pytest.param(
                {
                    "images": {
                        "thirdParty": [{"repository": "r", "digests": ["latest"]}]
                    }
                },
                "spec.images.thirdParty[0].digests[0]: ",
                id="a tag for a digest",
            ),
            pytest.param(
                {"breakGlass": {"role": "on-call"}},
                "spec.breakGlass.maxValidity: required, and not there",
                id="break-glass without end",
            ),
            pytest.param(
                {"enforcement": True}, "spec.enforcement: ", id="a boolean for a word"
            ),
        ],
    )
    def test_refuses(self, spec: dict[str, Any], problem: str) -> None:
        """What cannot be meant is refused, and the problem says where."""
        with pytest.raises(Invalid) as raised:
            objects.policy(stored.policy(**spec))

        assert raised.value.problems[0].startswith(problem)

    @pytest.mark.parametrize(
        ("spec", "path"),
        [
            (
                {"protect": {"namespaces": ["p"], "excusedApiGroups": ["metrics"]}},
                "protect.excusedApiGroups",
            ),
            (
                {
                    "provenance": {
                        "collectors": [stored.collector()],
                        "robots": [{"key": "bot", "paths": ["charts/*"]}],
                    }
                },
                "provenance.robots",
            ),
            ({"images": {"registries": ["ghcr.io/acme/*"]}}, "images.registries"),
            ({"images": {"subject": "allPlatforms"}}, "images.subject"),
            ({"conversion": {"trusted": [{"kind": "Widget"}]}}, "conversion.trusted"),
            (
                {"exceptions": {"deletion": {"exceptGroups": ["ops"]}}},
                "exceptions.deletion.exceptGroups",
            ),
            (
                {"exceptions": {"interactive": {"allowGroups": ["ops"]}}},
                "exceptions.interactive.allowGroups",
            ),
            (
                {
                    "exceptions": {
                        "controllers": [
                            {
                                "user": "u",
                                "own": [{"kind": "Widget", "paths": ["/spec"]}],
                                "children": [
                                    {"kind": "Pod", "fields": {"derive": "/spec"}}
                                ],
                            }
                        ]
                    }
                },
                "exceptions.controllers",
            ),
            (
                {
                    "exceptions": {
                        "injection": [{"name": "i", "digest": {"sha256": "0" * 64}}]
                    }
                },
                "exceptions.injection",
            ),
            (
                {"exceptions": {"tools": {"argocd": {"installationId": "x"}}}},
                "exceptions.tools.argocd",
            ),
            ({"exceptions": {"tools": {"flux": {}}}}, "exceptions.tools.flux"),
        ],
    )
    def test_says_what_it_cannot_honour_yet(
        self, spec: dict[str, Any], path: Path
    ) -> None:
        """Ignoring it would be weaker than what the author asked for."""
        with pytest.raises(Invalid) as raised:
            objects.policy(stored.policy(**spec))

        assert raised.value.problems == (
            f"spec.{path}: this version cannot honour it; take it out",
        )

    def test_a_builder_without_pins_has_those_of_the_collector_it_is(self) -> None:
        """A builder is a collector that may also speak about images."""
        identity = {"issuer": stored.ISSUER, "san": stored.WORKFLOW}
        tree = stored.policy(
            provenance={"collectors": [stored.collector()], "builders": [identity]}
        )

        policy = resolved(tree)

        assert policy.builders[0].source_repositories == (stored.REPOSITORY,)

    def test_a_roster_or_trust_root_that_is_not_there_makes_it_invalid(self) -> None:
        """Nothing dangles in a policy in force."""
        spec = objects.policy(stored.policy())

        with pytest.raises(Invalid) as raised:
            resolve("payments", spec, [], [])

        assert raised.value.problems == (
            "spec.provenance: no TrustRoot 'public-good' that can be read",
            "spec.roster: no Roster 'platform' that can be read",
        )

    def test_names_all_problems_at_once_up_to_a_bound(self) -> None:
        """One look tells the author everything, and no more than fits."""
        tree = stored.policy()
        tree["spec"] |= {f"field{n}": n for n in range(MAX_PROBLEMS + 3)}

        with pytest.raises(Invalid) as raised:
            objects.policy(tree)

        assert len(raised.value.problems) == MAX_PROBLEMS + 1
        assert raised.value.problems[-1] == "and 3 more"

    @pytest.mark.parametrize("preset", PRESETS)
    def test_every_preset_makes_a_policy(self, preset: str) -> None:
        """Each preset stands with a roster and a collector alone."""
        policy = resolved(stored.policy(preset=preset))

        recommended = PRESETS[preset].recommended_cluster_scoped
        assert policy.scope.cluster_scoped == (
            scope.RECOMMENDED if recommended else frozenset()
        )


class TestScopeOfAnInvalidPolicy:
    """What a policy that cannot be read denies."""

    def test_is_what_it_says_where_that_can_be_read(self) -> None:
        """A slip elsewhere does not widen it."""
        tree = stored.full_policy()
        tree["spec"]["typo"] = 1

        assert scope.scope_left(tree) == resolved(stored.full_policy()).scope

    def test_is_wide_where_protect_itself_is_misspelt(self) -> None:
        """Then no exclusion can be believed."""
        tree = stored.policy(protect={"namespaces": ["payments"], "exlude": []})

        left = scope.scope_left(tree)

        assert left is not None
        assert left.namespaces == ("payments",)
        assert left.cluster_scoped == scope.RECOMMENDED

    def test_takes_the_strict_side_of_an_unknown_preset(self) -> None:
        """The preset decides about cluster-scoped kinds."""
        left = scope.scope_left(stored.policy(preset="defualt"))

        assert left is not None
        assert left.cluster_scoped == scope.RECOMMENDED

    @pytest.mark.parametrize(
        "spec",
        [
            None,
            [],
            {},
            {"protect": ["payments"]},
            {"protect": {"namespace": "payments"}},
            {"protect": {"namespaces": "payments"}},
            {"protect": {"namespaces": []}},
            {"protect": {"namespaces": ["payments", 7]}},
            {"protect": {"namespaces": ["Payments"]}},
        ],
    )
    def test_is_everything_protected_where_nothing_can_be_read(
        self, spec: dict[str, Any]
    ) -> None:
        """Doubt denies."""
        assert scope.scope_left({"spec": spec}) is None


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

    def test_has_the_same_digest_for_the_same_material(self) -> None:
        """The order of keys is no material."""
        tree = stored.trust_root()
        reordered = copy.deepcopy(tree)
        (key,) = reordered["spec"]["keys"]
        reordered["spec"]["keys"] = [dict(reversed(key.items()))]

        assert objects.trust_root(tree).digest == objects.trust_root(reordered).digest

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
                id="stamps only, not yet",
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


def test_both_tables_of_recommended_kinds_agree() -> None:
    """`wire` may not import `binding`, so each has the list it needs."""
    assert scope.RECOMMENDED == surface.RECOMMENDED


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
