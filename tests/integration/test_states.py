"""The same state again, an older one, another one (rules 8 and 9), by what people do.

Nobody waits: what has expired was signed with a clock that was behind, or for a minute.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support import chart
from tests.support.gate import Gate, Judged, days, documents, written
from tests.support.seconds import in_another_second
from tools.stack.history import IMAGE
from tools.stack.ready import until

OTHER = f"{IMAGE}@sha256:{'0dd5' * 16}"


def _admin(gate: Gate) -> Path:
    return gate.stack.folder / "kubeconfig"


def _goes_back(done: Judged) -> bool:
    """Tell whether it was denied because it would go back.

    Where sets lie in the namespace, those of the other states speak, too.
    """
    return {"slot_open", "stale_base"} == set(done.reasons) - {"changed"}


def _signed(
    gate: Gate,
    tree: chart.Tree,
    *flags: str | Path,
    images: Sequence[str] = (chart.PINNED,),
    carrier: str = "annotations",
) -> str:
    """Return `tree` attested and signed off, without a look at the cluster."""
    text = gate.attest(tree, images=images, flags=["--carrier", carrier])
    return gate.sign(text, "--no-diff", *flags)


@pytest.fixture(name="two", params=["annotations", "bundleset"])
def _two(gate: Gate, name: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return two states of one object, the second signed after the first."""
    name, carrier = f"{name}-{request.param}", request.param
    first = _signed(gate, chart.config_map(name), carrier=carrier)
    in_another_second()
    second = chart.config_map(name, region="eu-west-1")
    return first, _signed(gate, second, carrier=carrier)


def _again(text: str, region: str) -> chart.Tree:
    """Return another state of the object of `text`, with nothing on it."""
    return chart.config_map(documents(text)[-1]["metadata"]["name"], region=region)


def test_newer_over_older_and_not_back(gate: Gate, two: tuple[str, str]) -> None:
    """Lineage is the default; the same again is no change."""
    older, newer = two

    assert gate.apply(older).admitted
    assert gate.apply(newer).admitted
    again = gate.apply(newer)
    back = gate.apply(older)
    replayed = gate.kubectl("replace", "-f", "-", stdin=older)

    assert again.code == 0
    assert again.doors <= {"unchanged"}
    assert _goes_back(back)
    assert _goes_back(replayed)


def test_what_was_signed_first_comes_first(gate: Gate, two: tuple[str, str]) -> None:
    """An older state that was never applied is older all the same."""
    older, newer = two

    assert gate.apply(newer).admitted
    assert _goes_back(gate.apply(older))


def test_an_older_state_that_may_return(gate: Gate, name: str) -> None:
    """The reviewer said until when; over a newer state only."""
    older = _signed(gate, chart.config_map(name), "--restore-until", "1d")
    in_another_second()
    newer = _signed(gate, chart.config_map(name, region="eu-west-1"))

    assert gate.apply(older).admitted
    assert gate.apply(newer).admitted
    back = gate.apply(older)
    forward = gate.apply(newer)

    assert back.admitted, back.out
    assert forward.admitted, forward.out


def test_longer_than_the_policy_lets_states_return(gate: Gate, name: str) -> None:
    """Thirty days after the validity is the most."""
    older = _signed(gate, chart.config_map(name), "--restore-until", "31d")
    in_another_second()
    newer = _signed(gate, chart.config_map(name, region="eu-west-1"))

    assert gate.apply(older).admitted
    assert gate.apply(newer).admitted
    assert _goes_back(gate.apply(older))


def test_signed_on_the_live_state(gate: Gate, two: tuple[str, str]) -> None:
    """Looking at the cluster signs on top of it, so that needs no trusted time."""
    older, newer = two
    assert gate.apply(newer).admitted

    unstamped = gate.sign(
        gate.attest(_again(older, "mars")),
        "--kubeconfig",
        _admin(gate),
        stamped=False,
    )
    blind = gate.sign(gate.attest(_again(older, "venus")), "--no-diff", stamped=False)

    assert _goes_back(gate.apply(blind))
    assert _goes_back(gate.apply(older))
    on_top = gate.apply(unstamped)
    assert on_top.admitted, on_top.out


def test_the_base_has_moved_on(gate: Gate, two: tuple[str, str]) -> None:
    """Signed on a state that is not there any more, and by nobody's clock."""
    older, newer = two
    assert gate.apply(older).admitted
    late = gate.sign(
        gate.attest(_again(older, "mars")),
        "--kubeconfig",
        _admin(gate),
        stamped=False,
    )
    assert gate.apply(newer).admitted

    assert _goes_back(gate.apply(late))


def test_an_explicit_base(gate: Gate, two: tuple[str, str], name: str) -> None:
    """`absent` creates, and does not go over something else."""
    older, _ = two
    creates = gate.sign(
        gate.attest(_again(older, "mars")),
        *("--no-diff", "--base", "absent"),
        stamped=False,
    )
    fresh = gate.sign(
        gate.attest(chart.config_map(f"{name}-2")),
        *("--no-diff", "--base", "absent"),
        stamped=False,
    )

    assert gate.apply(older).admitted
    assert _goes_back(gate.apply(creates))
    assert gate.apply(fresh).admitted


def test_undo_of_a_rollout(gate: Gate, name: str) -> None:
    """The ReplicaSet kept the old evidence with the old image: it is old all the same."""
    first = _signed(gate, chart.deployment(name))
    in_another_second()
    second = _signed(gate, chart.deployment(name, image=OTHER), images=[OTHER])
    assert gate.apply(first).admitted
    _wait_for_replica_sets(gate, name, 1)
    assert gate.apply(second).admitted
    _wait_for_replica_sets(gate, name, 2)

    undone = gate.kubectl("rollout", "undo", f"deployment/{name}")
    again = gate.sign(gate.attest(chart.deployment(name)), "--kubeconfig", _admin(gate))
    mended = gate.apply(again)

    assert _goes_back(undone)
    assert "next: " in undone.out
    assert "sign-off" in undone.out.partition("next: ")[2]
    assert mended.admitted, mended.out
    _wait_for_image(gate, name, chart.PINNED)


