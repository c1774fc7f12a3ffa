"""Says who built a release: ``python -m tools.provenance``, on a runner of GitHub.

The predicate of SLSA provenance v1, of what the runner says of itself. Cosign signs it
with the identity of the job, so what is claimed here can be held against a certificate.
With ``--workloads FILE`` it prints of rendered manifests what runs containers.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1"


def predicate(runner: Mapping[str, str], at: datetime) -> dict[str, Any]:
    """Return what a runner says: of which commit it builds, by which workflow.

    Args:
        runner: Its environment.
        at: When it began, about.

    Raises:
        KeyError: it is no runner of GitHub; the name is what was missing.

    Source:
        slsa.dev/spec/v1.0/provenance; actions.github.io/buildtypes/workflow/v1.
    """
    repository = f"{runner['GITHUB_SERVER_URL']}/{runner['GITHUB_REPOSITORY']}"
    # owner/name/.github/workflows/release.yml@refs/tags/v1
    workflow, _, ref = runner["GITHUB_WORKFLOW_REF"].partition("@")
    path = workflow.removeprefix(f"{runner['GITHUB_REPOSITORY']}/")
    run = f"{repository}/actions/runs/{runner['GITHUB_RUN_ID']}"
    commit = {"gitCommit": runner["GITHUB_SHA"]}
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "workflow": {"ref": ref, "repository": repository, "path": path}
            },
            "internalParameters": {
                "github": {
                    "event_name": runner["GITHUB_EVENT_NAME"],
                    "repository_id": runner["GITHUB_REPOSITORY_ID"],
                    "repository_owner_id": runner["GITHUB_REPOSITORY_OWNER_ID"],
                    "runner_environment": runner["RUNNER_ENVIRONMENT"],
                }
            },
            "resolvedDependencies": [
                {"uri": f"git+{repository}@{runner['GITHUB_REF']}", "digest": commit}
            ],
        },
        "runDetails": {
            "builder": {"id": f"{repository}/{path}@{ref}"},
            "metadata": {
                "invocationId": f"{run}/attempts/{runner['GITHUB_RUN_ATTEMPT']}",
                "startedOn": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        },
    }


def workloads(rendered: str) -> str:
    """Return of manifests those that run containers.

    Raises:
        ValueError: there are none; an empty list would pass any gate.
    """
    trees = [tree for tree in yaml.safe_load_all(rendered) if tree]
    found = [tree for tree in trees if tree["kind"] == "Deployment"]
    if not found:
        raise ValueError("expected Deployments, saw none")
    return yaml.safe_dump_all(found, sort_keys=False)


def main(words: Sequence[str]) -> int:
    """Print one or the other; return the exit code."""
    if words[:1] == ["--workloads"]:
        print(workloads(Path(words[1]).read_text()), end="")
        return 0
    try:
        said = predicate(os.environ, datetime.now(UTC))
    except KeyError as error:
        print(f"provenance: expected the variable {error} of a runner", file=sys.stderr)
        return 1
    print(json.dumps(said, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
