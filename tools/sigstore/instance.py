"""A whole Sigstore in one object: what tests hold, and what the service serves."""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tools.sigstore.ca import CertificateAuthority, Claim, Identity
from tools.sigstore.ct import CertificateLog
from tools.sigstore.encoding import INTOTO, b64, pae, sha256
from tools.sigstore.entries import EntryKind, Signed, body
from tools.sigstore.keys import PrivateKey, sign_message
from tools.sigstore.oidc import TokenIssuer, Workflow
from tools.sigstore.rekor import RekorV1, RekorV2
from tools.sigstore.trust_root import (
    Chain,
    LogKey,
    Party,
    Rekor,
    Trusted,
    signing_config,
)
from tools.sigstore.tsa import StampRequest, TimeStampingAuthority
from tools.sigstore.vault import Key, Vault, stranger

Json = dict[str, Any]

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

_BEFORE = timedelta(days=365)  # so that tests may sign in the past
_AFTER = timedelta(days=3650)
_LOG_DELAY = timedelta(seconds=5)
_RECENTLY = timedelta(seconds=30)


class Part(StrEnum):
    """A piece of a bundle that somebody vouches for."""

    CERTIFICATE = "certificate"
    SCT = "sct"
    LOG_ENTRY = "log entry"
    CHECKPOINT = "checkpoint"
    PROMISE = "promise"
    STAMP = "stamp"


