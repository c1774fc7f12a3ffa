"""Files of an API server, and the policies in them. A real server reads them elsewhere."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.backstops import Guarded, accounts, backstops, exempt
from countersign.binding.static_files import ENTRANCE, SUFFIX, Fixed, static_files
from countersign.core.errors import Misconfigured
from tools.rights import CONTROLLER, READS, read

FIXED = Fixed(
    folder="/etc/kubernetes/countersign",
    url="https://10.96.0.40:443/validate",
    ca_bundle="Q0E=",
    protected=("payments",),
    own_namespace="countersign",
)


def test_every_name_is_one_that_only_files_may_have() -> None:
    """The server refuses others, and those of bindings that lead elsewhere."""
    made: dict[str, Any] = {**static_files(FIXED)}
    entrance = made.pop(ENTRANCE)
    trees = [tree for found in made.values() for tree in found]
    folders = [p["configuration"]["staticManifestsDir"] for p in entrance[0]["plugins"]]

    assert all(tree["metadata"]["name"].endswith(SUFFIX) for tree in trees)
    assert {path.partition("/")[0] for path in made} == {
        folder.removeprefix(f"{FIXED.folder}/") for folder in folders
    }
    assert not [t for t in trees if "paramKind" in t.get("spec", {})]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(replace(FIXED, folder="admission"), id="a relative folder"),
        pytest.param(replace(FIXED, url="http://10.96.0.40/validate"), id="no TLS"),
        pytest.param(replace(FIXED, protected=()), id="nothing to protect"),
        pytest.param(replace(FIXED, protected=("countersign",)), id="ourselves"),
        pytest.param(replace(FIXED, protected=("kube-system",)), id="the cluster"),
    ],
)
def test_refuses_what_no_server_could_use(told: Fixed) -> None:
    """Before it is written."""
    with pytest.raises(Misconfigured):
        static_files(told)


def test_guards_alone_ask_no_webhook() -> None:
    """Where the API registers it, files only keep that from being deleted."""
    alone = Fixed(folder=FIXED.folder, own_namespace="countersign")

    made: Any = static_files(alone)

    (plugin,) = made.pop(ENTRANCE)[0]["plugins"]
    assert plugin["name"] == "ValidatingAdmissionPolicy"
    assert made == {
        "policies/countersign.yaml": static_files(FIXED)["policies/countersign.yaml"]
    }


def test_a_name_cannot_say_more_than_a_name() -> None:
    """Quotes and backslashes stay inside the string."""
    said = exempt(("o'hara", "a\\' || true || 'b"), ())

    assert said.startswith("request.userInfo.username in ['o\\'hara', 'a\\\\\\' ||")
    assert said.endswith("|| request.userInfo.groups.exists(g, g in [])")


def test_nobody_is_exempt_from_the_keys() -> None:
    """Installers neither: nobody needs to be a controller."""
    trees: Any = backstops(Guarded(exempt="true", namespace="countersign"))
    by_name = {t["metadata"]["name"]: t for t in trees if "variables" in t["spec"]}
    told = {n: t["spec"]["variables"][0]["expression"] for n, t in by_name.items()}

    assert told.pop("countersign-keys") == "false"
    assert set(told.values()) == {"true"}
    assert "persistent-volume-binder" in accounts()


def test_what_is_registered_nowhere_needs_no_guard_but_in_files() -> None:
    """There policies in the API are guarded, too."""
    nothing = Guarded(exempt="false", namespace="countersign", registration=())

    def names(told: Guarded) -> set[str]:
        trees: Any = backstops(told)
        return {tree["metadata"]["name"] for tree in trees}

    assert "countersign-registration" not in names(nothing)
    files = replace(nothing, suffix=SUFFIX)
    assert f"countersign-registration{SUFFIX}" in names(files)


def test_every_controller_that_writes_beside_us_is_known_by_its_name() -> None:
    """By the server's own bootstrap roles: another account of kube-system is nobody."""
    named = {
        (rule["apiGroups"][0], resource)
        for tree in trees_of("countersign-workloads")
        for rule in tree["spec"]["matchConstraints"]["resourceRules"]
        for resource in rule["resources"]
    }
    writers = {
        right.role.removeprefix(CONTROLLER)
        for right in read()
        if right.role.startswith(CONTROLLER)
        and "@" not in right.role
        and right.verb not in READS
        and ((right.group, right.resource) in named or right.resource == "*")
    }

    assert writers - {*accounts()} == set()
    assert {"replicaset-controller", "root-ca-cert-publisher"} <= writers


def trees_of(name: str) -> list[Any]:
    """Return the policy of a name."""
    trees: Any = backstops(Guarded(exempt="false", namespace="countersign"))
    kind = "ValidatingAdmissionPolicy"
    return [t for t in trees if (t["kind"], t["metadata"]["name"]) == (kind, name)]
