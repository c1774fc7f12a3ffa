"""Sign: a statement, once it is sure that verifiers will take it."""

from countersign.core.errors import Malformed
from countersign.ports import Signer
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle


async def sign(statement: bytes, signer: Signer) -> bytes:
    """Return a bundle of `statement`, read back as a verifier reads it.

    Raises:
        Malformed: the statement says too much for one bundle, or what no verifier
            would take; nothing was signed then, unless it is the bundle's size.
        Rejected: the signer's identity was refused.
        Unavailable: the signer's services did not answer.
    """
    try:
        parse_attestation(statement)
        bundle = await signer.sign(statement)
        parse_bundle(bundle)
    except Malformed as error:
        raise Malformed(
            f"expected a statement that fits into a bundle: {error}: sign in parts"
        ) from error
    return bundle
