"""``spec.images``: registries by name, places in custom kinds, and what an index is."""

from typing import Any

import pytest

from countersign.binding.kinds import BUILT_IN_GROUPS
from countersign.binding.references import parse_reference
from countersign.core.errors import Malformed
from countersign.core.types.globs import glob
from countersign.core.types.policy import Images, ImageSubject, Policy
from countersign.wire.resources import objects
from countersign.wire.resources.images import SERVER_GROUPS
from countersign.wire.resources.read import Invalid
from countersign.wire.resources.resolve import resolve
from tests.support import resources as stored


def resolved(**images: Any) -> Policy:
    """Resolve a policy that says this of images."""
    return resolve(
        "payments",
        objects.policy(stored.policy(images=images)),
        [objects.roster(stored.roster())],
        ["public-good"],
    )


def problems(**images: Any) -> tuple[str, ...]:
    """Return what is wrong with what a policy says of images."""
    with pytest.raises(Invalid) as raised:
        resolved(**images)
    return raised.value.problems


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("ghcr.io/acme/*", "ghcr.io/acme/*"),
        ("registry:5000/a/b-c/d_e", "registry:5000/a/b-c/d_e"),
        ("localhost/a", "localhost/a"),
        ("[::1]:5000/a", "[::1]:5000/a"),
        ("docker.io/acme/*", "docker.io/acme/*"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("docker.io/*", "docker.io/library/*"),
        ("index.docker.io/acme/x", "docker.io/acme/x"),
        ("ghcr.io/a-*/*-b", "ghcr.io/a-*/*-b"),
    ],
)
def test_registries_are_named_and_read_as_references_are(said: str, read: str) -> None:
    """Docker Hub's short forms mean what they mean to the kubelet."""
    assert resolved(registries=[said]).images.registries == (read,)


@pytest.mark.parametrize(
    "image", ["nginx", "docker.io/nginx", "index.docker.io/library/nginx", "acme/x"]
)
def test_a_pattern_is_of_the_images_that_it_would_be_the_name_of(image: str) -> None:
    """What is written with its host as a pattern matches what is run by that name."""
    reference = parse_reference(image)
    assert reference is not None
    full = image if image.count(".") else f"docker.io/{image}"

    (pattern,) = resolved(registries=[full]).images.registries

    assert glob(pattern, "/").fullmatch(reference.repository)


@pytest.mark.parametrize(
    "said",
    [
        "*",
        "*/acme",
        "*.ghcr.io/acme/x",
        "gh*.io/acme",
        "ghcr.io",
        "ghcr.io/",
        "acme/*",
        "nginx",
        "GHCR.io/acme/x",
        "ghcr.io/acme/x:v1",
        f"ghcr.io/acme/x@sha256:{'a' * 64}",
        "https://ghcr.io/acme",
        "user@ghcr.io/acme",
        "ghcr.io//acme",
        "ghcr.io/acme/",
        "ghcr.io/acme/x\n",
        "ghcr.io:port/acme",
        "-ghcr.io/acme",
        f"{'a' * 600}.io/acme",
        7,
        "",
    ],
)
def test_a_registry_that_is_not_named_is_refused(said: object) -> None:
    """A star for a host would let whoever writes an object choose whom we ask."""
    (problem,) = problems(registries=[said])

    assert problem.startswith("spec.images.registries[0]: expected a registry's host")


def test_subjects_are_what_they_say() -> None:
    """Silence is either."""
    assert resolved().images.subject is ImageSubject.EITHER
    for subject in ImageSubject:
        known = resolved(subject=subject.value, registries=["ghcr.io/acme/*"])
        assert known.images.subject is subject


def test_each_platform_cannot_be_asked_for_where_no_registry_can_tell() -> None:
    """Every index would be denied, for ever."""
    (problem,) = problems(subject="allPlatforms")

    assert "expected registries beside allPlatforms" in problem
    with pytest.raises(Malformed, match="registries beside allPlatforms"):
        Images(subject=ImageSubject.ALL_PLATFORMS)


@pytest.mark.parametrize(
    ("place", "path"),
    [
        pytest.param({"paths": ["spec/image"]}, ".paths[0]", id="no pointer"),
        pytest.param({"paths": ["/"]}, ".paths[0]", id="to nothing"),
        pytest.param({"paths": ["/spec/a~2"]}, ".paths[0]", id="a bad escape"),
        pytest.param({"paths": ["/spec//image"]}, ".paths[0]", id="an empty token"),
        pytest.param({"paths": []}, ".paths", id="no path"),
        pytest.param({"paths": ["/a"] * 65}, ".paths", id="more than are read"),
        pytest.param({"paths": [f"/{'a' * 1024}"]}, ".paths[0]", id="too long a path"),
        pytest.param({"group": "apps", "kind": "Deployment"}, "", id="a built-in kind"),
        pytest.param({"group": ""}, ".group", id="the core group"),
        pytest.param({"group": "networking.k8s.io"}, "", id="a group of the server"),
        pytest.param({"version": "v1"}, ".version", id="a version: all are alike"),
    ],
)
def test_places_are_pointers_into_custom_kinds(
    place: dict[str, Any], path: str
) -> None:
    """Where built-in kinds have their images is known."""
    good = {"group": "shop.example", "kind": "Widget", "paths": ["/spec/image"]}

    problem, *_ = problems(paths=[good | place])

    assert problem.startswith(f"spec.images.paths[0]{path}: ")


def test_the_groups_of_the_server_are_those_that_binding_knows() -> None:
    """One that is new there is new here."""
    assert {group for group in BUILT_IN_GROUPS if "." in group} == SERVER_GROUPS
