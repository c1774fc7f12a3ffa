"""Chains lead to an authority by every rule, as `cryptography` itself finds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.adapters.proof.chain import (
    CODE_SIGNING,
    MAX_AUTHORITY,
    TIME_STAMPING,
    Authority,
)
from countersign.core.errors import Malformed, Rejected
from countersign.core.types.time import ALWAYS

Key: TypeAlias = (
    ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
)
Change: TypeAlias = Callable[["Plan"], "Plan"]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT, MIDDLE, ISSUER, LEAF = range(4)
UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.57264.99")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A certificate before it is signed.

    Attributes:
        ca: Basic constraints; None leaves them out.
        path_length: For authorities.
        signs_certificates: Key usage; likewise for `signs`.
        signs: Whether it signs anything else.
        purposes: Extended key usage; empty leaves it out.
        start: Of its validity, from now.
        end: Likewise.
        critical: An extension that nobody knows.
        constrained: Names are constrained.
        digest: What its issuer signs over, in place of SHA-256.
        stranger: Another key signs, in the issuer's name.
    """

    ca: bool | None = True
    path_length: int | None = None
    signs_certificates: bool = True
    signs: bool = False
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    start: timedelta = -DAY
    end: timedelta = DAY
    critical: bool = False
    constrained: bool = False
    digest: hashes.SHA224 | None = None
    stranger: bool = False


SOUND = (
    Plan(),
    Plan(path_length=1, purposes=(CODE_SIGNING, TIME_STAMPING)),
    Plan(path_length=0),
    Plan(ca=None, signs_certificates=False, signs=True, purposes=(CODE_SIGNING,)),
)


@cache
def key(kind: str, number: int) -> Key:  # noqa: ARG001  one for each
    """Make a key once."""
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(
        ec.SECP256R1() if kind == "P-256" else ec.SECP384R1()
    )


def chain(
    plans: tuple[Plan, ...] = SOUND, kinds: tuple[str, ...] = ("P-256",) * 4
) -> tuple[Authority, x509.Certificate]:
    """Issue all of `plans`, root first; return the authority and the leaf."""
    made: list[x509.Certificate] = []
    for number, (plan, kind) in enumerate(zip(plans, kinds, strict=True)):
        above = max(number - 1, 0)
        issuer = key("stranger", 9) if plan.stranger else key(kinds[above], above)
        made.append(_issue(plan, number, key(kind, number), issuer))
    *authority, leaf = made
    return Authority(tuple(reversed(authority))), leaf


def _issue(plan: Plan, number: int, own: Key, issuer: Key) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(number))
        .issuer_name(_name(max(number - 1, 0)))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + plan.start)
        .not_valid_after(NOW + plan.end)
        .add_extension(_usage(plan), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()),
            critical=False,
        )
    )
    if plan.ca is not None:
        length = plan.path_length if plan.ca else None
        basic = x509.BasicConstraints(ca=plan.ca, path_length=length)
        builder = builder.add_extension(basic, critical=True)
    if plan.purposes:
        usage = x509.ExtendedKeyUsage(plan.purposes)
        builder = builder.add_extension(usage, critical=False)
    if number == LEAF:
        names = x509.SubjectAlternativeName([x509.RFC822Name("dana@acme.example")])
        builder = builder.add_extension(names, critical=False)
    if plan.critical:
        odd = x509.UnrecognizedExtension(UNKNOWN, b"\5\0")
        builder = builder.add_extension(odd, critical=True)
    if plan.constrained:
        allowed = [x509.RFC822Name("acme.example")]
        builder = builder.add_extension(
            x509.NameConstraints(allowed, None), critical=True
        )
    if isinstance(issuer, ed25519.Ed25519PrivateKey):
        return builder.sign(issuer, None)
    return builder.sign(issuer, plan.digest or hashes.SHA256())


def _name(number: int) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"level {number}")])


def _usage(plan: Plan) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=plan.signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=plan.signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def but(**changes: Plan) -> tuple[Plan, ...]:
    """Replace plans by level."""
    levels = {"root": ROOT, "middle": MIDDLE, "issuer": ISSUER, "leaf": LEAF}
    plans = list(SOUND)
    for level, plan in changes.items():
        plans[levels[level]] = plan
    return tuple(plans)


