"""The cases of the public conformance suite, rebuilt.

The suite's own bundles were made by instances whose keys nobody here has, mostly over
blobs; countersign reads DSSE envelopes only. So each case is made anew, over a statement,
with one thing right or wrong in it, which is what its name says. Names that end in
``_fail`` must be refused. What is wrong is taken from `negatives` where it is the same.

Source:
    github.com/sigstore/sigstore-conformance, test/assets/bundle-verify: names, and the
    README of each case, as far as they could be read; the rest after Sigstore's client
    specification, which the suite asks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.conformance import remakes
from tests.conformance.negatives import (
    authorities,
    certificates,
    envelopes,
    formats,
    keys,
    logs,
    proofs,
    stamps,
    windows,
)
from tests.support.forging import Forged, Json, Lab, sound
from tools.sigstore.entries import EntryKind
from tools.sigstore.forms import (
    KEYED_V1,
    KEYED_V2,
    KEYLESS_V1,
    KEYLESS_V2,
    PRIVATE,
    Form,
    Media,
)
from tools.sigstore.keys import KeyKind

INTOTO = Form(entry=EntryKind.INTOTO)
HASHED = Form(entry=EntryKind.HASHED)
V01 = Form(media=Media.V01, chained=True)
V02 = Form(media=Media.V02, chained=True)
V03_OLD = Form(media=Media.V03_OLD)
STAMPED_V1 = Form(stamps=1)

_NEGATIVES = {
    (negative.name, negative.form): negative
    for module in (
        envelopes,
        certificates,
        authorities,
        windows,
        logs,
        proofs,
        stamps,
        keys,
        formats,
    )
    for negative in module.NEGATIVES
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its name, and how to make bundle and trust roots."""

    name: str
    make: Callable[[Lab], Forged]

    @property
    def refused(self) -> bool:
        """Whether it must be refused."""
        return self.name.endswith("_fail")


def _sound(name: str, form: Form) -> Case:
    return Case(name, lambda lab: Forged(sound(form), lab.roots(form)))


def _made(name: str, form: Form, make: Callable[[Lab, Form], Json | Forged]) -> Case:
    def forged(lab: Lab) -> Forged:
        made = make(lab, form)
        return made if isinstance(made, Forged) else Forged(made, lab.roots(form))

    return Case(name, forged)


def _wrong(name: str, form: Form, what: str) -> Case:
    negative = _NEGATIVES[what, form]

    def forged(lab: Lab) -> Forged:
        made = negative.spoil(lab, sound(form))
        return made if isinstance(made, Forged) else Forged(made, lab.roots(form))

    return Case(f"{name}_fail", forged)


