"""Images of custom kinds: where a policy says that they are, and nothing else there."""

from typing import Any

import pytest

from countersign.binding.images import images
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.policy import ImagePaths
from tests.support.trees import deployment, tree

MACHINE = GroupKind("acme.example", "Machine")
POD = {
    "initContainers": [{"name": "i", "image": "init:1"}],
    "containers": [{"name": "a", "image": "app:1"}, {"name": "b"}],
    "ephemeralContainers": [{"name": "e", "image": "debug:1"}],
    "volumes": [{"name": "m", "image": {"reference": "model:1"}}, {"name": "n"}],
}
ALL = ["app:1", "debug:1", "init:1", "model:1"]


def machine(version: str = "v1", **spec: Any) -> dict[str, Any]:
    """Return a custom resource."""
    return tree("Machine", f"acme.example/{version}", spec=spec)


def found(custom: dict[str, Any], *pointers: str) -> list[str]:
    """Return the references that some pointers lead to."""
    paths = (ImagePaths(kind=MACHINE, paths=pointers),)
    return [image.reference for image in images(custom, paths)]


@pytest.mark.parametrize(
    ("spec", "pointer", "expected"),
    [
        pytest.param({"image": "app:1"}, "/spec/image", ["app:1"], id="a reference"),
        pytest.param({"image": ""}, "/spec/image", [], id="an empty reference"),
        pytest.param({"image": None}, "/spec/image", [], id="null"),
        pytest.param({}, "/spec/image", [], id="nothing"),
        pytest.param({"image": "a:1"}, "/spec/image/name", [], id="below text"),
        pytest.param(
            {"images": ["a:1", "b:1", "a:1"]},
            "/spec/images/*",
            ["a:1", "b:1"],
            id="list",
        ),
        pytest.param(
            {"images": {"x/y": "a:1", "*": "b:1"}},
            "/spec/images/*",
            ["a:1", "b:1"],
            id="map",
        ),
        pytest.param(
            {"images": {"x/y": "a:1"}}, "/spec/images/x~1y", ["a:1"], id="key"
        ),
        pytest.param(
            {"pools": [{"agents": [{"image": "a:1"}]}, {"agents": []}, {}]},
            "/spec/pools/*/agents/*/image",
            ["a:1"],
            id="lists in lists",
        ),
        pytest.param({"pod": POD}, "/spec/pod", ALL, id="a PodSpec"),
        pytest.param({"pod": {"spec": POD}}, "/spec/pod", ALL, id="a template"),
        pytest.param({"jobs": [{"spec": POD}, POD]}, "/spec/jobs/*", ALL, id="both"),
        pytest.param({**POD, "size": 3}, "/spec", ALL, id="among fields of its own"),
        pytest.param(
            {"containers": POD["containers"], "spec": POD}, "/spec", ALL, id="doubly"
        ),
        pytest.param({"pod": {"nodeName": "n"}}, "/spec/pod", [], id="no containers"),
        pytest.param(
            {"pod": {"metadata": {}, "spec": {"nodeSelector": {}}}},
            "/spec/pod",
            [],
            id="a template without containers",
        ),
        pytest.param(
            {"pod": {"spec": {"initContainers": POD["initContainers"]}}},
            "/spec/pod",
            ["init:1"],
            id="only init containers",
        ),
        pytest.param({"pod": {"metadata": {}}}, "/spec/pod", [], id="only metadata"),
        pytest.param({"pod": {}}, "/spec/pod", [], id="an empty object"),
        pytest.param(
            {"pod": {"containers": [{"image": ""}, {"image": None}]}},
            "/spec/pod",
            [],
            id="containers that say nothing",
        ),
    ],
)
def test_reads_what_a_path_leads_to(
    spec: Any, pointer: str, expected: list[str]
) -> None:
    """References, PodSpecs and templates; where nothing is, no image."""
    assert found(machine(**spec), pointer) == expected