def cryptography_accepts(authority: Authority, leaf: x509.Certificate) -> bool:
    """Ask the library's own verifier, as sigstore-python does."""
    ca = ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.ExtendedKeyUsage, Criticality.NON_CRITICAL, None
    )
    ee = ExtensionPolicy.webpki_defaults_ee().may_be_present(
        x509.ExtendedKeyUsage, Criticality.NON_CRITICAL, None
    )
    *intermediates, root = authority.certificates
    verifier = (
        PolicyBuilder()
        .store(Store([root]))
        .time(NOW)
        .extension_policies(ca_policy=ca, ee_policy=ee)
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, intermediates)
    except Exception:  # noqa: BLE001  whatever it says, it says no
        return False
    return True


@pytest.mark.parametrize("kind", ["P-256", "P-384", "Ed25519", "RSA"])
def test_a_sound_chain_leads_to_its_issuer(kind: str) -> None:
    """With keys of every kind, on every level."""
    authority, leaf = chain(kinds=(kind,) * 4)

    assert authority.issuer_of(leaf, CODE_SIGNING, [NOW]) == authority.certificates[0]


def test_the_root_may_issue_itself() -> None:
    """What stands between is not used then."""
    authority, _ = chain()
    leaf = _issue(SOUND[LEAF], 1, key("P-256", LEAF), key("P-256", ROOT))

    assert authority.issuer_of(leaf, CODE_SIGNING, [NOW]) == authority.certificates[-1]


def test_the_last_certificate_is_trusted_as_it_is() -> None:
    """A trust root may name an intermediate alone."""
    authority, leaf = chain()
    short = Authority(authority.certificates[:1])

    assert short.issuer_of(leaf, CODE_SIGNING, [NOW]) == short.certificates[0]


@pytest.mark.parametrize(
    ("plans", "reason"),
    [
        *(
            pytest.param(
                but(**{level: replace(SOUND[number], stranger=True)}),
                "certificate chain" if level == "leaf" else "issued by the next",
                id=f"a stranger signed the {level}",
            )
            for number, level in [(1, "middle"), (2, "issuer"), (3, "leaf")]
        ),
        *(
            pytest.param(
                but(**{level: replace(SOUND[number], end=-timedelta(seconds=1))}),
                "valid at",
                id=f"the {level} ended",
            )
            for number, level in enumerate(("root", "middle", "issuer", "leaf"))
        ),
        *(
            pytest.param(
                but(**{level: replace(SOUND[number], start=timedelta(seconds=1))}),
                "valid at",
                id=f"the {level} has not begun",
            )
            for number, level in enumerate(("root", "middle", "issuer", "leaf"))
        ),
        *(
            pytest.param(
                but(**{level: replace(SOUND[number], critical=True)}),
                "restricted by the extension 1.3.6",
                id=f"the {level} is restricted by what nobody knows",
            )
            for number, level in enumerate(("root", "middle", "issuer", "leaf"))
        ),
        *(
            pytest.param(
                but(**{level: replace(SOUND[number], ca=False, path_length=None)}),
                "to be an authority's",
                id=f"the {level} is no authority",
            )
            for number, level in enumerate(("root", "middle", "issuer"))
        ),
        *(
            pytest.param(
                but(**{level: replace(SOUND[number], ca=None)}),
                "to be an authority's",
                id=f"the {level} does not say that it is an authority",
            )
            for number, level in enumerate(("root", "middle", "issuer"))
        ),
        *(
            pytest.param(
                but(**{level: replace(SOUND[number], signs_certificates=False)}),
                "sign certificates",
                id=f"the {level} may not sign certificates",
            )
            for number, level in enumerate(("root", "middle", "issuer"))
        ),
        pytest.param(
            but(root=Plan(path_length=1)), "path length", id="the root's path is short"
        ),
        pytest.param(
            but(middle=Plan(path_length=0)), "path length", id="the middle's is short"
        ),
        pytest.param(
            but(leaf=replace(SOUND[LEAF], ca=True)), "saw an authority's", id="a CA"
        ),
    ],
)
def test_refuses(plans: tuple[Plan, ...], reason: str) -> None:
    """Each for its own reason; and so does `cryptography`."""
    authority, leaf = chain(plans)

    with pytest.raises(Rejected, match=reason):
        authority.issuer_of(leaf, CODE_SIGNING, [NOW])
    assert not cryptography_accepts(authority, leaf)