CASES = [
    _sound("happy-path", KEYLESS_V1),
    _sound("happy-path-v0.1", V01),
    _sound("happy-path-v0.2", V02),
    _sound("happy-path-v0.3", V03_OLD),
    _sound("happy-path-intoto-in-dsse-v3", INTOTO),
    _sound("dsse-with-hashedrekord-happy-path", HASHED),
    _sound("intoto-with-custom-trust-root", replace(INTOTO, stamps=1)),
    _made(
        "intoto-canonical-log-entry",
        replace(KEYED_V1, entry=EntryKind.INTOTO, promise=False),
        remakes.untimed,
    ),
    _sound("rekor2-happy-path", KEYLESS_V2),
    _sound("rekor2-dsse-happy-path", replace(KEYLESS_V2, key=KeyKind.P384)),
    _made("rekor2-multiple-timestamps", replace(KEYLESS_V2, stamps=2), remakes.plain),
    _made("rekor2-timestamp-chain-expired-since", KEYLESS_V2, remakes.expired_since),
    _made("rekor2-checkpoint-cosigned", KEYLESS_V2, remakes.cosigned),
    _sound("managed-key-happy-path", KEYED_V1),
    _sound("managed-key-and-trusted-root", KEYED_V2),
    _sound("managed-key-no-tlog", replace(KEYED_V1, entry=None)),
    _made("sct-duplicate-intermediate-name", KEYLESS_V1, remakes.decoy),
    _made("trust-root-tlog-validity-end-inclusive", KEYLESS_V1, remakes.log_till_then),
    _made("trust-root-tsa-validity-end-inclusive", KEYLESS_V2, remakes.tsa_till_then),
    _sound("tsa-only-no-tlog", PRIVATE),
    _made("root-in-chain-ignored", V02, remakes.root_in_chain),
    _made("trust-root-rotated", KEYLESS_V1, remakes.rotated),
    _wrong("wrong-trust-root", KEYLESS_V1, "of another Sigstore of the same name"),
    _wrong(
        "invalid-signature", KEYLESS_V1, "a stranger's signature, logged and stamped"
    ),
    _wrong("dsse-mismatch-sig", KEYLESS_V1, "logged with another signature"),
    _wrong("dsse-mismatch-envelope", KEYLESS_V1, "logged with another payload"),
    _wrong("dsse-payload-swapped", KEYLESS_V1, "the payload swapped"),
    _wrong("dsse-payload-type", KEYLESS_V1, "the payload type of another"),
    _wrong("dsse-multiple-signatures", KEYLESS_V1, "two signatures"),
    _made("dsse-statement-missing-type_fail", KEYED_V1, remakes.typeless),
    _made("dsse-statement-unknown-type_fail", KEYED_V1, remakes.unknown_type),
    _made("dsse-with-hashedrekord-invalid-sig_fail", HASHED, remakes.wrongly_signed),
    _made(
        "dsse-with-hashedrekord-mismatch-envelope_fail", HASHED, remakes.other_payload
    ),
    _made("dsse-with-hashedrekord-mismatch-sig_fail", HASHED, remakes.other_signature),
    _wrong("intoto-log-entry-mismatch", INTOTO, "logged with another payload"),
    _wrong("intoto-missing-inclusion-proof", INTOTO, "no proof in a bundle v0.3"),
    _wrong("intoto-set-mismatch", INTOTO, "the promised time moved"),
    _wrong(
        "cve-2022-36056-swapped-tlog-entry", KEYLESS_V1, "the entry of another signing"
    ),
    _wrong("tlog-wrong-cert", KEYLESS_V1, "logged for another key"),
    _wrong("tlog-kind-mismatch", KEYLESS_V1, "the entry said to be of another kind"),
    _wrong("tlog-unknown-kind", KEYLESS_V1, "an entry of a kind that nobody knows"),
    _wrong(
        "tlog-unknown-log",
        KEYLESS_V1,
        "an entry of a log that the trust root does not know",
    ),
    _wrong("no-log-entry", KEYLESS_V1, "no entry where logs are trusted"),
    _wrong("multiple-log-entries", KEYLESS_V1, "two log entries"),
    _wrong("missing-inclusion-proof", KEYLESS_V1, "no proof in a bundle v0.3"),
    _wrong("v0.1-missing-inclusion-promise", V01, "no promise in a bundle v0.1"),
    _wrong("invalid-inclusion-proof", KEYLESS_V1, "another hash in the proof"),
    _wrong("inclusion-proof-wrong-size", KEYLESS_V1, "another size in the proof"),
    _wrong("missing-checkpoint", KEYLESS_V1, "no checkpoint"),
    _wrong("checkpoint-wrong-roothash", KEYLESS_V1, "a checkpoint of another root"),
    _wrong(
        "checkpoint-bad-keyhint", KEYLESS_V1, "a checkpoint that only a witness signed"
    ),
    _wrong(
        "invalid-checkpoint-signature",
        KEYLESS_V1,
        "a checkpoint that a stranger signed",
    ),
    _wrong("invalid-set", KEYLESS_V1, "a promise that a stranger signed"),
    _wrong("integrated-time-moved", KEYLESS_V1, "the promised time moved"),
    _wrong(
        "integrated-time-in-future",
        STAMPED_V1,
        "certified, logged and stamped in the future",
    ),
    _wrong(
        "integrated-time-after-certificate",
        KEYLESS_V1,
        "logged and stamped after the certificate ended",
    ),
    _wrong("missing-sct", KEYLESS_V1, "no promise of a CT log"),
    _wrong(
        "invalid-ct-key",
        KEYLESS_V1,
        "a promise that a stranger signed in the CT log's name",
    ),
    _wrong("wrong-eku", KEYLESS_V1, "issued for another purpose"),
    _wrong("rekor2-no-timestamp", KEYLESS_V2, "no stamp with a log that knows no time"),
    _wrong(
        "rekor2-dsse-invalid-sig",
        KEYLESS_V2,
        "a stranger's signature, logged and stamped",
    ),
    _wrong("rekor2-dsse-mismatch-envelope", KEYLESS_V2, "logged with another payload"),
    _wrong("rekor2-dsse-mismatch-sig", KEYLESS_V2, "logged with another signature"),
    _wrong(
        "rekor2-timestamp-with-incorrect-message",
        KEYLESS_V2,
        "a stamp over another signature",
    ),
    _wrong(
        "rekor2-timestamp-untrusted-tsa",
        KEYLESS_V2,
        "a stamp by another of the same name",
    ),
    _wrong(
        "rekor2-timestamp-outside-cert-validity",
        KEYLESS_V2,
        "stamped after the certificate ended",
    ),
    _wrong(
        "rekor2-multiple-timestamps-one-outside-cert-validity",
        KEYLESS_V2,
        "stamped once more after the certificate ended",
    ),
    _wrong(
        "rekor2-timestamp-outside-trust-root-tsa-validity",
        KEYLESS_V2,
        "tsa key retired before",
    ),
    _wrong(
        "rekor2-timestamp-wrong-tsa-validity-borrow",
        KEYLESS_V2,
        "a time-stamping authority's time borrowed by another",
    ),
    _wrong(
        "trust-root-tlog-missing-validity-start",
        KEYLESS_V1,
        "a log's key that was always in use",
    ),
    _wrong("trust-root-ca-outside-validity", KEYLESS_V1, "ca key retired before"),
    _wrong("managed-key-wrong-key", KEYED_V1, "a key that nobody named"),
    _made("managed-key-and-client-identity_fail", KEYED_V1, remakes.without_keys),
]
