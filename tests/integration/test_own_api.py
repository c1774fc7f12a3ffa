"""What others find of our API on a real server: who may do what, and other versions.

The cluster's own controllers collect our ClusterRoles into ``view``, ``edit`` and
``admin``; the server converts our objects.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from countersign.core.errors import Malformed
from countersign.wire.resources import objects
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP, KINDS, VERSION, Kind
from tests.support import resources as stored
from tests.support.furnished import CRDS
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.gen import ROOT
from tools.stack.ready import until

Tree = dict[str, Any]
NAMESPACE = "payments"
OTHER = "v1beta1"
RULEBOOK = [kind.plural for kind in KINDS.values() if kind is not BUNDLE_SET]
READ, WRITE = ("get", "list", "watch"), ("create", "update", "patch", "delete")
ROLES = (
    "view",
    "edit",
    "admin",
    "countersign-viewer",
    "countersign-editor",
    "countersign-signer",
    "countersign-developer",
)
# Verbs on bundle sets, on what governs, on decisions.
_MAY: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "view": ((), READ, ()),
    "edit": (("get", "list", "create", "patch"), READ, ()),
    "admin": (("get", "list", "create", "patch"), READ, ()),
    "countersign-viewer": (READ, READ, ("get", "list")),
    "countersign-editor": ((*READ, *WRITE), (*READ, *WRITE), ("get", "list")),
    "countersign-signer": (
        ("get", "list", "create", "patch"),
        ("get", "list"),
        ("get", "list"),
    ),
    "countersign-developer": (("get", "list", "create", "patch"), (), ()),
}


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Return one with our CRDs and roles, each bound to a user of its name."""
    with controlplane.running() as plane:
        plane.kubectl("apply", "--server-side", "-f", CRDS).check()
        plane.kubectl("wait", "--for=condition=Established", "-f", CRDS).check()
        roles = ROOT / "manifests" / "roles.yaml"
        plane.kubectl("apply", "-f", roles).check()
        plane.create_namespace(NAMESPACE)
        plane.impersonator("asker")
        items = [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": f"all-{name}"},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": name,
                },
                "subjects": [{"kind": "User", "name": name}],
            }
            for name in ROLES
        ]
        listed = {"apiVersion": "v1", "kind": "List", "items": items}
        plane.kubectl("apply", "-f", "-", stdin=listed).check()
        until(
            lambda: "" if may(plane, "admin", "create", BUNDLE_SET.plural) else "admin",
            what="what the controller collects",
        )
        yield plane


def may(plane: ControlPlane, role: str, verb: str, resource: str) -> bool:
    """Ask the server what somebody with that role everywhere may do."""
    what = (
        resource if "." in resource or resource == "secrets" else f"{resource}.{GROUP}"
    )
    asked = plane.kubectl(
        *("auth", "can-i", verb, what, "--as", role, "-n", NAMESPACE),
        user="asker",
    )
    said = asked.stdout.strip()
    assert said in {"yes", "no"}, asked
    return said == "yes"


