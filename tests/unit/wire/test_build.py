"""SLSA provenance v1, as real builders write it: of one commit, or refused.

The samples have the shape of what each builder documents, and every field that matters
to the reader; people's names in them are ours.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Foreign, Malformed
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.core.types.evidence import Build
from countersign.wire.attestation import parse_attestation

COMMIT, OTHER = "9f" * 20, "1d" * 20
IMAGE, LAYER = "3b" * 32, "28" * 32
GITHUB = "https://github.com/acme/payments"
GITLAB = "https://gitlab.com/acme/payments"
GENERATOR = "https://github.com/slsa-framework/slsa-github-generator"

Sample = dict[str, Any]


def statement(definition: Sample, builder: str, **changes: Any) -> Sample:
    """Return a statement of `builder` about one image."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "ghcr.io/acme/payments", "digest": {"sha256": IMAGE}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": definition,
            "runDetails": {
                "builder": {"id": builder},
                "metadata": {
                    "invocationId": f"{GITHUB}/actions/runs/1/attempts/1",
                    "startedOn": "2026-11-22T17:00:00Z",
                },
            },
        },
        **changes,
    }


def dependency(uri: str, *, name: str = "", **digest: str) -> Sample:
    """Return a resolved dependency."""
    named = {"name": name} if name else {}
    return {**named, "uri": uri, "digest": digest}


def github(
    build_type: str = "https://actions.github.io/buildtypes/workflow/v1",
) -> Sample:
    """Return what ``actions/attest-build-provenance`` signs."""
    definition = {
        "buildType": build_type,
        "externalParameters": {
            "workflow": {
                "ref": "refs/heads/main",
                "repository": GITHUB,
                "path": ".github/workflows/build.yml",
            }
        },
        "internalParameters": {
            "github": {
                "event_name": "push",
                "repository_id": "486325809",
                "runner_environment": "github-hosted",
            }
        },
        "resolvedDependencies": [
            dependency(f"git+{GITHUB}@refs/heads/main", gitCommit=COMMIT)
        ],
    }
    return statement(
        definition, f"{GITHUB}/.github/workflows/build.yml@refs/heads/main"
    )


def container_based() -> Sample:
    """Return what slsa-github-generator's ``docker-based`` builder signs."""
    definition = {
        "buildType": "https://slsa.dev/container-based-build/v0.1?draft",
        "externalParameters": {
            "source": dependency(f"git+{GITHUB}@refs/heads/main", sha1=COMMIT),
            "builderImage": dependency(f"bash@sha256:{LAYER}", sha256=LAYER),
            "configPath": ".github/configs-docker/config.toml",
            "buildConfig": {"ArtifactPath": "bin/**", "Command": ["make"]},
        },
        "resolvedDependencies": [
            dependency(f"git+{GENERATOR}@refs/tags/v2.1.0", sha256=LAYER)
        ],
    }
    return statement(
        definition,
        f"{GENERATOR}/.github/workflows/builder_docker-based_slsa3.yml@refs/tags/v2.1.0",
    )


def delegated() -> Sample:
    """Return what a builder on slsa-github-generator's framework signs."""
    definition = {
        "buildType": f"{GENERATOR}/delegator-generic@v0",
        "externalParameters": {"inputs": {"rekor-log-public": False}, "vars": {}},
        "internalParameters": {"GITHUB_SHA": COMMIT, "GITHUB_RUN_ID": "5"},
        "resolvedDependencies": [
            dependency(f"git+{GITHUB}@refs/tags/v1", sha1=COMMIT),
            dependency("https://github.com/actions/runner-images", sha256=LAYER),
        ],
    }
    return statement(
        definition,
        f"{GENERATOR}/.github/workflows/builder_maven_slsa3.yml@refs/tags/v2.1.0",
        _type="https://in-toto.io/Statement/v0.1",
    )


