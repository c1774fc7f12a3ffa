"""A trusted root that cannot be read is no trusted root, and is cut to its windows."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from countersign.adapters.proof.stamps import stamped_at
from countersign.adapters.proof.trusted_root import Kind, TrustedRoot
from countersign.core.errors import Malformed, Rejected
from tests.support.sigstore import shared
from tools.sigstore import Party
from tools.sigstore.encoding import sha256
from tools.sigstore.tsa import StampRequest

AT = shared().since + timedelta(days=30)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change a good trusted root in place."""
    document = shared().trusted_root()
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(changed(lambda d: d.update(tlogs={})), id="logs that are no list"),
        pytest.param(changed(lambda d: d.update(ctlogs=[7])), id="a log that is none"),
        pytest.param(
            changed(lambda d: d["tlogs"][0].pop("publicKey")), id="a log without key"
        ),
        pytest.param(
            changed(lambda d: d["certificateAuthorities"][0].update(validFor=7)),
            id="a window that is none",
        ),
        pytest.param(
            changed(
                lambda d: d["certificateAuthorities"][0].update(validFor={"start": 7})
            ),
            id="a time that is none",
        ),
        pytest.param(
            changed(
                lambda d: d["certificateAuthorities"][0]["validFor"].update(
                    end="1999-01-01T00:00:00Z"
                )
            ),
            id="a window that ends before it begins",
        ),
        pytest.param(
            json.dumps(shared().trusted_root())
            .encode()
            .replace(b'"tlogs"', b'"ctlogs"'),
            id="a list twice",
        ),
    ],
)
def test_refuses(raw: bytes) -> None:
    """Rather than trust half of it."""
    with pytest.raises(Malformed):
        TrustedRoot(raw)


def test_an_authority_without_window_is_always_in_use() -> None:
    """The specification lets it be left out."""

    def open_(document: dict[str, Any]) -> None:
        del document["certificateAuthorities"][0]["validFor"]

    root = TrustedRoot(changed(open_))

    assert len(root.in_use(Kind.CA, [shared().since - timedelta(days=9999)])) == 1


@pytest.mark.parametrize(
    ("after", "count"),
    [
        pytest.param(timedelta(seconds=-1), 0, id="a second before it begins"),
        pytest.param(timedelta(0), 1, id="as it begins"),
        pytest.param(timedelta(days=60), 1, id="as it ends"),
        pytest.param(timedelta(days=60, seconds=1), 0, id="a second after it ended"),
    ],
)
def test_windows_include_their_ends(after: timedelta, count: int) -> None:
    """As the specification has it."""
    document = shared().trusted_root({Party.TSA: shared().since + timedelta(days=60)})
    root = TrustedRoot(json.dumps(document).encode())

    assert len(root.in_use(Kind.TSA, [shared().since + after])) == count


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(
            lambda chain: chain["certificates"].pop(), Rejected, id="a chain of one"
        ),
        pytest.param(
            lambda chain: chain.update(certificates=7), Malformed, id="no chain"
        ),
        pytest.param(
            lambda chain: chain["certificates"][0].update(rawBytes=7),
            Malformed,
            id="a certificate that is no text",
        ),
        pytest.param(
            lambda chain: chain["certificates"][0].update(rawBytes="!"),
            Malformed,
            id="a certificate that is no base64",
        ),
    ],
)
def test_a_stamper_without_chain_stamps_nothing(
    change: Callable[[dict[str, Any]], object], error: type[Exception]
) -> None:
    """A stamping certificate alone is nobody's word."""
    root = TrustedRoot(
        changed(lambda d: change(d["timestampAuthorities"][0]["certChain"]))
    )
    stamp = shared().tsa.stamp(StampRequest(sha256(b"signature")), at=AT)

    with pytest.raises(error):
        stamped_at(stamp, b"signature", root.in_use(Kind.TSA, [AT]))