def granted(plane: ControlPlane, role: str) -> dict[str, set[str]]:
    """Return the verbs that the server says a role has, by resource with its group."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": NAMESPACE},
    }
    done = plane.kubectl(
        *("create", "--validate=false", "-f", "-", "-o", "json", "--as", role),
        stdin=review,
        user="asker",
    ).check()
    found: dict[str, set[str]] = {}
    for rule in json.loads(done.stdout)["status"]["resourceRules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                name = f"{resource}.{group}" if group else resource
                found.setdefault(name, set()).update(rule["verbs"])
    return found


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_it_is_for_and_no_more(
    plane: ControlPlane, role: str
) -> None:
    """As the server sees it, its own roles with what it collected of ours.

    Seen to fail with the editor's label for ``edit``: whoever may write in all
    namespaces wrote policies, too.
    """
    sets, rulebook, decisions = _MAY[role]

    has = granted(plane, role)

    ours = {name: verbs for name, verbs in has.items() if name.endswith(f".{GROUP}")}
    expected = {f"{BUNDLE_SET.plural}.{GROUP}": set(sets)}
    expected |= {f"{name}.{GROUP}": set(rulebook) for name in RULEBOOK}
    expected[f"decisions.{GROUP}"] = set(decisions)
    assert ours == {name: verbs for name, verbs in expected.items() if verbs}


@pytest.mark.parametrize(
    ("role", "verb", "resource", "said"),
    [
        pytest.param("view", "get", "rosters", True, id="who may sign is no secret"),
        pytest.param("view", "get", "bundlesets", False, id="salts are"),
        pytest.param("edit", "create", "bundlesets", True, id="evidence of one's own"),
        pytest.param("edit", "delete", "bundlesets", False, id="others' evidence"),
        pytest.param("edit", "create", "protectionpolicies", False, id="rules"),
        pytest.param("admin", "update", "rosters", False, id="who may sign"),
        pytest.param("admin", "patch", "rosters/status", False, id="what is shown"),
        pytest.param("countersign-editor", "update", "rosters", True, id="the editor"),
        pytest.param("countersign-editor", "get", "secrets", False, id="no Secret"),
        pytest.param("countersign-viewer", "list", "secrets", False, id="nor here"),
    ],
)
def test_kubectl_says_so(
    plane: ControlPlane, role: str, verb: str, resource: str, *, said: bool
) -> None:
    """In the words that people ask in."""
    assert may(plane, role, verb, resource) is said


def test_a_role_of_a_namespace_reads_nothing_that_governs(plane: ControlPlane) -> None:
    """What governs belongs to none, so a RoleBinding to ``edit`` reaches the sets only."""
    bound = ("--clusterrole=edit", "--user=nell", "-n", NAMESPACE)
    plane.kubectl("create", "rolebinding", "nell", *bound).check()

    assert may(plane, "nell", "create", "bundlesets")
    rules = ("get", "protectionpolicies", "--as", "nell")
    assert "Forbidden" in plane.kubectl(*rules, user="asker").stderr


ONE_OF_EACH = {
    "ProtectionPolicy": stored.full_policy(),
    "Roster": stored.roster(),
    "TrustRoot": stored.trust_root(),
    "Revocation": stored.revocation(
        {
            "kind": "person",
            "value": "ravi",
            "since": "2026-11-01T00:00:00Z",
            "reason": "a lost laptop",
        }
    ),
    "BundleSet": render_bundle_set("ledger", [b"{}"], [], NAMESPACE),
}


def widened(tree: Any) -> Any:
    """Add a field that no version knows to each object."""
    if isinstance(tree, dict):
        return {**{k: widened(v) for k, v in tree.items()}, "ofTheFuture": {"x": [1]}}
    return [widened(item) for item in tree] if isinstance(tree, list) else tree


def path(kind: Kind, version: str, name: str = "") -> str:
    """Return where objects of a kind are, by one version."""
    place = f"namespaces/{NAMESPACE}/" if kind.namespaced else ""
    return f"/apis/{GROUP}/{version}/{place}{kind.plural}" + (name and f"/{name}")


def serve_another(plane: ControlPlane, kind: Kind) -> None:
    """Serve, and store, one more version of it, whose schema knows no field."""
    name = f"{kind.plural}.{GROUP}"
    got = plane.kubectl("get", "crd", name, "-o", "json").check()
    definition = json.loads(got.stdout)
    (first,) = definition["spec"]["versions"]
    kept = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": kept, "status": kept}}
    second = {
        "name": OTHER,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    first["storage"] = False
    definition["spec"]["versions"] = [first, second]
    plane.kubectl("replace", "-f", "-", stdin=definition).check()


def test_one_version_is_served_and_stored_and_nothing_converts() -> None:
    """As it stands. Who adds one changes this test, and reads ADR 0026 first."""
    for kind in KINDS.values():
        spec = yaml.safe_load((CRDS / f"{kind.plural}.yaml").read_text())["spec"]
        (only,) = spec["versions"]

        assert (only["name"], only["served"], only["storage"]) == (VERSION, True, True)
        assert spec.get("conversion", {"strategy": "None"}) == {"strategy": "None"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_another_version_loses_nothing_there_and_back(
    plane: ControlPlane, kind: Kind
) -> None:
    """What is stored in one is the same by the other, written by either, to the byte.

    In every object of the spec there is a field that neither knows. Seen to fail with
    one object of a schema that keeps no unknown fields.
    """
    tree = copy.deepcopy(ONE_OF_EACH[kind.name])
    tree["metadata"] = {"name": tree["metadata"]["name"]}
    tree["spec"] = widened(tree["spec"])
    name = str(tree["metadata"]["name"])
    plane.kubectl("create", "--raw", path(kind, VERSION), "-f", "-", stdin=tree).check()

    serve_another(plane, kind)

    def by(version: str) -> Tree:
        got = plane.kubectl("get", "--raw", path(kind, version, name))
        return dict(json.loads(got.stdout)) if got.code == 0 else {}

    until(lambda: "" if by(OTHER) else "not served", what=f"{kind.plural} in {OTHER}")
    for version in (OTHER, VERSION, OTHER):
        seen = by(version)
        assert seen["apiVersion"] == f"{GROUP}/{version}"
        assert seen["spec"] == tree["spec"]
        seen["metadata"]["labels"] = {"migrated": version}
        where = path(kind, version, name)
        plane.kubectl("replace", "--raw", where, "-f", "-", stdin=seen).check()
    assert by(VERSION)["spec"] == tree["spec"]
    assert by(VERSION)["metadata"]["generation"] == 1


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_only_what_we_know_of_a_version_we_know_is_honoured(kind: Kind) -> None:
    """Kept is not honoured: what our parser does not know makes the object invalid."""
    known = copy.deepcopy(ONE_OF_EACH[kind.name])
    newer = {**known, "spec": {**known["spec"], "ofTheFuture": 1}}

    objects.refuse_invalid(known)
    with pytest.raises(Malformed, match="ofTheFuture"):
        objects.refuse_invalid(newer)
