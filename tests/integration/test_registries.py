"""The registries of the tests are real ones, and are what the tests take them for."""

import hashlib
import json
import ssl
import urllib.error
import urllib.request
from http import HTTPStatus

import pytest

from tests.support.pushed import BOTH, crane, push
from tests.support.registry import Kind, running_registry
from tests.support.registry_access import Auth
from tests.support.registry_front import STORAGE


@pytest.mark.parametrize("auth", Auth)
@pytest.mark.parametrize("kind", Kind)
def test_keeps_what_crane_pushes(kind: Kind, auth: Auth) -> None:
    """Over TLS, by every way to know a user; and everything is on the list."""
    with running_registry(kind, auth=auth) as registry:
        index = push(registry, "shop/api", platforms=BOTH)
        image = push(registry, "shop/web")
        registry.forget()

        digests = [
            crane(registry, "digest", f"{registry.host}/shop/{name}:latest")
            for name in ("api", "web")
        ]

        assert [one.check().stdout.strip() for one in digests] == [
            index.digest,
            image.digest,
        ]
        assert crane(registry, "manifest", index.platform(1).pinned).ok
        assert registry.asked[-1].path.endswith(index.platforms[1])
        assert (
            registry.asked[-1].authorization
            == {
                Auth.NONE: "",
                Auth.BASIC: "Basic",
                Auth.TOKEN: "Bearer",
            }[auth]
        )


@pytest.mark.parametrize("auth", [Auth.BASIC, Auth.TOKEN])
@pytest.mark.parametrize("kind", Kind)
def test_tells_nothing_to_strangers(kind: Kind, auth: Auth) -> None:
    """The password is asked for, by the registry or where it sends to."""
    with running_registry(kind, auth=auth) as registry:
        image = push(registry, "shop/web").pinned

        stranger = crane(registry, "digest", image, DOCKER_CONFIG="/nowhere")

        assert "unauthorized" in stranger.stderr.lower()


def test_is_known_by_its_own_authority_alone() -> None:
    """A client that trusts what its machine trusts does not talk to it."""
    with running_registry() as registry:
        url = f"https://{registry.host}/v2/"
        context = ssl.create_default_context()

        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(url, context=context)

        assert registry.asked == ()


@pytest.mark.parametrize("kind", Kind)
def test_can_be_down_and_come_back(kind: Kind) -> None:
    """With all that was pushed."""
    with running_registry(kind) as registry:
        image = push(registry, "shop/web")

        with registry.down():
            assert "refused" in crane(registry, "digest", image.pinned).stderr

        assert crane(registry, "digest", image.pinned).ok


@pytest.mark.parametrize("auth", Auth)
@pytest.mark.parametrize("kind", Kind)
def test_sends_readers_of_blobs_elsewhere(kind: Kind, auth: Auth) -> None:
    """Where nobody needs to be known; who may not read is not sent."""
    with running_registry(kind, auth=auth) as registry:
        image = push(registry, "shop/web")
        manifest = json.loads(crane(registry, "manifest", image.pinned).stdout)
        registry.redirects = True
        registry.forget()

        # crane itself refuses to follow to a loopback address that it was not given.
        refused = crane(registry, "config", image.pinned)
        sent = registry.asked[-1]
        context = ssl.create_default_context(cafile=registry.authority)
        with urllib.request.urlopen(sent.location, context=context) as answer:  # noqa: S310
            content = answer.read()

        assert STORAGE in refused.stderr
        assert sent.status == HTTPStatus.TEMPORARY_REDIRECT
        assert hashlib.sha256(content).hexdigest() in manifest["config"]["digest"]
        assert registry.asked[-1].host.startswith(STORAGE)


@pytest.mark.parametrize("referrers", [True, False])
def test_has_a_referrers_api_or_none(*, referrers: bool) -> None:
    """Go-containerregistry's only; distribution has none."""
    with running_registry(Kind.GGCR, referrers=referrers) as registry:
        image = push(registry, "shop/web")
        context = ssl.create_default_context(cafile=registry.authority)
        url = f"https://{registry.host}/v2/shop/web/referrers/{image.digest}"
        answered = registry.asked
        try:
            with urllib.request.urlopen(url, context=context) as answer:
                assert json.loads(answer.read())["manifests"] == []
        except urllib.error.HTTPError as error:
            error.close()

        found = registry.asked[len(answered)].status == HTTPStatus.OK
        assert found is referrers
