"""Images: which an object would run, and what their references say."""

import pytest

from countersign.binding.images import images
from countersign.binding.podspecs import POD_SPECS
from countersign.binding.references import Reference, parse_reference
from countersign.binding.tables import KINDS, TYPES, ListOf, MapOf, Shape, Structure
from countersign.core.types.artifacts import Algorithm, Digest, Image
from tests.support.trees import Tree, deployment, pod, tree

HEX = "9ae97d36d26566ff84e8893c64a6dc4fe8ca6d1144bf5b87b2b85a32def253c7"
PINNED = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("image", "repository", "tag", "digest"),
    [
        ("nginx", "docker.io/library/nginx", "", ""),
        ("nginx:1.27", "docker.io/library/nginx", "1.27", ""),
        ("acme/app", "docker.io/acme/app", "", ""),
        ("docker.io/nginx", "docker.io/library/nginx", "", ""),
        ("index.docker.io/nginx", "docker.io/library/nginx", "", ""),
        ("localhost/app", "localhost/app", "", ""),
        ("host:5000/app", "host:5000/app", "", ""),
        ("host:5000/app:1", "host:5000/app", "1", ""),
        ("host:5000", "docker.io/library/host", "5000", ""),
        ("Host/app", "Host/app", "", ""),
        ("[::1]:5000/app", "[::1]:5000/app", "", ""),
        (f"ghcr.io/a/b/c:v1@{PINNED}", "ghcr.io/a/b/c", "v1", PINNED),
        (f"app@{PINNED}", "docker.io/library/app", "", PINNED),
        (f"app@sha512:{HEX}{HEX}", "docker.io/library/app", "", f"sha512:{HEX}{HEX}"),
        ("a__b--c.d", "docker.io/library/a__b--c.d", "", ""),
    ],
)
def test_reads_references_as_the_kubelet_does(
    image: str, repository: str, tag: str, digest: str
) -> None:
    """Docker Hub's short names, ports that are no tags, tags beside digests."""
    assert parse_reference(image) == Reference(repository, tag, digest)


@pytest.mark.parametrize(
    "image",
    [
        "",
        " nginx",
        "nginx\n",
        "NGINX",
        "a/B",
        "a//b",
        "a___b",
        "-a",
        "a:",
        "a:-x",
        "http://a/b",
        "<image>",
        HEX,
        f"app@sha256:{HEX[:-1]}",
        f"app@sha256:{HEX.upper()}",
        f"app@md5:{HEX}",
        "a/" + "b" * 256,
        "é",
        "x" * 5000,
        7,
        None,
    ],
)
def test_refuses_what_is_no_reference(image: object) -> None:
    """It has no repository that a rule could match."""
    assert parse_reference(image) is None


def test_finds_every_image_of_a_pod() -> None:
    """Three lists of containers, and volumes that are images; each once, sorted."""
    found = images(
        pod(
            initContainers=[{"name": "i", "image": "init"}],
            ephemeralContainers=[{"name": "e", "image": "debug"}],
            volumes=[
                {"name": "m", "image": {"reference": f"model@{PINNED}"}},
                {"name": "n", "emptyDir": {}},
            ],
            containers=[{"name": n, "image": "app:1"} for n in "ab"] + [{"name": "c"}],
        )
    )

    assert [image.reference for image in found] == [
        "app:1",
        "debug",
        "init",
        f"model@{PINNED}",
    ]
    assert found[3].digest == Digest(Algorithm.SHA256, HEX)
    assert all(image.digest is None for image in found[:3])


def test_a_reference_that_cannot_be_read_pins_nothing() -> None:
    """It is there, so that something must cover it, and nothing can."""
    other = f"app@sha512:{HEX}{HEX}"

    assert images(deployment(image="<app>")) == (Image("<app>", ""),)
    assert images(deployment(image=other)) == (Image(other, "docker.io/library/app"),)


@pytest.mark.parametrize(
    "template",
    [
        tree("ReplicationController", spec={"template": {"spec": {}}}),
        deployment(),
        tree("ReplicaSet", "apps/v1", spec=deployment()["spec"]),
        tree("StatefulSet", "apps/v1", spec=deployment()["spec"]),
        tree("DaemonSet", "apps/v1", spec=deployment()["spec"]),
        tree("Job", "batch/v1", spec=deployment()["spec"]),
        tree(
            "CronJob", "batch/v1", spec={"jobTemplate": {"spec": deployment()["spec"]}}
        ),
    ],
    ids=lambda t: t["kind"],
)
def test_finds_the_images_of_templates(template: Tree) -> None:
    """In every kind that makes Pods."""
    found = [image.reference for image in images(template)]

    assert found == ([] if template["kind"] == "ReplicationController" else ["app:1"])


def test_other_kinds_run_nothing() -> None:
    """A Service has no images, whatever it holds."""
    assert images(tree("Service", spec={"containers": [{"image": "x"}]})) == ()


def test_knows_every_place_where_a_pod_is_specified() -> None:
    """The type table says where; a kind that is added cannot be forgotten."""
    found = {
        name: path
        for name, kind in KINDS.items()
        for path in pod_spec_paths(Structure(pointer=False, type=kind.type), "", ())
    }

    assert found == dict(POD_SPECS)


def pod_spec_paths(shape: Shape, path: str, seen: tuple[str, ...]) -> list[str]:
    """Return the JSON pointers to PodSpecs below a shape."""
    match shape:
        case Structure(type="core/v1.PodSpec"):
            return [path]
        case Structure(type=name) if name not in seen:
            return [
                found
                for field, below in TYPES[name].items()
                for found in pod_spec_paths(below, f"{path}/{field}", (*seen, name))
            ]
        case ListOf(item=item) | MapOf(item=item):
            return pod_spec_paths(item, f"{path}/*", seen)
        case _:
            return []
