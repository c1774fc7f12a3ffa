"""SLSA provenance v1: which commit a builder made its artifacts of.

The predicate lists everything that went into a build; which of it is *the* source is the
convention of each build type, so only types whose convention we know are read. Guessing
would let a builder's own scripts, as the only repository that is listed, stand for a
source that nobody reviewed.

Source:
    slsa.dev/spec/v1.0/provenance, ``buildDefinition`` and ``runDetails``; for each type
    its own page, named at its rule.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import Field

from countersign.core.errors import Foreign, Malformed
from countersign.core.rules.collectors import repository
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.core.types.evidence import Build
from countersign.wire.shapes import Shape, shaped
from countersign.wire.statement import Statement

TYPE = "https://slsa.dev/provenance/v1"

MAX_DEPENDENCIES = 4096  # of one build; those that list packages too have hundreds
_MAX_SHOWN = 120  # characters of what was seen, in messages

_GIT_KEYS = ("gitCommit", "sha1")  # in-toto's name, and that of SLSA before it
_GITLAB_KEYS = (*_GIT_KEYS, "sha256")  # the runner files the revision under this one
_URI = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*://[^/@\s]*(?:@[^/@\s]*)?/[^@\s]+)(?:@\S*)?"
)
_GITLAB = re.compile(
    r"https://gitlab\.com/gitlab-org/gitlab-runner/-/blob/[^/\s]+/PROVENANCE\.md"
)


class _Resource(Shape):
    uri: str = ""
    name: str = ""
    digest: dict[str, Any] = Field(default_factory=dict)


class _Definition(Shape):
    build_type: str = Field(min_length=1)
    external_parameters: dict[str, Any] = Field(default_factory=dict)
    resolved_dependencies: list[_Resource] = Field(
        default_factory=list, max_length=MAX_DEPENDENCIES
    )


class _Builder(Shape):
    id: str = ""


class _Details(Shape):
    builder: _Builder = Field(default_factory=_Builder)


class _Predicate(Shape):
    build_definition: _Definition
    run_details: _Details = Field(default_factory=_Details)


Finder = Callable[[_Definition], tuple[str, Digest]]


def parse_build(statement: Statement) -> Build:
    """Read the claim of SLSA provenance v1.

    Raises:
        Foreign: its build type is not one whose source is known.
        Malformed: it is none, nothing in it is a file or image by SHA-256, or it does
            not say of exactly one commit.

    Limits:
        `MAX_DEPENDENCIES`.
    """
    shape = shaped(_Predicate, statement.predicate, "SLSA provenance")
    if all(s.digest.algorithm is not Algorithm.SHA256 for s in statement.subjects):
        raise Malformed("SLSA provenance: expected a subject with a sha256 digest")
    definition = shape.build_definition
    where, commit = _finder(definition.build_type)(definition)
    return Build(
        repository=where,
        commit=commit,
        builder=shape.run_details.builder.id,
        type=definition.build_type,
    )


def _finder(build_type: str) -> Finder:
    if found := _TYPES.get(build_type):
        return found
    if _GITLAB.fullmatch(build_type):
        return _gitlab
    raise Foreign(
        "SLSA provenance: expected a build type whose source is known (GitHub's, "
        f"slsa-github-generator's, GitLab's, Tekton's), saw {build_type[:_MAX_SHOWN]!r}"
    )


def _workflow(definition: _Definition) -> tuple[str, Digest]:
    """Read a workflow of GitHub Actions: the repository that holds it is the source.

    Source:
        actions.github.io/buildtypes/workflow/v1 and, which it comes from,
        slsa-framework.github.io/github-actions-buildtypes/workflow/v1: the field
        ``externalParameters.workflow.repository``, and the dependency of its address.
    """
    named = _object(definition, "workflow").get("repository")
    return _named(definition, named, "externalParameters.workflow.repository")


def _source(definition: _Definition) -> tuple[str, Digest]:
    """Read a build in a container: the source is a parameter with its digest.

    Source:
        slsa.dev/container-based-build/v0.1, ``externalParameters.source``, as the
        builder ``docker-based`` of slsa-github-generator writes it.
    """
    said = shaped(_Resource, _object(definition, "source"), "externalParameters.source")
    return _one([said, *_of(definition, said.uri)], said.uri)


def _delegated(definition: _Definition) -> tuple[str, Digest]:
    """Read a builder on GitHub's delegation framework: the first dependency it is.

    Source:
        slsa-verifier, ``BYOBProvenance.SourceURI``.
    """
    first = next(iter(definition.resolved_dependencies), _Resource())
    return _named(definition, first.uri, "resolvedDependencies[0].uri")


def _gitlab(definition: _Definition) -> tuple[str, Digest]:
    """Read a job of GitLab: its project is the source.

    Source:
        docs.gitlab.com/ci/runners/configure_runners, "Provenance metadata format":
        ``externalParameters.source``, and ``resolvedDependencies[0].digest.sha256`` is
        the revision: a commit under the name of another algorithm.
    """
    named = definition.external_parameters.get("source")
    return _named(definition, named, "externalParameters.source", keys=_GITLAB_KEYS)


def _tekton(definition: _Definition) -> tuple[str, Digest]:
    """Read a run of Tekton: what its tasks say they took as input, if that is one commit.

    Where pipeline and tasks come from (``pipeline``, ``task``, ``pipelineTask``) is no
    source. Chains lists an input only once: where pipeline and source lie in one commit
    it may leave the input out. Then nothing says what was built.

    Source:
        tektoncd/chains, docs/predicate/slsa/v2.md, "Resolved Dependencies", and
        ``RemoveDuplicateResolvedDependencies``.
    """
    inputs = [
        dependency
        for dependency in definition.resolved_dependencies
        if dependency.name == "inputs/result" and dependency.uri.startswith("git+")
    ]
    where = {_address(dependency.uri) for dependency in inputs}
    if len(where) != 1:
        seen = ", ".join(sorted(where))[:_MAX_SHOWN] or "none"
        raise Malformed(
            "SLSA provenance: expected one repository among the dependencies named "
            f"inputs/result, saw {seen}"
        )
    return _one(inputs, inputs[0].uri)


def _named(
    definition: _Definition,
    named: object,
    field: str,
    *,
    keys: tuple[str, ...] = _GIT_KEYS,
) -> tuple[str, Digest]:
    """Return the repository `named` in `field`, and the commit that was resolved of it."""
    if not isinstance(named, str) or not named:
        raise Malformed(f"SLSA provenance: expected a repository in {field}")
    return _one(_of(definition, named), named, keys)


def _of(definition: _Definition, uri: str) -> list[_Resource]:
    """Return the dependencies that are of the repository at `uri`."""
    wanted = _address(uri)
    return [
        dependency
        for dependency in definition.resolved_dependencies
        if _URI.fullmatch(dependency.uri) and _address(dependency.uri) == wanted
    ]


def _one(
    resources: Iterable[_Resource], uri: str, keys: tuple[str, ...] = _GIT_KEYS
) -> tuple[str, Digest]:
    """Return the repository at `uri`, and the only commit that `resources` are of."""
    where = _address(uri)
    commits = {commit for each in resources for commit in _commits(each, keys)}
    if len(commits) != 1:
        seen = ", ".join(sorted(map(str, commits)))[:_MAX_SHOWN] or "none"
        raise Malformed(
            f"SLSA provenance: expected one commit of {where[:_MAX_SHOWN]}, saw {seen}"
        )
    return where, commits.pop()


def _commits(resource: _Resource, keys: tuple[str, ...]) -> list[Digest]:
    """Return each commit in a digest set; another value under such a name is refused."""
    found = [resource.digest[key] for key in keys if key in resource.digest]
    if not found or not all(isinstance(value, str) for value in found):
        raise Malformed(
            f"SLSA provenance: expected {' or '.join(keys)} as digest of "
            f"{resource.uri[:_MAX_SHOWN]!r}"
        )
    return [Digest(Algorithm.GIT_COMMIT, value) for value in found]


def _address(uri: str) -> str:
    """Return the address of a repository without the reference: ``git+U@R`` is ``U``."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise Malformed(
            "SLSA provenance: expected the address of a repository, saw "
            f"{uri[:_MAX_SHOWN]!r}"
        )
    return repository(found[1])


def _object(definition: _Definition, name: str) -> dict[str, Any]:
    found = definition.external_parameters.get(name)
    if not isinstance(found, dict):
        raise Malformed(f"SLSA provenance: expected externalParameters.{name}")
    return found


_GENERATOR = "https://github.com/slsa-framework/slsa-github-generator"
_TYPES: Mapping[str, Finder] = MappingProxyType(
    {
        "https://actions.github.io/buildtypes/workflow/v1": _workflow,
        "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1": _workflow,
        f"{_GENERATOR}/container@v1": _workflow,
        f"{_GENERATOR}/generic@v1": _workflow,
        f"{_GENERATOR}/delegator-generic@v0": _delegated,
        "https://slsa.dev/container-based-build/v0.1": _source,
        "https://slsa.dev/container-based-build/v0.1?draft": _source,
        "https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1": _gitlab,
        "https://tekton.dev/chains/v2/slsa": _tekton,
        "https://tekton.dev/chains/v2/slsa-tekton": _tekton,
    }
)
