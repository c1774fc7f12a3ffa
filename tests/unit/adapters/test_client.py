"""Finding the way to the API server."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

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


async def test_only_what_it_answers_itself_tells_its_time(tmp_path: Path) -> None:
    """What is served for it by others, has their header ``Date``.

    Who asks about an owner of such a group has us ask them. Faults seen caught: each
    answer's time taken for the server's, and one without a time for one that agrees.
    """
    dates = {"/apis/metrics.example/v1": 0, "/api/v1/pods": 3600, "/api/v1/none": None}

    async def answer(request: web.Request) -> web.Response:
        ago = dates[request.path]
        then = datetime.now(UTC) - timedelta(seconds=ago or 0)
        told = "" if ago is None else format_datetime(then, usegmt=True)
        return web.json_response({}, headers={"Date": told})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        file = tmp_path / "kubeconfig"
        file.write_text(
            "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],"
            f" clusters: [{{name: a, cluster: {{server: '{server.make_url('')}'}}}}],"
            " users: [{name: a, user: {token: t}}]}"
        )
        async with connect(kubeconfig=file, context=None, request_s=5) as api:
            await api.get("/apis/metrics.example/v1")
            assert api.ahead_s is None
            for path in ("/api/v1/pods", "/apis/metrics.example/v1", "/api/v1/none"):
                await api.get(path)
                assert api.ahead_s == pytest.approx(3600, abs=30)
