"""A trusted root that cannot be read is no trusted root, and is cut to its windows."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from countersign.adapters.proof.stamps import stamped_at
from countersign.adapters.proof.trusted_root import parse_trusted_root
from countersign.core.errors import Malformed, Rejected
from countersign.core.types.time import ALWAYS
from countersign.wire.envelope import Envelope
from tests.support.sigstore import shared
from tools.sigstore import Party
from tools.sigstore.encoding import b64, sha256, spki
from tools.sigstore.tsa import StampRequest

AT = shared().since + timedelta(days=30)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change a good trusted root in place."""
    document = shared().trusted_root()
    change(document)
    return json.dumps(document).encode()


def first_certificate(document: dict[str, Any]) -> dict[str, Any]:
    """Look at the stamping certificate."""
    chain = document["timestampAuthorities"][0]["certChain"]
    found: dict[str, Any] = chain["certificates"][0]
    return found


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
        pytest.param(
            changed(lambda d: d["tlogs"][0]["publicKey"]["validFor"].pop("start")),
            id="a log's key without a beginning",
        ),
        pytest.param(
            changed(lambda d: d["ctlogs"][0]["publicKey"].pop("validFor")),
            id="a CT log's key without a window",
        ),
        pytest.param(
            changed(lambda d: d["tlogs"][0].update(hashAlgorithm="SHA2_512")),
            id="a log of another hash",
        ),
        pytest.param(
            changed(lambda d: d["tlogs"][0].update(baseUrl=7)),
            id="an address that is none",
        ),
        pytest.param(
            changed(lambda d: d["timestampAuthorities"][0].update(certChain=7)),
            id="no chain",
        ),
        pytest.param(
            changed(
                lambda d: d["timestampAuthorities"][0].update(
                    certChain={"certificates": []}
                )
            ),
            id="an empty chain",
        ),
        pytest.param(
            changed(
                lambda d: d["timestampAuthorities"][0]["certChain"][
                    "certificates"
                ].extend(
                    [d["timestampAuthorities"][0]["certChain"]["certificates"][0]] * 8
                )
            ),
            id="a chain too long",
        ),
        pytest.param(
            changed(lambda d: first_certificate(d).update(rawBytes=7)),
            id="a certificate that is no text",
        ),
        pytest.param(
            changed(lambda d: first_certificate(d).update(rawBytes="!")),
            id="a certificate that is no base64",
        ),
        pytest.param(
            changed(lambda d: first_certificate(d).update(rawBytes="MAA=")),
            id="a certificate that is none",
        ),
    ],
)
def test_refuses(raw: bytes) -> None:
    """Rather than trust half of it."""
    with pytest.raises(Malformed):
        parse_trusted_root(raw)


def test_an_authority_without_window_is_always_in_use() -> None:
    """The specification lets it be left out."""

    def open_(document: dict[str, Any]) -> None:
        del document["certificateAuthorities"][0]["validFor"]

    (issuer,) = parse_trusted_root(changed(open_)).issuers

    assert issuer.window == ALWAYS


@pytest.mark.parametrize(
    ("after", "used"),
    [
        pytest.param(timedelta(seconds=-1), False, id="a second before it begins"),
        pytest.param(timedelta(0), True, id="as it begins"),
        pytest.param(timedelta(days=60), True, id="as it ends"),
        pytest.param(
            timedelta(days=60, seconds=1), False, id="a second after it ended"
        ),
    ],
)
@pytest.mark.parametrize("party", [Party.LOG, Party.TSA])
def test_windows_include_their_ends(
    after: timedelta,
    used: bool,  # noqa: FBT001  a parameter of the test
    party: Party,
) -> None:
    """As the specification has it."""
    document = shared().trusted_root({party: shared().since + timedelta(days=60)})
    root = parse_trusted_root(json.dumps(document).encode())
    at = shared().since + after

    if party is Party.TSA:
        assert root.stampers[0].window.holds(at) is used
    else:
        assert root.logs[0].in_use([at]) is used


def test_a_log_with_a_key_of_another_kind_still_asks_for_entries() -> None:
    """Else a key that nobody here reads would switch the check off."""
    key = ec.generate_private_key(ec.SECP521R1()).public_key()

    def other(document: dict[str, Any]) -> None:
        for name in ("tlogs", "ctlogs"):
            document[name] = document[name][:1]
            document[name][0]["publicKey"]["rawBytes"] = b64(spki(key))

    root = parse_trusted_root(changed(other))

    assert (root.logs, root.ct_logs) == ((), ())
    assert root.logged
    assert root.promised


def test_a_stamping_certificate_alone_stamps_nothing() -> None:
    """It is nobody's word without the authority that vouches for it."""
    root = parse_trusted_root(
        changed(
            lambda d: d["timestampAuthorities"][0]["certChain"]["certificates"].pop()
        )
    )
    stamp = shared().tsa.stamp(StampRequest(sha256(b"signature")), at=AT)

    with pytest.raises(Rejected):
        stamped_at(stamp, Envelope(b"payload", b"signature"), root.stampers)
