"""Sidecars that a policy describes: each item exactly so, and nothing else."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.besides import Besides
from countersign.binding.match import match
from countersign.core.errors import Malformed
from countersign.core.types.injection import Injection
from tests.support.trees import Tree, having, pod, ref, served

SIDECAR: Tree = {
    "name": "mesh-proxy",
    "image": r"~registry\.example/mesh@sha256:[0-9a-f]{64}",
    "imagePullPolicy": "IfNotPresent",
    "args": ["proxy", "--id", "~[a-z0-9-]+", "--strict"],
    "resources": {},
    "securityContext": {"runAsUser": 1337},
    "volumeMounts": [{"name": "mesh", "mountPath": "/var/run/mesh"}],
}
MESH = Injection(
    name="mesh",
    init_containers=({"name": "mesh-init", "image": "registry.example/init:1"},),
    containers=(SIDECAR,),
    volumes=({"name": "mesh", "emptyDir": {"medium": "Memory"}},),
    env=({"name": "MESH_ID", "value": "~[a-z0-9-]+"},),
    volume_mounts=({"name": "mesh", "mountPath": "/var/run/mesh"},),
    labels={"mesh.example/revision": "~v[0-9]+"},
    annotations={"mesh.example/status": "injected"},
    fields={"/spec/securityContext/fsGroup": 1337},
)
MAY = Besides(injections=(MESH,))


def injected() -> Tree:
    """Return the Pod of `pod()`, as the injector leaves it."""
    tree = pod()
    spec = tree["spec"]
    main = spec["containers"][0]
    main["env"] = [{"name": "MESH_ID", "value": "it-1"}]
    main["volumeMounts"] = copy.deepcopy(SIDECAR["volumeMounts"])
    sidecar = copy.deepcopy(SIDECAR)
    sidecar["image"] = f"registry.example/mesh@sha256:{'a' * 64}"
    sidecar["args"][2] = "it-1"
    spec["containers"] = [sidecar, main]
    spec["initContainers"] = [{"name": "mesh-init", "image": "registry.example/init:1"}]
    spec["volumes"] = [{"name": "mesh", "emptyDir": {"medium": "Memory"}}]
    spec["securityContext"] = {"fsGroup": 1337}
    tree["metadata"]["labels"] = {"mesh.example/revision": "v7"}
    tree["metadata"]["annotations"] = {"mesh.example/status": "injected"}
    return served(tree)


def intent() -> Tree:
    """Return what was signed."""
    return having(pod(), "/spec/automountServiceAccountToken", value=False)


def compare(seen: Tree, besides: Besides = MAY) -> tuple[str, ...]:
    """Return where they differ."""
    found = match(intent(), seen, identity=ref(seen), besides=besides)
    return tuple(difference.path for difference in found)


def test_what_is_described_may_be_there() -> None:
    """Where the injector put it: before, after, and in what the author wrote."""
    assert compare(injected()) == ()


def test_and_need_not_be() -> None:
    """An injector that is switched off is no attack."""
    assert compare(served(pod())) == ()


def test_without_the_policy_it_is_a_difference() -> None:
    """Nothing is let in by its name."""
    assert compare(injected(), Besides()) != ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/containers/0/image", "evil:1"),
        ("/spec/containers/0/image", f"registry.example/mesh@sha256:{'A' * 64}"),
        ("/spec/containers/0/args/1", "--exec"),
        ("/spec/containers/0/args/2", "it;rm"),
        ("/spec/containers/0/args", ["proxy", "--id", "x", "--strict", "--more"]),
        ("/spec/containers/0/args", ["proxy", "--id", "x"]),
        ("/spec/containers/0/command", ["/bin/sh"]),
        ("/spec/containers/0/securityContext/privileged", True),
        ("/spec/containers/0/env", [{"name": "LD_PRELOAD", "value": "/x"}]),
        ("/spec/containers/1/env/0/value", "A B"),
        ("/spec/containers/1/env", [{"name": "OTHER", "value": "x"}]),
        ("/spec/containers/1/volumeMounts/0/mountPath", "/etc"),
        ("/spec/initContainers/0/image", "registry.example/init:2"),
        ("/spec/volumes/0", {"name": "mesh", "hostPath": {"path": "/"}}),
        ("/spec/securityContext/fsGroup", 0),
        ("/spec/securityContext/runAsUser", 0),
        ("/metadata/labels/mesh.example~1revision", "x"),
        ("/metadata/annotations/mesh.example~1status", "else"),
        ("/metadata/annotations/mesh.example~1other", "x"),
        ("/spec/hostNetwork", True),
    ],
)
def test_what_is_not_described_is_a_difference(path: str, value: Any) -> None:
    """Whatever it is called, and wherever it is."""
    assert compare(having(injected(), path, value)) != ()


@pytest.mark.parametrize("field", ["containers", "initContainers", "volumes"])
def test_nothing_is_injected_twice(field: str) -> None:
    """Each item once."""
    seen = injected()
    items = seen["spec"][field]
    seen["spec"][field] = [items[0], *items]

    assert compare(seen) != ()


def test_what_the_author_called_so_stays_the_authors() -> None:
    """A name in the intent is not the injector's any more."""
    said = having(intent(), "/spec/containers/0/name", "mesh-proxy")
    seen = injected()
    seen["spec"]["containers"] = [seen["spec"]["containers"][0]]

    assert match(said, seen, identity=ref(seen), besides=MAY) != ()


