"""What a mirror publishes is believed if its keys signed it, all of it and lately."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from countersign.adapters.published.fetching import MAX_FILE, Reach
from countersign.adapters.published.proposing import Proposal, look, propose, reach
from countersign.adapters.published.updates import MAX_ROTATIONS, Ended
from countersign.core.errors import Misconfigured, Rejected, Unavailable
from countersign.core.types.published import Outcome
from countersign.wire.resources import objects
from tests.support.mirror import Repository, Served, another_key, mirrored
from tests.support.sigstore import shared, stranger
from tools.sigstore.trust_root import merged

Tree = dict[str, Any]


@pytest.fixture(name="served")
def _served(tmp_path: Path) -> Iterator[Served]:
    with mirrored(shared().trusted_root(), tmp_path) as served:
        yield served


def how(served: Served, **other: Any) -> Reach:
    """Return how it is reached."""
    told: dict[str, Any] = {"loopback": True, "look_s": 20.0, **other}
    return reach(ca_file=served.ca_file, **told)


def both() -> Any:
    """Return a trusted root of two Sigstores."""
    return merged(shared().trusted_root(), stranger().trusted_root())


def proposed(served: Served, **changed: Any) -> Proposal:
    """Look, with what is in force as the shared Sigstore's own."""
    tree = served.trust_root(shared().trusted_root())
    tree["spec"]["tuf"] |= changed
    return propose(tree, how(served))


def test_the_same_differs_in_nothing(served: Served) -> None:
    """However often it is published."""
    served.repository.publish()
    seen = proposed(served)

    assert not seen.differs
    assert (seen.changes.added, seen.changes.removed, seen.changes.moved) == (
        (),
        (),
        (),
    )


def test_what_is_new_is_proposed_whole(served: Served) -> None:
    """With the newest root to begin with, and versions that are not gone behind."""
    served.repository.rotate()
    served.repository.publish(json.dumps(both()).encode())
    seen = proposed(served)
    spec: Any = seen.tree["spec"]

    assert seen.differs
    assert len(seen.changes.added) == 5
    assert not seen.changes.removed
    assert spec["sigstore"] == both()
    assert spec["tuf"]["root"].encode() == served.repository.root
    assert spec["tuf"]["versions"] == {"timestamp": 2, "snapshot": 2, "targets": 2}
    assert (seen.before, seen.found.root_version) == (1, 2)
    objects.trust_root(seen.tree)
    assert not propose(seen.tree, how(served)).differs


def _resigned(repository: Repository) -> None:
    repository.key = another_key()
    repository.publish()


def _one_signature(repository: Repository) -> None:
    repository.roots = [repository.roots[0], another_key()]
    repository.rotate()


def _other_target(repository: Repository) -> None:
    repository.files[repository.target_path] = repository.target[:-1] + b" "


def _shorter_chain(repository: Repository) -> None:
    tree = json.loads(repository.root)
    tree["signatures"] = tree["signatures"][:1]
    repository.rotate()
    repository.files["/2.root.json"] = json.dumps(tree).encode()


def _endless_roots(repository: Repository) -> None:
    for _ in range(MAX_ROTATIONS + 3):
        repository.rotate()


def _junk(repository: Repository) -> None:
    repository.endless.add("/timestamp.json")


def _large_target(repository: Repository) -> None:
    repository.publish(b" " * (MAX_FILE + 1) + repository.target)


def _endless_target(repository: Repository) -> None:
    repository.endless.add(repository.target_path)


def _no_json(repository: Repository) -> None:
    repository.publish(b"not a trusted root")


def _no_shape(repository: Repository) -> None:
    repository.publish(b'{"mediaType": "application/vnd.dev.sigstore.trustedroot"}')


def _nobody(repository: Repository) -> None:
    tree = shared().trusted_root()
    assert isinstance(tree, dict)
    repository.publish(json.dumps({**tree, "certificateAuthorities": []}).encode())


def _no_logs(repository: Repository) -> None:
    tree = shared().trusted_root()
    assert isinstance(tree, dict)
    repository.publish(json.dumps({**tree, "tlogs": []}).encode())


def _unlike(repository: Repository) -> None:
    tree: Any = stranger().trusted_root()
    smaller = {**tree, "timestampAuthorities": []}
    repository.publish(json.dumps(smaller).encode())


def _of_others(repository: Repository) -> None:
    keys = [another_key(), another_key()]
    other = Repository(repository.target, roots=keys, key=another_key())
    other.rotate()
    repository.files = {**other.files, "/1.root.json": repository.first}