@pytest.mark.parametrize(
    ("spec", "pointer", "message"),
    [
        pytest.param(
            {"image": {"repository": "app", "tag": "1"}},
            "/spec/image",
            "/spec/image: expected an image reference, a PodSpec or a Pod template "
            "where the policy says that images are, saw an object with repository, tag",
            id="parts of a reference",
        ),
        pytest.param(
            {"pod": {"spec": {"repository": "app"}}},
            "/spec/pod",
            "/spec/pod: .* saw an object with spec",
            id="another spec",
        ),
        pytest.param(
            {"pod": {"spec": {}, "image": "app:1"}},
            "/spec/pod",
            "saw an object with image, spec",
            id="an image beside a template",
        ),
        pytest.param({"image": 1}, "/spec/image", "saw a number", id="a number"),
        pytest.param({"images": ["a"]}, "/spec/images", "saw a list", id="a list"),
        pytest.param({"images": [["a"]]}, "/spec/images/*", "saw a list", id="lists"),
        pytest.param(
            {"pod": {"spec": "app:1"}}, "/spec/pod", "an object with spec", id="text"
        ),
        pytest.param(
            {"pod": {"initContainers": {}}},
            "/spec/pod",
            "/spec/pod/initContainers: expected a list, saw an empty object",
            id="an empty object for a list",
        ),
        pytest.param(
            {"pod": {"containers": {"a": {}}}},
            "/spec/pod",
            "/spec/pod/containers: expected a list, saw an object with a",
            id="containers by name",
        ),
        pytest.param(
            {"pod": {"containers": ["app:1"]}},
            "/spec/pod",
            "/spec/pod/containers/0: expected an object, saw text",
            id="containers of text",
        ),
        pytest.param(
            {"pod": {"containers": [{"image": ["app:1"]}]}},
            "/spec/pod",
            "/spec/pod/containers/0/image: expected an image reference, saw a list",
            id="a list of images",
        ),
        pytest.param(
            {"pod": {"containers": [], "volumes": [{"image": "app:1"}]}},
            "/spec/pod",
            "/spec/pod/volumes/0/image: expected an object, saw text",
            id="a volume of text",
        ),
        pytest.param(
            {"pod": {"containers": [], "volumes": [{"image": {"Reference": "a"}}]}},
            "/spec/pod",
            "expected reference, saw Reference",
            id="a reference in other letters",
        ),
        pytest.param(
            {"pod": {"Containers": [{"image": "app:1"}]}},
            "/spec/pod",
            "expected containers, saw Containers",
            id="containers in other letters",
        ),
        pytest.param(
            {"pod": {"containers": [], "InitContainers": [{"image": "app:1"}]}},
            "/spec/pod",
            "expected initContainers, saw InitContainers",
            id="init containers in other letters",
        ),
        pytest.param(
            {"pod": {"Spec": {"containers": [{"image": "app:1"}]}}},
            "/spec/pod",
            "expected spec, saw Spec",
            id="a template in other letters",
        ),
    ],
)
def test_refuses_what_is_neither(spec: Any, pointer: str, message: str) -> None:
    """A policy that says images are there, and an object that has something else."""
    with pytest.raises(Malformed, match=message):
        found(machine(**spec), pointer)


def test_says_so_of_one_kind_in_all_its_versions() -> None:
    """And of no other kind, nor of a group that only looks like it."""
    said = "/spec/image"

    assert found(machine("v1beta1", image="app:1"), said) == ["app:1"]
    assert not found(tree("Machine", "acme.test/v1", spec={"image": "app:1"}), said)
    assert not found(tree("Engine", "acme.example/v1", spec={"image": "app:1"}), said)
    assert not images(machine(image="app:1"))


def test_paths_add_to_what_is_seen_anyway() -> None:
    """An annotation of a built-in kind may name the image of a sidecar."""
    proxied = deployment()
    proxied["metadata"]["annotations"] = {"proxy.example/image": "proxy:1"}
    paths = (
        ImagePaths(
            kind=GroupKind("apps", "Deployment"),
            paths=("/metadata/annotations/proxy.example~1image",),
        ),
    )

    assert [image.reference for image in images(proxied, paths)] == ["app:1", "proxy:1"]