def test_undo_of_a_rollout_within_what_was_signed(gate: Gate, name: str) -> None:
    """Who reviewed it let it return."""
    first = _signed(gate, chart.deployment(name), "--restore-until", "1d")
    in_another_second()
    second = _signed(gate, chart.deployment(name, image=OTHER), images=[OTHER])
    assert gate.apply(first).admitted
    _wait_for_replica_sets(gate, name, 1)
    assert gate.apply(second).admitted
    _wait_for_replica_sets(gate, name, 2)

    undone = gate.kubectl("rollout", "undo", f"deployment/{name}")

    assert undone.admitted, undone.out
    _wait_for_image(gate, name, chart.PINNED)


def test_expired_before_its_first_admission(gate: Gate, name: str) -> None:
    """Signed two days ago, for one."""
    ago = datetime.now(UTC) - days(2)
    late = gate.sign(
        gate.attest(chart.config_map(name)),
        *("--no-diff", "--valid", "1d"),
        at=ago,
        stamped=False,
    )

    denied = gate.apply(late)

    assert set(denied.reasons) == {"slot_open", "expired"}


def test_validity_is_of_first_admission(gate: Gate, name: str) -> None:
    """What runs stays: applied again, and its Pods made again, after the end."""
    end = datetime.now(UTC) - days(1)
    text = gate.sign(
        gate.attest(chart.deployment(name)),
        *("--no-diff", "--valid", "1d"),
        at=end - days(1),
        stamped=False,
    )
    with _as_it_was_before(gate):
        assert gate.apply(text).code == 0
    first = gate.pod(name)

    again = gate.apply(text)
    scaled = gate.apply(written([_scaled(documents(text)[0])]))
    gone = gate.kubectl("delete", first, "--force", by=None)
    until(
        lambda: "" if gate.pod(name) != first else "the same", what="another Pod of it"
    )

    assert again.code == 0, again.out
    assert again.doors <= {"unchanged"}
    assert scaled.reasons
    assert gone.code == 0, gone.out


def test_one_that_is_newer_than_every_stamp(gate: Gate, name: str) -> None:
    """Approved at no trusted time, the live state gives way to no stamp: it has a base."""
    unstamped = gate.sign(
        gate.attest(chart.config_map(name)), "--no-diff", stamped=False
    )
    stamped = _signed(gate, chart.config_map(name, region="eu-west-1"))
    assert gate.apply(unstamped).admitted

    assert _goes_back(gate.apply(stamped))
    on_top = gate.sign(
        gate.attest(chart.config_map(name, region="eu-west-1")),
        "--kubeconfig",
        _admin(gate),
    )
    assert gate.apply(on_top).admitted


@pytest.mark.parametrize(
    ("flags", "namespace", "reason"),
    [
        pytest.param((), "ledger", "wrong_object", id="namespace"),
        pytest.param(("--cluster", "prod"), "payments", "wrong_cluster", id="cluster"),
    ],
)
def test_a_state_of_elsewhere(
    gate: Gate, name: str, flags: tuple[str, ...], namespace: str, reason: str
) -> None:
    """A state that may return returns to where it was."""
    restored = ("--restore-until", "1d", *flags)
    tree = documents(_signed(gate, chart.config_map(name), *restored))[0]
    tree["metadata"]["namespace"] = namespace

    assert reason in gate.apply(written([tree])).reasons


@contextlib.contextmanager
def _as_it_was_before(gate: Gate) -> Iterator[None]:
    """Let ``payments`` be as it was before anybody enforced anything there."""
    _enforce(gate, "audit", "")
    try:
        yield
    finally:
        _enforce(gate, "deny", "no_evidence")


def _enforce(gate: Gate, how: str, reason: str) -> None:
    patch = json.dumps({"spec": {"enforcement": how}})
    command = ("patch", "protectionpolicy", "payments", "--type=merge", "-p", patch)
    gate.stack.plane.kubectl(*command).check()
    probe = written([chart.config_map("probe")])

    def otherwise() -> str:
        denied = gate.apply(probe, "--dry-run=server").code != 0
        return "" if denied is bool(reason) else f"denied: {denied}"

    until(otherwise, what=f"enforcement {how}")


def _scaled(tree: chart.Tree) -> chart.Tree:
    tree["spec"]["replicas"] = 2
    return tree


def _wait_for_replica_sets(gate: Gate, app: str, count: int) -> None:
    def missing() -> str:
        found = _listed(gate, "replicasets", app)
        return "" if len(found) >= count else f"{len(found)} ReplicaSets"

    until(missing, what=f"{count} ReplicaSets of {app}")


def _wait_for_image(gate: Gate, app: str, image: str) -> None:
    def missing() -> str:
        pods = _listed(gate, "pods", app)
        images = [pod["spec"]["containers"][0]["image"] for pod in pods]
        return "" if image in images else f"{images}"

    until(missing, what=f"a Pod of {app} with {image}")


def _listed(gate: Gate, kind: str, app: str) -> list[chart.Tree]:
    place = ("-n", chart.NAMESPACE, "-l", f"app={app}", "-o", "json")
    found: list[chart.Tree] = json.loads(
        gate.stack.plane.kubectl("get", kind, *place).stdout
    )["items"]
    return found
