"""Log entries count where the log's own signature, in its own name, covers them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from countersign.adapters.proof.log import logged
from countersign.adapters.proof.trusted_root import LogKey, parse_trusted_root
from countersign.core.errors import CountersignError, Rejected
from countersign.core.types.time import Interval
from countersign.wire.bundle import parse_bundle
from countersign.wire.tlog import LogEntry
from tests.support.proving import STATEMENT
from tests.support.sigstore import DANA, ISSUER, shared
from tools.sigstore.encoding import b64
from tools.sigstore.rekor import RekorV1, RekorV2, sign

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
LOGS = parse_trusted_root(json.dumps(shared().trusted_root()).encode()).logs


def entry(rekor: str) -> LogEntry:
    """Log a signature."""
    raw = shared().attest(STATEMENT, san=DANA, issuer=ISSUER, at=AT, rekor=rekor)
    found = parse_bundle(raw).log_entry
    assert found
    return found


ENTRIES = {rekor: entry(rekor) for rekor in ("v1", "v2")}
REKORS: dict[str, RekorV1 | RekorV2] = {
    "v1": shared().rekor_v1,
    "v2": shared().rekor_v2,
}


def noted(
    rekor: str, *, origin: str = "", name: str = "", hashed: bytes = b"", more: str = ""
) -> LogEntry:
    """Have the log itself sign the head of its tree anew, in other words."""
    found, log = ENTRIES[rekor], REKORS[rekor]
    assert found.proof
    first = found.proof.checkpoint.partition("\n")[0]
    note = f"{origin or first}\n{found.proof.size}\n{b64(found.proof.root)}\n"
    signature = b64((hashed or log.log_id[:4]) + sign(log.key, note.encode()))
    name = name or origin.partition(" - ")[0] or log.origin
    text = f"{note}\n{more}\N{EM DASH} {name} {signature}\n"
    return replace(found, proof=replace(found.proof, checkpoint=text))


@pytest.mark.parametrize("rekor", ENTRIES)
@pytest.mark.parametrize("moments", [[], [AT]])
def test_a_sound_entry_holds(rekor: str, moments: list[datetime]) -> None:
    """With and without a time to ask of."""
    says = logged(ENTRIES[rekor], LOGS, moments)

    assert says.signature
    assert says.timed is (rekor == "v1")


@pytest.mark.parametrize("rekor", ENTRIES)
def test_witnesses_may_sign_too(rekor: str) -> None:
    """Nobody here knows them: what they sign neither helps nor harms."""
    witness = f"\N{EM DASH} witness.example {b64(b'hashsignature')}\n"

    assert logged(noted(rekor, more=witness), LOGS, [AT]).digests


def test_the_first_log_has_a_name_of_its_own() -> None:
    """Inside of a cluster it knows no other; trust roots have its address."""
    assert logged(noted("v1", origin="rekor-7d9f - 42"), LOGS, [AT]).digests


def moved(log: LogKey, **window: datetime) -> LogKey:
    """Use a log's key at other times."""
    return replace(log, window=Interval(**window))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(
            noted("v2", origin="log.other.example"),
            "a checkpoint of log.acme",
            id="the same key under another name",
        ),
        pytest.param(
            noted("v2", name="log.other.example"),
            "in the log's name",
            id="signed in another name",
        ),
        pytest.param(
            noted("v1", origin="rekor.example - 1", name="rekor.example - 1"),
            "a name and a signature|base64",
            id="signed in the tree's name",
        ),
        pytest.param(
            noted("v2", hashed=b"hash"), "by its key", id="signed by another key's hash"
        ),
        pytest.param(
            noted(
                "v2",
                more=f"\N{EM DASH} {REKORS['v2'].origin} "
                f"{b64(REKORS['v2'].log_id[:4] + b'forged' * 9)}\n",
            ),
            "a checkpoint that the log signed",
            id="a forged signature before the right one",
        ),
        pytest.param(
            replace(ENTRIES["v2"], promise=b"promise", integrated_at=AT),
            "only from a log that says when",
            id="a promise of the second log",
        ),
        pytest.param(
            replace(ENTRIES["v1"], integrated_at=None),
            "only from a log that says when",
            id="a promise without a time",
        ),
        pytest.param(
            replace(ENTRIES["v1"], index=ENTRIES["v1"].index + 1),
            "an inclusion promise",
            id="another index than was promised",
        ),
        pytest.param(
            replace(ENTRIES["v1"], index=2**60),
            "an inclusion promise",
            id="an index that canonical JSON cannot hold",
        ),
        pytest.param(
            replace(ENTRIES["v1"], promise=None, proof=None),
            "a promise or a proof",
            id="neither promise nor proof",
        ),
        pytest.param(
            replace(ENTRIES["v1"], log_id=ENTRIES["v2"].log_id),
            "an inclusion promise",
            id="the first log's entry in the second's name",
        ),
        pytest.param(
            replace(ENTRIES["v1"], log_id=b"nobody"),
            "of the trust root",
            id="of a log that nobody knows",
        ),
    ],
)
def test_refuses(found: LogEntry, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(CountersignError, match=reason):
        logged(found, LOGS, [AT])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda log: moved(log, start=AT + timedelta(seconds=1)), id="not begun"
        ),
        pytest.param(lambda log: moved(log, end=AT - timedelta(seconds=1)), id="ended"),
    ],
)
def test_a_log_counts_while_in_use(change: Callable[[LogKey], LogKey]) -> None:
    """At every time that is claimed."""
    logs = [change(log) for log in LOGS]

    with pytest.raises(Rejected, match="in use"):
        logged(ENTRIES["v1"], logs, [AT])
    with pytest.raises(Rejected, match="in use"):
        logged(ENTRIES["v1"], logs, [AT - timedelta(days=1), AT + timedelta(days=1)])


def test_several_keys_of_one_name_are_all_tried() -> None:
    """As after a log's key was changed."""
    first, second = LOGS
    other = replace(second, log_id=first.log_id)

    assert logged(ENTRIES["v1"], [other, first], [AT]).digests
    assert logged(ENTRIES["v1"], [first, other], [AT]).digests
    with pytest.raises(Rejected):
        logged(ENTRIES["v1"], [other], [AT])
