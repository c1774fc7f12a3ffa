"""Registries that are down, slow, sought after or elsewhere, behind a real API server.

Denied in time and with the reason; and the same request passes when there is an answer,
without anybody having asked twice.
"""

import threading
import time
from collections import Counter
from contextlib import closing
from http import HTTPStatus
from urllib.parse import urlsplit

from tests.support import chart
from tests.support.apiserver import ApiServer, Refused
from tests.support.pushed import Pushed, push
from tests.support.registry import Registry
from tests.support.registry_front import STORAGE
from tests.support.shipping import Dock, pod
from tools.stack.people import LEE
from tools.stack.ready import until

_TIMEOUT_S = 10  # of the webhook, as it is registered
_PATIENCE_S = 4  # of kubectl, and so of the API server with the webhook
_SLOW_S = 1.0  # an answer; a look takes five in a row
_AT_ONCE = 50


def looked_at(registry: Registry, image: Pushed) -> Counter[str]:
    """Count what was asked about an image, by address, since the list was cleared."""
    name = urlsplit(f"//{image.repository}").path
    return Counter(
        one.path
        for one in registry.asked
        if f"{name}/" in one.path and one.status != HTTPStatus.UNAUTHORIZED
    )


def test_a_registry_that_is_down_denies_and_the_retry_is_admitted(
    dock: Dock, name: str
) -> None:
    """At once: there is nothing to wait for. That it failed is not remembered."""
    image = dock.built(dock.push(name))
    manifest = chart.deployment(name, image=image.pinned)
    dock.ship(manifest)

    with dock.registry.down():
        began = time.monotonic()
        denied = dock.apply(manifest)
        took = time.monotonic() - began

    assert "unavailable" in denied.reasons
    assert took < _TIMEOUT_S
    assert dock.apply(manifest).admitted


def test_nothing_is_fetched_for_who_carries_it_all(dock: Dock, name: str) -> None:
    """Neither with a registry that would answer, nor does one that is down matter."""
    image = dock.push(name)
    manifest = chart.deployment(name, image=image.pinned)
    gate = dock.gate
    text = gate.sign(gate.attest(manifest, images=(image.pinned,)))
    dock.registry.forget()

    with dock.registry.down():
        done = gate.apply(text)
    again = gate.apply(text)

    assert done.admitted, done.out
    assert again.code == 0
    assert not looked_at(dock.registry, image)


def test_no_policy_no_question(dock: Dock) -> None:
    """A repository that no policy names is not asked, though its registry is known."""
    image = push(dock.registry, "elsewhere/app")
    dock.registry.forget()

    done = dock.apply(chart.deployment("elsewhere", image=image.pinned))

    assert done.code
    assert dock.registry.asked == ()


def test_a_slow_registry_denies_in_time_and_the_retry_hits(
    dock: Dock, name: str
) -> None:
    """The look goes on behind the denial; the retry asks for nothing that was asked."""
    image = dock.built(dock.push(name))
    manifest = chart.deployment(name, image=image.pinned)
    dock.ship(manifest)
    dock.registry.forget()
    dock.registry.delay_s = _SLOW_S
    try:
        denied = dock.apply(manifest, f"--request-timeout={_PATIENCE_S}s")
        _wait_until_quiet(dock.registry)
    finally:
        dock.registry.delay_s = 0.0
    before = looked_at(dock.registry, image)

    admitted = dock.apply(manifest)

    assert "unavailable" in denied.reasons, denied.out
    assert admitted.admitted, admitted.out
    fetched = {path for path in before if "/blobs/" in path or "sha256:" in path}
    after = looked_at(dock.registry, image)
    assert all(after[path] == before[path] for path in fetched)


def _wait_until_quiet(registry: Registry) -> None:
    """Wait until nothing more is asked for longer than one answer takes."""
    seen, since = len(registry.asked), time.monotonic()

    def busy() -> str:
        nonlocal seen, since
        if len(registry.asked) != seen:
            seen, since = len(registry.asked), time.monotonic()
        quiet = time.monotonic() - since > 2 * _SLOW_S
        return "" if quiet else f"{seen} requests so far"

    until(busy, what="the end of the look")


def test_many_at_once_make_one_look(dock: Dock, name: str) -> None:
    """Fifty Pods of one image, whose approvals lie beside it: each thing is read once."""
    image = dock.built(dock.push(name))
    pods = [pod(f"{name}-{number}", image) for number in range(_AT_ONCE)]
    dock.ship(*pods)
    dock.registry.forget()
    failures: list[str] = []

    def create(one: dict[str, object]) -> None:
        with closing(ApiServer(dock.gate.stack.kubeconfig(LEE))) as server:
            try:
                server.create(one, dryRun="All")
            except Refused as error:
                failures.append(str(error))

    threads = [threading.Thread(target=create, args=(one,)) for one in pods]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures, failures[0]
    looks = looked_at(dock.registry, image)
    assert set(looks.values()) == {1}, looks.most_common(5)


def test_storage_elsewhere_is_read_without_credentials(dock: Dock, name: str) -> None:
    """The registry sends who reads blobs to another host, which is no registry of ours."""
    image = dock.built(dock.push(name))
    manifest = chart.deployment(name, image=image.pinned)
    dock.registry.redirects = True
    try:
        dock.ship(manifest)
        dock.registry.forget()
        done = dock.apply(manifest)
    finally:
        dock.registry.redirects = False
    read = [one for one in dock.registry.asked if one.host.startswith(STORAGE)]

    assert done.admitted, done.out
    assert read
    assert {one.authorization for one in read} == {""}
    assert {one.authorization for one in dock.registry.asked} == {"", "Basic", "Bearer"}