class VirtualSigstore:
    """A certificate authority, a CT log, two transparency logs and a TSA.

    Everything is signed for real, with keys that nobody else trusts.

    Args:
        folder: Where keys and certificates are kept, so that the next instance with the
            same folder is the same Sigstore; None makes a new one.
        name: Part of host names and certificates; for a new one only.

    Attributes:
        ca: Issues certificates.
        ct: Promises them.
        rekor_v1: Logs envelopes.
        rekor_v2: Logs signatures.
        tsa: Stamps them.
        oidc: Mints identity tokens.
        since: When its keys came into use; a year before it was made.
        minting_secret: Whoever shows it to the service may be anybody.
    """

    def __init__(self, folder: Path | None = None, *, name: str = "virtual") -> None:
        vault = Vault(folder)
        now = datetime.now(UTC).replace(microsecond=0)
        start, end = now - _BEFORE, now + _AFTER
        name = vault.text("name", lambda: name)
        self._domain = f"{name}.sigstore.test"
        self.ct = CertificateLog(vault)
        self.ca = CertificateAuthority(vault, name, self.ct, start=start, end=end)
        self.tsa = TimeStampingAuthority(vault, name, start=start, end=end)
        self.rekor_v1 = RekorV1(vault, f"rekor.{self._domain}")
        self.rekor_v2 = RekorV2(vault, f"log.{self._domain}")
        self.oidc = TokenIssuer(vault)
        self.since = self.ca.root.not_valid_before_utc
        self.minting_secret = vault.text("minting-secret", secrets.token_urlsafe)

    def attest(
        self,
        statement: bytes,
        *,
        san: str,
        issuer: str,
        claims: Mapping[Claim, str] | None = None,
        at: datetime | None = None,
        log_at: datetime | None = None,
        rekor: str = Rekor.V1,
        stamped: bool | None = None,
        payload_type: str = INTOTO,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
        leaf_key: PrivateKey | None = None,
        forged: Collection[Part] = (),
        without: Collection[Part] = (),
    ) -> bytes:
        """Sign `statement` as `san` and bundle all the proof.

        Args:
            statement: The payload, byte for byte.
            san: The signer's e-mail address or URI.
            issuer: Who vouches for it.
            claims: What else the certificate says.
            at: When the certificate begins to be valid; half a minute ago if None.
            log_at: When log and TSA saw the signature; five seconds later if None.
            rekor: Which log, ``v1`` or ``v2``.
            stamped: Whether the TSA stamps it; None for v2 only, which needs it.
            payload_type: Of the envelope.
            usage: Of the certificate; anything but code signing is to be refused.
            leaf_key: The signer's; a fresh P-256 key if None.
            forged: What a stranger vouches for, under the right name.
            without: What the bundle lacks.

        Returns:
            A bundle v0.3 as JSON.
        """
        stamped = rekor == Rekor.V2 if stamped is None else stamped
        _refuse_vacuous({*forged, *without}, rekor, stamped=stamped)
        at = at or datetime.now(UTC) - _RECENTLY
        log_at = log_at or at + _LOG_DELAY
        leaf_key = leaf_key or ec.generate_private_key(ec.SECP256R1())
        certificate = self.ca.issue(
            leaf_key.public_key(),
            Identity(san=san, issuer=issuer, claims=claims or {}),
            at=at,
            usage=usage,
            promised=Part.SCT not in without,
            key=_forger(self.ca.key, forged, Part.CERTIFICATE),
            ct_key=_forger(self.ct.key, forged, Part.SCT),
        )
        signed = Signed(
            payload_type=payload_type,
            payload=statement,
            signature=sign_message(leaf_key, pae(payload_type, statement)),
            verifier=certificate,
        )
        material = self._log_material(Rekor(rekor), signed, log_at, forged, without)
        if Part.CERTIFICATE not in without:
            der = certificate.public_bytes(Encoding.DER)
            material["certificate"] = {"rawBytes": b64(der)}
        if stamped and Part.STAMP not in without:
            forger = _forger(self.tsa.key, forged, Part.STAMP)
            material |= self.stamps(signed.signature, at=log_at, key=forger)
        return bundle(material, signed.envelope())

    def stamps(
        self,
        signature: bytes,
        *,
        at: datetime,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Json:
        """Stamp `signature`, as a field of a bundle's verification material."""
        stamp = self.tsa.stamp(StampRequest(sha256(signature)), at=at, key=key)
        return {
            "timestampVerificationData": {
                "rfc3161Timestamps": [{"signedTimestamp": b64(stamp)}]
            }
        }

    def token(
        self,
        who: str | Workflow,
        *,
        issuer: str | None = None,
        at: datetime | None = None,
        lifetime: timedelta = timedelta(hours=12),
    ) -> str:
        """Mint an identity token for an e-mail address or a workflow.

        Args:
            who: The identity.
            issuer: Who vouches; None for the default of its kind.
            at: When it begins to hold; now if None.
            lifetime: How long it holds.
        """
        at = at or datetime.now(UTC)
        return self.oidc.mint(who, at=at, issuer=issuer, lifetime=lifetime)

    def trusted_root(
        self,
        retired: Mapping[Party, datetime] | None = None,
        begun: Mapping[Party, datetime] | None = None,
    ) -> Json:
        """Write ``trusted_root.json``.

        Args:
            retired: When a party's keys went out of use; those not named still are.
            begun: When they came into use; those not named a year ago.
        """
        trusted = Trusted(
            ca=Chain(
                certificates=[self.ca.intermediate, self.ca.root],
                host=f"fulcio.{self._domain}",
            ),
            ct=LogKey(
                key=self.ct.key.public_key(),
                log_id=self.ct.log_id,
                host=f"ct.{self._domain}",
            ),
            logs=[
                LogKey(key=log.key.public_key(), log_id=log.log_id, host=log.origin)
                for log in (self.rekor_v1, self.rekor_v2)
            ],
            tsa=Chain(
                certificates=[self.tsa.certificate, self.tsa.root],
                host=f"tsa.{self._domain}",
            ),
            since=self.since,
        )
        return trusted.document(retired or {}, begun or {})

    def signing_config(
        self, url: str, *, logs: Sequence[Rekor] = (Rekor.V1, Rekor.V2)
    ) -> Json:
        """Write ``signing_config.json`` for the service at `url`.

        Args:
            url: Scheme, host and port, no path.
            logs: The logs on offer; clients take the newest they know.
        """
        return signing_config(url, self.since, logs)

    def _log_material(
        self,
        rekor: Rekor,
        signed: Signed,
        at: datetime,
        forged: Collection[Part],
        without: Collection[Part],
    ) -> Json:
        if Part.LOG_ENTRY in forged:  # logged is another envelope than the bundle's
            signed = replace(signed, payload=b"another")
        checkpoint_key = _forger(
            (self.rekor_v1 if rekor is Rekor.V1 else self.rekor_v2).key,
            forged,
            Part.CHECKPOINT,
        )
        if rekor is Rekor.V1:
            promise_key = _forger(self.rekor_v1.key, forged, Part.PROMISE)
            entry = self.rekor_v1.add(
                body(EntryKind.DSSE, signed),
                at=at,
                checkpoint_key=checkpoint_key,
                promise_key=promise_key,
            )
        else:
            entry = self.rekor_v2.add(
                body(EntryKind.HASHED_V2, signed), checkpoint_key=checkpoint_key
            )
        if Part.CHECKPOINT in without:
            del entry["inclusionProof"]["checkpoint"]
        if Part.PROMISE in without:
            del entry["inclusionPromise"]
        return {"tlogEntries": [] if Part.LOG_ENTRY in without else [entry]}


def bundle(material: Json, envelope: Json) -> bytes:
    """Write a bundle v0.3."""
    return json.dumps(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": material,
            "dsseEnvelope": envelope,
        }
    ).encode()


def _refuse_vacuous(parts: set[Part], rekor: str, *, stamped: bool) -> None:
    """Refuse to spoil what is not there: a test that does so proves nothing."""
    absent = {Part.PROMISE} if rekor == Rekor.V2 else set()
    absent |= set() if stamped else {Part.STAMP}
    if parts & absent:
        raise ValueError(f"such a bundle has no {min(parts & absent)}")


def _forger(key: Key, forged: Collection[Part], part: Part) -> Key | None:
    return stranger(key) if part in forged else None
