"""TrustRoot: what proofs are checked against."""

from typing import Annotated, Any, Literal, Self

import orjson
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import Field, StringConstraints, field_validator, model_validator

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.core.types.published import Mirror
from countersign.core.types.trust import TrustedKey, TrustRoot, TsaOnly
from countersign.wire.resources.fields import MAX_TEXT, Name, Span, Strict, rules
from countersign.wire.strict_json import parse_json

MAX_KEYS = 1024  # of one trust root
MAX_KEY_TEXT = 16384  # characters; an RSA key of 16384 bit has 2.9 thousand
_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot"
MAX_CHAIN_TEXT = 65536  # characters of PEM; eight certificates have 16 thousand
_SOMETHING = "expected sigstore, tsaOnly or keys"
MAX_TUF_ROOT = 65536  # characters of root.json; the public one has 6 thousand
_PUBLISHED = (
    "expected sigstore beside tuf: what is in force until admins take over more"
)
_ONE_SET = "expected sigstore or tsaOnly, not both: make it two trust roots"

KeyText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_TEXT)]
RootText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TUF_ROOT)]
MirrorUrl = Annotated[
    str,
    StringConstraints(
        max_length=MAX_TEXT,
        # no user, no query, no fragment; what is in a path stays there
        pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$",
    ),
]
TargetName = Annotated[
    str,
    StringConstraints(
        max_length=MAX_TEXT, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
    ),
]
Version = Annotated[int, Field(ge=1, le=2**53)]
ChainText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHAIN_TEXT)]


class Key(Strict):
    """A named public key."""

    name: Name
    type: Literal["pem", "ssh", "webauthn"] = "pem"
    pem: KeyText | None = Field(
        default=None, description="SubjectPublicKeyInfo in PEM, for type pem."
    )
    ssh: KeyText | None = Field(
        default=None, description="A line of authorized_keys, for type ssh."
    )
    webauthn: KeyText | None = Field(
        default=None, description="COSE key in base64, for type webauthn."
    )
    valid: Span = Span()

    @model_validator(mode="after")
    def _material(self) -> Self:
        given = {kind for kind in ("pem", "ssh", "webauthn") if getattr(self, kind)}
        if given != {self.type}:
            raise ValueError(f"expected the field {self.type} beside type {self.type}")
        if self.pem is not None:
            _public(self.pem)
        return self


def _public(pem: str) -> None:
    try:
        load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("expected a public key in PEM (BEGIN PUBLIC KEY)") from error


class Chains(Strict):
    """A certificate authority and a time-stamping authority, without logs."""

    certificate_chain: ChainText = Field(
        description="Certificates in PEM: the one that issues signers' certificates "
        "first, each issued by the next, root last."
    )
    tsa_chain: ChainText = Field(
        description="Certificates in PEM: the one that stamps first, root last."
    )

    @field_validator("certificate_chain", "tsa_chain")
    @classmethod
    def _readable(cls, pem: str) -> str:
        try:
            x509.load_pem_x509_certificates(pem.encode())
        except ValueError as error:
            raise ValueError("expected certificates in PEM") from error
        return pem

    def value(self) -> TsaOnly:
        """Return the core's value."""
        return TsaOnly(
            certificate_chain=self.certificate_chain.encode(),
            tsa_chain=self.tsa_chain.encode(),
        )


class Versions(Strict):
    """Versions of TUF metadata, by role."""

    timestamp: Version | None = None
    snapshot: Version | None = None
    targets: Version | None = None


class Tuf(Strict):
    """Where a trusted root is published. Verdicts never depend on it."""

    mirror: MirrorUrl = Field(
        description="Address of a TUF repository: its metadata is there, its targets in "
        "targets/ below, as cosign initialize --mirror wants it. HTTPS, never redirected."
    )
    root: RootText = Field(
        description="A root.json of that repository, as text: what is published is "
        "believed if its keys, or those that they hand over to, signed it.",
    )
    target: TargetName = Field(
        default="trusted_root.json", description="Name of the target; no path."
    )
    versions: Versions = Field(
        default=Versions(),
        description="As they were when it was taken over last, written by trust "
        "refresh: what is older is refused.",
    )

    @field_validator("root")
    @classmethod
    def _a_root(cls, text: str) -> str:
        try:
            tree = parse_json(text.encode(), limit=4 * MAX_TUF_ROOT)
        except Malformed as error:
            raise ValueError(f"expected a root.json: {error}") from error
        signed = tree.get("signed") if isinstance(tree, dict) else None
        if not isinstance(signed, dict) or signed.get("_type") != "root":
            raise ValueError("expected a root.json, whose signed._type is root")
        return text

    def value(self) -> Mirror:
        """Return the core's value."""
        known = self.versions.model_dump(exclude_none=True)
        return Mirror(
            url=self.mirror, root=self.root.encode(), target=self.target, versions=known
        )


class TrustRootSpec(Strict):
    """The spec of a TrustRoot."""

    sigstore: dict[str, Any] | None = Field(
        default=None, description="A trusted_root.json: Fulcio, Rekor, CT log, TSA."
    )
    tsa_only: Chains | None = Field(
        default=None,
        description="Authorities that keep no logs, in place of sigstore: signatures "
        "count that carry a certificate and a time stamp.",
    )
    tuf: Tuf | None = Field(
        default=None,
        description="Where that trusted_root.json is published. countersign operate "
        "looks there and tells what is new; trust refresh proposes it. In force is what "
        "stands in sigstore.",
    )
    keys: tuple[Key, ...] = Field(
        default=(),
        max_length=MAX_KEYS,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )

    model_config = rules(
        ("has(self.sigstore) || has(self.tsaOnly) || has(self.keys)", _SOMETHING),
        ("!has(self.sigstore) || !has(self.tsaOnly)", _ONE_SET),
        ("!has(self.tuf) || has(self.sigstore)", _PUBLISHED),
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.sigstore is None and self.tsa_only is None and not self.keys:
            raise ValueError(_SOMETHING)
        if self.sigstore is not None and self.tsa_only is not None:
            raise ValueError(_ONE_SET)
        if self.tuf is not None and self.sigstore is None:
            raise ValueError(_PUBLISHED)
        if self.sigstore is not None:
            media = self.sigstore.get("mediaType")
            if not (isinstance(media, str) and media.startswith(_MEDIA_TYPE)):
                raise ValueError(f"expected sigstore.mediaType {_MEDIA_TYPE}...")
        return self

    def value(self, name: str) -> TrustRoot:
        """Return the core's value.

        Raises:
            Malformed: a key's name stands twice, or `valid` ends before it starts.
        """
        keys = tuple(
            TrustedKey(key.name, (key.pem or "").encode(), key.valid.value())
            for key in self.keys
        )
        chains = self.tsa_only
        material = [
            self.sigstore,
            [(k.name, k.pem.decode(), k.valid.start, k.valid.end) for k in keys],
            *([[chains.certificate_chain, chains.tsa_chain]] if chains else []),
        ]
        return TrustRoot(
            name=name,
            digest=Digest.sha256(orjson.dumps(material, option=orjson.OPT_SORT_KEYS)),
            sigstore=None if self.sigstore is None else orjson.dumps(self.sigstore),
            tsa_only=chains.value() if chains else None,
            keys=keys,
        )