@pytest.mark.parametrize(
    ("plans", "reason"),
    [
        pytest.param(
            but(leaf=replace(SOUND[LEAF], signs=False)),
            "digital signatures",
            id="a leaf that may not sign",
        ),
        pytest.param(
            but(leaf=replace(SOUND[LEAF], purposes=())),
            "code signing",
            id="a leaf without a purpose",
        ),
        pytest.param(
            but(
                leaf=replace(
                    SOUND[LEAF], purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)
                )
            ),
            "code signing",
            id="a leaf for anything",
        ),
        pytest.param(
            but(leaf=replace(SOUND[LEAF], purposes=(TIME_STAMPING,))),
            "a certificate for code signing",
            id="a leaf for something else",
        ),
        pytest.param(
            but(issuer=replace(SOUND[ISSUER], purposes=(TIME_STAMPING,))),
            "an authority for code signing",
            id="an authority for something else",
        ),
        pytest.param(
            but(middle=replace(SOUND[MIDDLE], constrained=True)),
            "restricted by the extension 2.5.29.30",
            id="an authority for some names: nobody here would hold it to them",
        ),
    ],
)
def test_refuses_what_the_web_allows(plans: tuple[Plan, ...], reason: str) -> None:
    """The web has other purposes; these rules are Sigstore's."""
    authority, leaf = chain(plans)

    with pytest.raises(Rejected, match=reason):
        authority.issuer_of(leaf, CODE_SIGNING, [NOW])


@pytest.mark.parametrize(
    "place",
    [
        pytest.param({"leaf": replace(SOUND[LEAF], digest=hashes.SHA224())}, id="leaf"),
        pytest.param(
            {"issuer": replace(SOUND[ISSUER], digest=hashes.SHA224())}, id="issuer"
        ),
    ],
)
def test_refuses_weak_hashes(place: dict[str, Plan]) -> None:
    """Two certificates of one hash would be one certificate."""
    authority, leaf = chain(but(**place))

    with pytest.raises(Rejected, match="over SHA-256 or more"):
        authority.issuer_of(leaf, CODE_SIGNING, [NOW])


def test_every_moment_counts() -> None:
    """Not the first, nor the last alone."""
    authority, leaf = chain()

    for moments in ([NOW, NOW + 2 * DAY], [NOW - 2 * DAY, NOW]):
        with pytest.raises(Rejected, match="valid at"):
            authority.issuer_of(leaf, CODE_SIGNING, moments)


def test_the_order_counts() -> None:
    """Whoever issues stands first, the root last."""
    authority, leaf = chain()
    issuer, middle, root = authority.certificates
    turned = Authority((middle, issuer, root))

    with pytest.raises(Rejected, match="issued by the next"):
        turned.issuer_of(leaf, CODE_SIGNING, [NOW])


@pytest.mark.parametrize("count", [0, MAX_AUTHORITY + 1])
def test_an_authority_has_some_certificates(count: int) -> None:
    """None would trust nothing, thousands would cost too much."""
    authority, _ = chain()

    with pytest.raises(Malformed, match="certificates of an authority"):
        Authority(authority.certificates[:1] * count, ALWAYS)


PLANS = st.builds(
    Plan,
    ca=st.sampled_from([True, True, True, False, None]),
    path_length=st.sampled_from([None, None, 0, 1, 2]),
    signs_certificates=st.sampled_from([True, True, True, False]),
    start=st.sampled_from([-DAY, -DAY, -DAY, timedelta(seconds=1)]),
    end=st.just(2 * DAY),
    critical=st.sampled_from([False, False, False, True]),
    stranger=st.sampled_from([False, False, False, False, True]),
)


@settings(max_examples=120)
@given(PLANS, PLANS, PLANS)
def test_nothing_passes_that_cryptography_refuses(
    root: Plan, middle: Plan, issuer: Plan
) -> None:
    """Of chains that are sound but for a few things.

    Seen to fail with the check of path lengths taken out, and with that of links.
    """
    authority, leaf = chain((root, middle, issuer, SOUND[LEAF]))
    try:
        authority.issuer_of(leaf, CODE_SIGNING, [NOW])
    except Rejected:
        return
    assert cryptography_accepts(authority, leaf)