def test_a_volume_may_be_mounted_twice() -> None:
    """Mounts are told apart by where they are: by the server, too."""
    again: Tree = {"name": "mesh", "mountPath": "/etc/mesh", "subPath": "etc"}
    there = replace(MESH, volume_mounts=(*MESH.volume_mounts, again))
    seen = injected()
    mounts = seen["spec"]["containers"][1]["volumeMounts"]
    mounts.append(again)

    assert compare(seen, Besides(injections=(there,))) == ()
    mounts[1] = again | {"name": "other"}
    assert compare(seen, Besides(injections=(there,))) != ()
    mounts[1] = again | {"mountPath": "/elsewhere"}
    assert compare(seen, Besides(injections=(there,))) != ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/containers/0/image", SIDECAR["image"]),
        ("/spec/containers/1/env/0/value", "~[a-z0-9-]+"),
        ("/metadata/labels/mesh.example~1revision", "~v[0-9]+"),
    ],
)
def test_the_text_of_a_pattern_does_not_match_itself(path: str, value: str) -> None:
    """It is what a policy says, and no value that the injector writes."""
    (found,) = compare(having(injected(), path, value))

    assert path.startswith(found)


def test_only_pods_are_injected() -> None:
    """A template with a sidecar is what its author wrote, or it is not signed."""
    template = {"metadata": injected()["metadata"], "spec": injected()["spec"]}
    plain = {"metadata": {}, "spec": intent()["spec"]}
    tree: Tree = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "it", "namespace": "here"},
        "spec": {"selector": {"app": "x"}, "template": plain},
    }
    seen = having(tree, "/spec/template", template)

    assert match(tree, seen, identity=ref(seen), besides=MAY) != ()


@pytest.mark.parametrize(
    "fields",
    [
        {"containers": ({"image": "x"},)},
        {"containers": ({"name": "~x", "image": "x"},)},
        {"env": ({"name": ""},)},
        {"labels": {"x": "~("}},
        {"annotations": {"countersign.dev/bundles": "~.*"}},
        {"fields": {"/metadata/name": "x"}},
    ],
)
def test_some_descriptions_are_none(fields: dict[str, Any]) -> None:
    """Items without names, patterns that are none, and what is ours."""
    with pytest.raises(Malformed):
        Injection(name="x", **fields)