def gitlab(
    build_type: str = "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/2147fb44/PROVENANCE.md",
    key: str = "sha256",
) -> Sample:
    """Return what the runner of GitLab writes."""
    definition = {
        "buildType": build_type,
        "externalParameters": {
            "CI": "",
            "CI_COMMIT_BRANCH": "",
            "entryPoint": "build-job",
            "source": GITLAB,
        },
        "internalParameters": {
            "architecture": "amd64",
            "executor": "docker+machine",
            "job": "10340684631",
            "name": "green-4.saas-linux-small-amd64.runners-manager.gitlab.com/default",
        },
        "resolvedDependencies": [dependency(GITLAB, **{key: COMMIT})],
    }
    return statement(
        definition,
        f"{GITLAB}/-/runners/12270857",
        _type="https://in-toto.io/Statement/v0.1",
    )


def tekton(build_type: str = "https://tekton.dev/chains/v2/slsa") -> Sample:
    """Return what Tekton Chains signs of a pipeline."""
    git_init = "oci://gcr.io/tekton-releases/github.com/tektoncd/pipeline/cmd/git-init"
    definition = {
        "buildType": build_type,
        "externalParameters": {
            "runSpec": {
                "pipelineRef": {
                    "resolver": "git",
                    "params": [{"name": "url", "value": "https://github.com/acme/ci"}],
                },
                "params": [{"name": "git-repo", "value": GITHUB}],
            }
        },
        "internalParameters": {
            "tekton-pipelines-feature-flags": {"EnableAPIFields": "stable"}
        },
        "resolvedDependencies": [
            dependency("git+https://github.com/acme/ci", name="pipeline", sha1=OTHER),
            dependency(
                "git+https://github.com/tektoncd/catalog.git",
                name="pipelineTask",
                sha1="ab" * 20,
            ),
            dependency(git_init, sha256=LAYER),
            dependency(f"git+{GITHUB}.git", name="inputs/result", sha1=COMMIT),
            dependency("oci://ghcr.io/acme/base", name="inputs/result", sha256=LAYER),
        ],
    }
    return statement(
        definition,
        "https://tekton.dev/chains/v2",
        _type="https://in-toto.io/Statement/v0.1",
    )


SAMPLES = [
    pytest.param(github(), GITHUB, id="GitHub"),
    pytest.param(
        github(
            "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"
        ),
        GITHUB,
        id="GitHub as SLSA wrote it first",
    ),
    pytest.param(
        github(f"{GENERATOR}/container@v1"), GITHUB, id="generator of containers"
    ),
    pytest.param(github(f"{GENERATOR}/generic@v1"), GITHUB, id="generic generator"),
    pytest.param(container_based(), GITHUB, id="docker-based builder"),
    pytest.param(delegated(), GITHUB, id="delegated builder"),
    pytest.param(gitlab(), GITLAB, id="GitLab's runner"),
    pytest.param(
        gitlab(
            "https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1",
            "gitCommit",
        ),
        GITLAB,
        id="GitLab itself",
    ),
    pytest.param(tekton(), GITHUB, id="Tekton"),
    pytest.param(
        tekton("https://tekton.dev/chains/v2/slsa-tekton"), GITHUB, id="Tekton in full"
    ),
]


def parse(sample: Sample) -> Build:
    """Read the claim of a sample."""
    claim = parse_attestation(json.dumps(sample).encode()).claim
    assert isinstance(claim, Build)
    return claim


def definition(sample: Sample) -> Sample:
    """Return the part of a sample that says what was built."""
    found: Sample = sample["predicate"]["buildDefinition"]
    return found


def dependencies(sample: Sample) -> list[Sample]:
    """Return what went into a sample."""
    found: list[Sample] = definition(sample)["resolvedDependencies"]
    return found


@pytest.mark.parametrize(("sample", "repository"), SAMPLES)
def test_each_builder_says_of_which_commit(sample: Sample, repository: str) -> None:
    """Repository without its reference, commit as git counts it."""
    claim = parse(sample)

    assert claim == Build(
        repository=repository,
        commit=Digest(Algorithm.GIT_COMMIT, COMMIT),
        builder=sample["predicate"]["runDetails"]["builder"]["id"],
        type=definition(sample)["buildType"],
    )


