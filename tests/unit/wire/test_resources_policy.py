"""ProtectionPolicy: no field without effect, no slip that passes."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from countersign.core.presets import PRESETS
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.evidence import Presence
from countersign.core.types.policy import (
    BaseRule,
    Enforcement,
    ImagePaths,
    ImageSubject,
    Policy,
    Treatment,
)
from countersign.wire.resources import objects, scope
from countersign.wire.resources.read import MAX_PROBLEMS, Invalid
from countersign.wire.resources.resolve import resolve
from tests.support import resources as stored

Path = tuple[str | int, ...]


WRONG_ROBOTS: list[tuple[dict[str, Any], str]] = [
    ({"paths": []}, ".provenance.robots[0].paths: "),
    ({"authors": []}, ".provenance.robots[0].authors: "),
    (
        {"sourceRepositories": []},
        ".provenance.robots[0]: expected source",
    ),
    (
        {"paths": ["**"]},
        ".provenance.robots[0]: versions: expected a pat",
    ),
    (
        {"paths": ["a/../b"]},
        ".provenance.robots[0]: versions: expected a ",
    ),
    (
        {"san": stored.WORKFLOW, "name": "ci"},
        ": ci: expected another id",
    ),
]


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
        assert not policy.doors.tools.helm

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
        assert policy.doors.conversions == {GroupKind("shop.example", "Widget")}
        assert policy.images.registries == ("ghcr.io/acme/*", "docker.io/acme/payments")
        assert policy.images.subject is ImageSubject.ALL_PLATFORMS
        assert policy.images.paths == (
            ImagePaths(
                kind=GroupKind("shop.example", "Widget"),
                paths=("/spec/image", "/spec/parts/*/template/spec"),
            ),
        )
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
            *(
                pytest.param(
                    {
                        "provenance": {
                            "collectors": [stored.collector()],
                            "robots": [stored.robot(**fields)],
                        }
                    },
                    f"spec{problem}",
                    id=f"a robot: {problem}",
                )
                for fields, problem in WRONG_ROBOTS
            ),
            pytest.param(
                {
                    "provenance": {
                        "collectors": [stored.collector()],
                        "robots": [stored.robot()] * 2,
                    }
                },
                "spec.provenance.robots: expected each name once",
                id="two robots of one name",
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
                {"exceptions": {"deletion": {"exceptGroups": ["ops"]}}},
                "exceptions.deletion.exceptGroups",
            ),
            (
                {"exceptions": {"interactive": {"allowGroups": ["ops"]}}},
                "exceptions.interactive.allowGroups",
            ),
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

    @pytest.mark.parametrize(
        "taken",
        [
            pytest.param({"authors": ["Dana@acme.example"]}, id="her address"),
            pytest.param({"san": "*@acme.example"}, id="a pattern of her identity"),
        ],
    )
    def test_a_robot_is_nobody_of_the_roster(self, taken: dict[str, Any]) -> None:
        """A machine must not sign for a person, nor a person approve as a machine."""
        provenance = {
            "collectors": [stored.collector()],
            "robots": [stored.robot(**taken)],
        }

        with pytest.raises(Invalid, match=r"expected nobody of the roster, saw .*dana"):
            resolved(stored.policy(provenance=provenance))

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
        unread = "that can be read: create or mend it, or name another"

        assert raised.value.problems == (
            f"spec.provenance: no TrustRoot 'public-good' {unread}",
            f"spec.roster: no Roster 'platform' {unread}",
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
