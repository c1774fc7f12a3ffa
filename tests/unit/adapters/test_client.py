"""Finding the way to the API server."""

from pathlib import Path

import pytest

from countersign.adapters.cluster.client import connect
from countersign.core.errors import Misconfigured


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: [1", id="no YAML"),
        pytest.param("[1]", id="a list"),
        pytest.param("", id="empty"),
        pytest.param("{}", id="no contexts"),
        pytest.param(
            "{current-context: a, contexts: [{name: a, context: 1}]}", id="a number"
        ),
        pytest.param(
            "{current-context: a, contexts: [{name: a, context: {cluster: a}}]}",
            id="a cluster that is not there",
        ),
    ],
)
async def test_what_is_no_kubeconfig_is_told_so(tmp_path: Path, text: str) -> None:
    """And not called a fault of ours. Seen to fail where only their errors were named."""
    file = tmp_path / "kubeconfig"
    file.write_text(text)

    with pytest.raises(Misconfigured):
        async with connect(kubeconfig=file, context=None, request_s=1):
            pass


async def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The client would speak of a missing current context."""
    with pytest.raises(Misconfigured, match="saw no file"):
        async with connect(kubeconfig=tmp_path / "nowhere", context=None, request_s=1):
            pass