@pytest.mark.parametrize(("sample", "repository"), SAMPLES)
def test_subjects_are_the_images(sample: Sample, repository: str) -> None:
    """By SHA-256, whatever else stands beside it."""
    sample = deepcopy(sample)
    sample["subject"].append(
        {"name": "other", "digest": {"sha256": LAYER, "sha512": "ab" * 64, "sha1": "x"}}
    )

    read = parse_attestation(json.dumps(sample).encode())

    assert {s.digest.value for s in read.subjects} == {IMAGE, LAYER}
    assert repository


def refused(sample: Sample) -> str:
    """Return why a sample is refused."""
    with pytest.raises(Malformed) as error:
        parse(sample)
    return str(error.value)


@pytest.mark.parametrize(("sample", "repository"), SAMPLES)
class TestSource:
    """What must be sure of each builder's source."""

    def test_two_commits_of_it_are_none(self, sample: Sample, repository: str) -> None:
        """Whichever is shown first."""
        sample = deepcopy(sample)
        twice = {"name": "inputs/result", "uri": f"git+{repository}@refs/heads/other"}
        dependencies(sample).append(twice | {"digest": {"gitCommit": OTHER}})

        assert "expected one commit" in refused(sample)

    def test_the_same_twice_is_one(self, sample: Sample, repository: str) -> None:
        """Under another reference, or spelt otherwise."""
        doubled = deepcopy(sample)
        twice = {"name": "inputs/result", "uri": f"git+{repository}.git@{COMMIT}"}
        dependencies(doubled).append(twice | {"digest": {"gitCommit": COMMIT}})

        assert parse(doubled) == parse(sample)

    def test_is_found_whatever_else_went_in(
        self, sample: Sample, repository: str
    ) -> None:
        """Another repository is another thing."""
        more = deepcopy(sample)
        for uri in ("git+https://github.com/acme/tools", "pkg:npm/left-pad@1", ""):
            dependencies(more).append({"uri": uri, "digest": {"gitCommit": OTHER}})

        assert parse(more) == parse(sample)
        assert repository

    @pytest.mark.parametrize(
        "digest",
        [
            pytest.param({}, id="none"),
            pytest.param({"sha512": "ab" * 64}, id="no commit"),
            pytest.param({"gitCommit": COMMIT, "sha1": OTHER}, id="two"),
            pytest.param({"gitCommit": COMMIT[:39]}, id="cut short"),
            pytest.param({"sha1": COMMIT.upper()}, id="in upper case"),
            pytest.param({"gitCommit": 7}, id="no text"),
        ],
    )
    def test_needs_one_commit_for_a_digest(
        self, sample: Sample, repository: str, digest: Sample
    ) -> None:
        """Nothing is guessed from another field."""
        sample = deepcopy(sample)
        text = json.dumps(sample)
        for key in ("gitCommit", "sha1", "sha256"):
            text = text.replace(json.dumps({key: COMMIT}), json.dumps(digest))

        assert refused(json.loads(text))
        assert repository

    def test_needs_its_parameters(self, sample: Sample, repository: str) -> None:
        """Which of the dependencies it is, they say."""
        sample = deepcopy(sample)
        definition(sample).update(externalParameters={}, resolvedDependencies=[])

        assert refused(sample)
        assert repository

    def test_of_another_build_type_is_nobodys(
        self, sample: Sample, repository: str
    ) -> None:
        """Even where there is only one repository: it could be the build's own."""
        sample = deepcopy(sample)
        definition(sample)["buildType"] = "https://elsewhere.example/build/v1"

        with pytest.raises(Foreign, match=r"elsewhere\.example"):
            parse(sample)
        assert repository


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda s: s.update(
                subject=[{"name": "c", "digest": {"gitCommit": COMMIT}}]
            ),
            id="about nothing by SHA-256",
        ),
        pytest.param(
            lambda s: s.update(predicateType="https://slsa.dev/provenance/v0.2"),
            id="of the version before",
        ),
        pytest.param(lambda s: s["predicate"].pop("buildDefinition"), id="of no build"),
        pytest.param(lambda s: definition(s).pop("buildType"), id="of no type"),
        pytest.param(
            lambda s: definition(s).update(externalParameters=[]),
            id="with parameters that are a list",
        ),
        pytest.param(
            lambda s: definition(s)["externalParameters"].update(workflow="x"),
            id="with a workflow that is text",
        ),
        pytest.param(
            lambda s: definition(s)["externalParameters"]["workflow"].update(
                repository=["x"]
            ),
            id="with a repository that is a list",
        ),
        pytest.param(
            lambda s: definition(s)["externalParameters"]["workflow"].update(
                repository="acme/payments"
            ),
            id="with a repository that is no address",
        ),
        pytest.param(
            lambda s: definition(s)["externalParameters"]["workflow"].update(
                repository="https://github.com/acme/other"
            ),
            id="of a repository that nothing was resolved of",
        ),
        pytest.param(
            lambda s: definition(s).update(
                resolvedDependencies=[dependencies(s)[0]] * 4097
            ),
            id="with more dependencies than are read",
        ),
    ],
)
def test_what_is_no_provenance_of_a_build_is_refused(
    spoil: Callable[[Sample], object],
) -> None:
    """With what was expected, and what was seen."""
    sample = github()
    spoil(sample)

    assert refused(sample)


