"""Images: which an object would run, and what their references say."""

import json

import pytest

from countersign.binding.images import images, readable_images
from countersign.binding.podspecs import POD_SPECS
from countersign.binding.references import Reference, parse_reference
from countersign.binding.tables import KINDS, TYPES, ListOf, MapOf, Shape, Structure
from countersign.core.errors import Malformed
from countersign.core.rules.artifacts import is_third_party
from countersign.core.types.artifacts import Algorithm, Digest, Image
from countersign.core.types.policy import Images, ThirdParty
from tests.support import a
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
        ("a_b.example/app", "a_b.example/app", "", ""),
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
        "registry.example./app",
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


@pytest.mark.parametrize(
    "image",
    [
        "REGISTRY.example/team/app",
        "registry.example:443/team/app",
        "registry.example./team/app",
        "registry-1.docker.io/library/nginx",
        "Docker.io/library/nginx",
        "docker.io:443/library/nginx",
        "library/nginx/",
    ],
)
def test_another_spelling_of_a_registry_is_another_one(image: str) -> None:
    """Whether a node would ask the same server for it nobody knows: doubt denies."""
    others = (
        ThirdParty(repository="registry.example/team/*"),
        ThirdParty(repository="docker.io/library/*"),
    )
    (found,) = images(pod(containers=[{"name": "a", "image": f"{image}@{PINNED}"}]))

    assert not is_third_party(a.policy(images=Images(third_party=others)), found)


@pytest.mark.parametrize(
    "image",
    ["nginx", "library/nginx", "docker.io/nginx", "index.docker.io/library/nginx"],
)
def test_short_names_are_of_docker_hub(image: str) -> None:
    """All of them are one repository to a policy, as they are to the kubelet."""
    policy = a.policy(
        images=Images(third_party=(ThirdParty(repository="docker.io/library/nginx"),))
    )
    (found,) = images(pod(containers=[{"name": "a", "image": f"{image}@{PINNED}"}]))

    assert is_third_party(policy, found)


@pytest.mark.parametrize("image", [PINNED, "sha256:9ae97d", f"sha512:{HEX}{HEX}"])
def test_the_id_of_an_image_names_no_repository(image: str) -> None:
    """It parses as a tag of Docker Hub's; the runtime takes what the node has by it."""
    assert images(deployment(image=image)) == (Image(image, ""),)


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


def test_what_cannot_be_read_shows_no_image() -> None:
    """Where nothing is judged by it."""
    broken = pod(containers=[{"name": "a", "image": 1}])

    assert readable_images(deployment()) == images(deployment())
    assert readable_images(None) == readable_images(broken) == ()
    with pytest.raises(Malformed):
        images(broken)


def test_other_kinds_run_nothing() -> None:
    """A Service has no images, whatever it holds."""
    assert images(tree("Service", spec={"containers": [{"image": "x"}]})) == ()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"spec": {"template": deployment()["spec"]["template"]}}, ["app:1"]),
        ({"spec": {"template": {"spec": {"domain": {"cpu": 1}}}}}, []),
        ({"spec": {"template": "app:1"}}, []),
        ({"instancetype": {"spec": {}}}, []),
        ("app:1", []),
        (None, []),
    ],
    ids=["of a workload", "of a machine", "text", "of others", "a string", "nothing"],
)
def test_finds_the_images_of_older_templates(data: object, found: list[str]) -> None:
    """A StatefulSet makes Pods of what its revisions hold."""
    revision = tree("ControllerRevision", "apps/v1", data=data, revision=1)

    assert [image.reference for image in images(revision)] == found


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("spec", "Spec"),
        ("template", "Template"),
        ("containers", "Containers"),
        ("containers", "container\N{LATIN SMALL LETTER LONG S}"),
        ("image", "Image"),
    ],
)
def test_a_revision_is_written_in_no_other_letters(name: str, other: str) -> None:
    """The controller manager reads revisions with Go's own decoder, which minds none."""
    data = {"spec": {"template": {"spec": {"containers": [{"image": "evil:1"}]}}}}
    text = json.dumps(data).replace(f'"{name}"', json.dumps(other))

    with pytest.raises(Malformed, match=rf"^/data.*expected {name}, saw {other}"):
        images(tree("ControllerRevision", "apps/v1", data=json.loads(text), revision=1))


def test_knows_every_field_that_names_an_image() -> None:
    """A field that a minor adds must be read, or said here to name none that is run."""
    fields = {
        f"{name}.{field}"
        for name, known in TYPES.items()
        for field, shape in known.items()
        if "image" in field.lower() or "image" in str(shape).lower()
    }

    assert fields == {*READ, *NOT_RUN}
    assert TYPES["core/v1.ImageVolumeSource"].keys() == {"reference", "pullPolicy"}


READ = {
    "core/v1.Container.image",
    "core/v1.EphemeralContainer.image",
    "core/v1.Volume.image",
}
NOT_RUN = {
    "core/v1.Container.imagePullPolicy",
    "core/v1.EphemeralContainer.imagePullPolicy",
    "core/v1.PodSpec.imagePullSecrets",
    "core/v1.ServiceAccount.imagePullSecrets",
    # block devices of Ceph
    "core/v1.RBDPersistentVolumeSource.image",
    "core/v1.RBDVolumeSource.image",
    # of what runs already
    "core/v1.ContainerStatus.image",
    "core/v1.ContainerStatus.imageID",
    "core/v1.ImageVolumeStatus.imageRef",
    "core/v1.NodeStatus.images",
    "core/v1.NodeSystemInfo.osImage",
    "core/v1.VolumeStatus.image",
}


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
