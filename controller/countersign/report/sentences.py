"""One sentence for each reason, and the order in which reasons matter to a reader.

A sentence goes after the object's name: ``payments/Deployment/ledger: …``. The pieces in
braces come from `facts.fields`.
"""

from types import MappingProxyType

from countersign.core.types.verdict import Finding, Reason
from countersign.report.facts import fields, is_rested_on, is_unseen

# In the order of importance: the first that holds is the headline of a denial.
SENTENCES = MappingProxyType(
    {
        Reason.NOT_READY: "countersign has not read its policies yet and admits nothing until it has",
        Reason.STALE: "countersign has lost sight of its policies and admits nothing new: {what}",
        Reason.NO_POLICY: "this namespace is protected, and no policy says how",
        Reason.POLICY_INVALID: "a policy that would judge this cannot be read: {what}",
        Reason.GOVERNANCE: "not to be changed so: {what}",
        Reason.MALFORMED: "cannot be read: {what}",
        Reason.UNSUPPORTED: "cannot be judged by this version of countersign: {what}",
        Reason.OVER_LIMIT: "carries more evidence than is read: {what}",
        Reason.FOREIGN_ANNOTATION: "annotations reserved for countersign: {what}",
        Reason.UNSIGNED_SOURCE: "would take what nobody signs, the storage of a Helm release: {what}",
        Reason.EVIDENCE_REMOVED: "would lose the evidence that it was admitted on: {what}",
        Reason.STATUS_METADATA: "a write to the status that changes metadata: {what}",
        Reason.OWNER_UNPROVEN: "made by a controller for an owner that is not proven: {what}",
        Reason.CHILD_DIFFERS: "differs from what its owner asks for: {what}",
        Reason.TOOL_BANNED: "{names} had a hand in {about}, which this policy bans",
        Reason.AI_DENIED: "AI ({names}) had a hand in {about}, which this policy does not allow",
        Reason.REJECTED: "{person} rejected this change",
        Reason.IMAGE_UNPINNED: "an image that no sha256 digest pins: {names}",
        Reason.CHANGED: "not what was signed: {what}",
        Reason.CONVERTED: "written in a version that is not stored as it is: {what}",
        Reason.WRONG_CLUSTER: "signed for the cluster {seen}, not for {expected}",
        Reason.REVOKED: "the sign-off of {person} was revoked",
        Reason.SIGNER_UNKNOWN: "signed by {signer}, whom the roster does not know",
        Reason.PERSON_INVALID: "signed by {person}, who was not on the roster then ({seen})",
        Reason.EXPIRED: "a sign-off that was valid until {seen}",
        Reason.NOT_YET_VALID: "a sign-off that is valid from {expected} on",
        Reason.WRONG_OPERATION: "signed for another operation: {what}",
        Reason.STALE_BASE: "signed before what runs now, or over another state (base {expected})",
        Reason.WINDOW_TOO_LONG: "a sign-off for {seen}, where at most {expected} is allowed",
        Reason.TIME_MISSING: "no trusted clock says when {person} signed",
        Reason.TIME_IMPLAUSIBLE: "a sign-off whose times cannot be: {what}",
        Reason.PRESENCE_MISSING: "nothing proves that {person} was there to sign: {seen}, {needed} is needed",
        Reason.CONCERN: "the reviewer has a concern: {names}",
        Reason.QUESTIONS_OPEN: "the reviewer left questions open: {what}",
        Reason.TRACEABILITY_MISSING: "signed without a link to {names}",
        Reason.IMAGE_UNCOVERED: "a newly run image that is not signed: {image}",
        Reason.WORSE_PROVENANCE: "the reviewer saw it as {expected}, it is known as {seen}",
        Reason.NOT_INDEPENDENT: "signed by {person}, who made it ({seen}) and so cannot approve it as {needed}",
        Reason.MEANING_MISSING: "the signature of {person} means {seen}, it should mean {needed}",
        Reason.ROLE_MISSING: "signed by {person}, who does not hold the role {needed} here",
        Reason.AUTHOR_UNRESOLVED: "made by somebody whom the roster does not know: {names}",
        Reason.AUTHORS_UNKNOWN: "nobody knows who made {about}: {what}",
        Reason.UNKNOWN_DENIED: "how {about} was made has to be known here: {what}",
        Reason.PROOF_REJECTED: "a bundle whose signature does not hold: {what}",
        Reason.WRONG_OBJECT: "the sign-off is for {seen}",
        Reason.UNAVAILABLE: "not everything could be looked up: {what}",
        Reason.NO_EVIDENCE: "a change that comes without any evidence",
        Reason.SUBRESOURCE: "goes past what is signed: {what}",
        Reason.DELETION: "a deletion without {roles}",
        Reason.SLOT_OPEN: "{making} without {roles}",
        Reason.DECLARATION_REJECTED: "the declaration of {person} does not count: {what}",
    }
)

RESTED_ON = "is all that something running rests on: {what}"
"""Of a BundleSet that is to be deleted."""

UNSEEN = "an image whose platforms could not be seen, each of which has to be covered: {image}"
"""Where a policy asks for each platform of an index."""

BARE = "no evidence lies beside {image} ({what})"
"""Where a registry was asked, and is sure."""

_RANK = {reason: rank for rank, reason in enumerate(SENTENCES)}


def says(finding: Finding) -> str:
    """Say in one sentence, without a full stop, why the policy is not met."""
    sentence = SENTENCES[finding.reason]
    if is_rested_on(finding):
        sentence = RESTED_ON
    elif finding.reason is Reason.IMAGE_UNCOVERED and is_unseen(finding):
        sentence = UNSEEN
    elif finding.reason is Reason.NO_EVIDENCE and finding.facts is not None:
        sentence = BARE
    return sentence.format_map(fields(finding))


def by_weight(finding: Finding) -> tuple[int, tuple[str, str, str, str]]:
    """Sort key: what the reader should hear first."""
    return (_RANK[finding.reason], finding.order)