def _nested(repository: Repository) -> None:
    repository.files["/timestamp.json"] = b"[" * 8000


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        pytest.param(_resigned, "signed by 0/1", id="a key that nobody named"),
        pytest.param(_one_signature, "signed by 1/2", id="one root key of two"),
        pytest.param(_shorter_chain, "signed by 1/2", id="a signature taken off"),
        pytest.param(_of_others, "signed by 0/2", id="a repository of others"),
        pytest.param(_other_target, "do not verify", id="another target"),
        pytest.param(_endless_roots, "new roots after", id="roots without end"),
        pytest.param(_junk, "sends too much", id="100 MB of junk"),
        pytest.param(_large_target, "sends too much", id="a signed target of 2 MiB"),
        pytest.param(_endless_target, "sends too much", id="a target without end"),
        pytest.param(_no_json, "expected a trusted root", id="no JSON"),
        pytest.param(_no_shape, "certificateAuthority", id="no trusted root"),
        pytest.param(_nobody, "at least one certificateAuthority", id="no authority"),
        pytest.param(_no_logs, "at least one log", id="no logs any more"),
        pytest.param(_unlike, "it is another one", id="another Sigstore, and smaller"),
        pytest.param(_nested, "do not verify", id="nested too deeply"),
    ],
)
def test_refused(
    served: Served, attack: Callable[[Repository], None], said: str
) -> None:
    """And nothing is proposed."""
    attack(served.repository)
    with pytest.raises(Rejected, match=said):
        proposed(served)
    assert served.repository.sent < 8 * MAX_FILE  # and buffers between us


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_nothing_older_than_what_was_taken_over(served: Served, role: str) -> None:
    """The versions are in the TrustRoot, signed by its admins."""
    with pytest.raises(Rejected, match=f"{role} of version 2 or later, saw 1"):
        proposed(served, versions={role: 2})


def test_nothing_by_older_root_keys(served: Served) -> None:
    """Keys that were rotated out sign nothing more."""
    old = served.repository.key
    served.repository.key = another_key()
    served.repository.rotate()
    served.repository.key = old
    served.repository.publish(json.dumps(both()).encode())
    with pytest.raises(Rejected, match="signed by 0/1"):
        proposed(served, root=served.repository.root.decode())


def test_an_expired_timestamp_is_a_freeze(served: Served) -> None:
    """It is told from what was never signed."""
    served.repository.lasts = timedelta(seconds=-1)
    served.repository.publish()
    with pytest.raises(Ended, match="timestamp"):
        proposed(served)


def test_an_expired_root_is_told(served: Served) -> None:
    """What its keys signed counts no more."""
    served.repository.rotate(lasts=timedelta(seconds=-1))
    with pytest.raises(Ended, match="root"):
        proposed(served)


def test_no_redirect_is_followed(served: Served) -> None:
    """To no other host, and not on this one either."""
    served.repository.moved["/timestamp.json"] = f"{served.url}/elsewhere.json"
    with pytest.raises(Unavailable, match="302"):
        proposed(served)
    assert "/elsewhere.json" not in served.repository.asked


def test_addresses_are_judged_when_connecting(served: Served) -> None:
    """Loopback is, like metadata services, where no mirror is."""
    tree = served.trust_root(shared().trusted_root())
    with pytest.raises(Unavailable, match="may not be a mirror's address"):
        propose(tree, how(served, loopback=False))
    tree["spec"]["tuf"]["mirror"] = "https://169.254.169.254"
    with pytest.raises(Unavailable, match="may not be a mirror's address"):
        propose(tree, how(served))


def test_only_authorities_that_are_trusted(served: Served) -> None:
    """The system's, where nothing else is said."""
    told = reach(ca_file=None, loopback=True, look_s=20)
    with pytest.raises(Unavailable, match="by no authority that is trusted here"):
        propose(served.trust_root(shared().trusted_root()), told)
    with pytest.raises(Misconfigured, match="PEM"):
        propose(
            served.trust_root(shared().trusted_root()),
            reach(ca_file=Path("/nonexistent"), loopback=True, look_s=20),
        )


def test_a_look_ends(served: Served) -> None:
    """All of it together has a time, whatever a mirror does with it."""
    served.repository.silent.add("/2.root.json")
    with pytest.raises(Unavailable, match="no whole answer in time"):
        propose(served.trust_root(shared().trusted_root()), how(served, look_s=1))
    with pytest.raises(Unavailable, match="in time"):
        propose(served.trust_root(shared().trusted_root()), how(served, look_s=0.0001))


def test_a_look_remembers_what_it_saw(served: Served) -> None:
    """Between two takeovers nothing gets older either."""
    tree = served.trust_root(shared().trusted_root())
    mirror = objects.mirror(tree)
    assert mirror is not None
    served.repository.publish(version=5)
    looked, known = look(tree, mirror, how(served))
    served.repository.publish(version=4)
    again, still = look(tree, known, how(served))

    assert looked.outcome is Outcome.SAME
    assert again.outcome is Outcome.REJECTED
    assert "of version 5 or later, saw 4" in again.detail
    assert still == known


def test_a_verdict_does_not_know_where_trust_is_published(served: Served) -> None:
    """The value that judges is the same, its digest too; caches stay warm."""
    tree = served.trust_root(shared().trusted_root())
    with_tuf = objects.trust_root(tree)
    del tree["spec"]["tuf"]

    assert objects.trust_root(tree) == with_tuf
