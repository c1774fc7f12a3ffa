"""SLSA provenance v1 as GitHub's builder writes it: an image of one commit."""

from typing import Any


def predicate(repository: str, revision: str) -> dict[str, Any]:
    """Say that what it is about was built of a commit.

    Args:
        repository: ``https://…``.
        revision: The commit, in hex.

    Source:
        actions.github.io/buildtypes/workflow/v1.
    """
    ref = "refs/heads/main"
    return {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {
                    "ref": ref,
                    "repository": repository,
                    "path": ".github/workflows/build.yml",
                }
            },
            "internalParameters": {},
            "resolvedDependencies": [
                {
                    "uri": f"git+{repository}@{ref}",
                    "digest": {"gitCommit": revision},
                }
            ],
        },
        "runDetails": {
            "builder": {"id": f"{repository}/.github/workflows/build.yml@{ref}"},
            "metadata": {"invocationId": f"{repository}/actions/runs/1"},
        },
    }
