"""The prover: bundles in, evidence out, whatever the scheme.

Cryptographic facts are remembered, never decisions: what depends on the present (a time
in the future, a key that may no longer sign) is asked again each time, and what depends
on policy is not asked here at all.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from countersign.adapters.proof.cache import OnceCache
from countersign.adapters.proof.judge import Material, Outcome, Proof, Refusal, judge
from countersign.core.errors import Foreign, Malformed, Rejected, Unavailable
from countersign.core.types.evidence import Evidence
from countersign.ports import Clock, TrustBook
from countersign.telemetry import CACHE_REQUESTS, PROOFS
from countersign.wire.bundle import MAX_BUNDLE

MAX_AHEAD = timedelta(minutes=1)  # of a log's or stamper's clock before ours

_THREADS = 2  # keep the loop answering; under the GIL more add no throughput
_CACHE_BYTES = 64 * 1024 * 1024
_MAX_PENDING = 256  # bundles; at 3 ms each all are done well within a deadline
_OVERHEAD = 4096  # bytes of a remembered outcome beyond what grows with its bundle
_GROWTH = 4  # bytes of a claim for each of its bundle; 0.9 to 3.3 were measured


class BundleProver:
    """Proves Sigstore bundles under the trust roots in force.

    Belongs to one event loop. Verification runs in threads of its own.

    Args:
        trust: The trust roots.
        clock: The present.
        cache_bytes: Of remembered outcomes.
        max_pending: Bundles begun or waiting; more are refused at once.
    """

    def __init__(
        self,
        trust: TrustBook,
        clock: Clock,
        *,
        cache_bytes: int = _CACHE_BYTES,
        max_pending: int = _MAX_PENDING,
    ) -> None:
        self._trust = trust
        self._clock = clock
        self._material = Material(())
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prove")
        self._outcomes: OnceCache[tuple[bytes, bytes], Outcome] = OnceCache(
            self._threads, max_bytes=cache_bytes, max_pending=max_pending
        )

    async def prove(self, bundle: bytes) -> Evidence:
        """Verify `bundle` and return what it proves.

        Raises:
            Foreign: `bundle` holds a statement that countersign does not read.
            Malformed: it is not a Sigstore bundle holding an in-toto statement.
            Rejected: it is, and its proof does not hold under any trust root, or not
                at present.
            Unavailable: no trust root is loaded, or too much is being verified.
        """
        if len(bundle) > MAX_BUNDLE:  # not even hashed
            raise Malformed(f"expected at most {MAX_BUNDLE} bytes, saw {len(bundle)}")
        outcome = await self._outcome(bundle, self._current())
        if isinstance(outcome, Refusal):
            raise _error(outcome)
        self._require_present(outcome)
        return outcome.evidence

    def close(self) -> None:
        """Stop the threads; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _current(self) -> Material:
        roots = self._trust.roots()
        if not roots:
            raise Unavailable("expected a trust root, saw none")
        if roots != tuple(item.root for item in self._material.items):
            self._material = Material(roots, self._material)
        return self._material

    async def _outcome(self, bundle: bytes, material: Material) -> Outcome:
        key = (material.digest, hashlib.sha256(bundle).digest())
        known = self._outcomes.get(key)
        CACHE_REQUESTS.labels("proofs", "hit" if known else "miss").inc()
        if known:
            return known
        try:
            return await self._outcomes.do(
                key,
                lambda: _counted(judge(bundle, material)),
                size=_OVERHEAD + _GROWTH * len(bundle),
            )
        except Unavailable:
            PROOFS.labels("unavailable").inc()
            raise

    def _require_present(self, proof: Proof) -> None:
        """Ask what no cache may answer."""
        now = self._clock.now()
        signed_at = proof.evidence.signed_at
        if signed_at is not None and signed_at > now + MAX_AHEAD:
            raise Rejected(f"expected a signature of the past, saw one of {signed_at}")
        if not proof.valid.holds(now):
            raise Rejected(
                "expected a key that may sign now: nobody trusted says when it did"
            )


def _error(refusal: Refusal) -> Malformed | Rejected:
    if refusal.malformed:
        return (Foreign if refusal.foreign else Malformed)(refusal.reason)
    return Rejected(refusal.reason)


def _counted(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Proof):
        PROOFS.labels("proven").inc()
    else:
        PROOFS.labels("malformed" if outcome.malformed else "rejected").inc()
    return outcome