@pytest.mark.parametrize(
    "build_type",
    [
        "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/a/b/PROVENANCE.md",
        "https://gitlab.com.evil.example/gitlab-org/gitlab-runner/-/blob/v1/PROVENANCE.md",
        "https://gitlab.com/mallory/gitlab-runner/-/blob/v1/PROVENANCE.md",
        "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v1/PROVENANCE.md\n",
    ],
)
def test_a_type_like_gitlabs_is_not_gitlabs(build_type: str) -> None:
    """The convention under which a commit stands as SHA-256 is the runner's alone."""
    assert "build type" in refused(gitlab(build_type))


def test_a_commit_under_sha256_is_a_commit_of_gitlab_only() -> None:
    """Elsewhere it is the digest of a file."""
    sample = github()
    dependencies(sample)[0]["digest"] = {"sha256": LAYER}

    assert "gitCommit or sha1" in refused(sample)


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param([], id="none: the pipeline is no source"),
        pytest.param(
            [f"git+{GITHUB}", "git+https://github.com/acme/more"], id="two repositories"
        ),
    ],
)
def test_a_pipeline_of_other_than_one_source_is_refused(inputs: list[str]) -> None:
    """Which of them the image is made of nobody says."""
    sample = tekton()
    kept = [d for d in dependencies(sample) if d.get("name") != "inputs/result"]
    named = [dependency(uri, name="inputs/result", sha1=COMMIT) for uri in inputs]
    definition(sample)["resolvedDependencies"] = kept + named

    assert "inputs/result" in refused(sample)


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        ("git+https://github.com/acme/payments.git@refs/heads/a@b", GITHUB),
        ("git+https://github.com/acme/payments/", GITHUB),
        ("git+ssh://git@git.example:22/acme/p@v1", "ssh://git@git.example:22/acme/p"),
    ],
)
def test_an_address_is_read_without_its_reference(uri: str, repository: str) -> None:
    """A name before the host is no reference."""
    sample = container_based()
    definition(sample)["externalParameters"]["source"]["uri"] = uri

    assert parse(sample).repository == repository


@given(st.data())
def test_no_mutation_is_anything_but_refused_or_the_same(data: st.DataObject) -> None:
    """Whatever is put in place of any value: never another error, or another commit.

    Seen to fail with digests taken for text unasked.
    """
    makers = [github, container_based, delegated, gitlab, tekton]
    sample = data.draw(st.sampled_from(makers))()
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            places.append((node, key))
            if isinstance(value, dict | list):
                walk(value)

    walk(definition(sample))
    node, key = data.draw(st.sampled_from(places))
    node[key] = data.draw(
        st.none() | st.text(max_size=9) | st.integers() | st.just([]) | st.just({})
    )

    with suppress(Malformed):
        assert parse(sample).commit.value == COMMIT
