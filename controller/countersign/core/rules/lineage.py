"""What an image was built of: from its digest to a commit (rules 4, 5 and 7).

A builder's statement names images and the one commit that they were made of. Provenance
of that commit, in that repository, then speaks of those images; of no others, and no
other provenance does. Of several builds of one image each links by itself: the bytes are
the same. What counts against one of their commits counts against the image.
"""

from collections.abc import Collection, Iterable

from countersign.core.rules.case import Case, Said
from countersign.core.rules.collectors import is_certified, made_by, repository
from countersign.core.rules.revocation import is_revoked
from countersign.core.types.artifacts import Digest
from countersign.core.types.attestors import Attestor
from countersign.core.types.evidence import Build, Provenance


def links(
    case: Case, builds: Iterable[Said[Build]], names: Collection[frozenset[Digest]]
) -> tuple[Said[Build], ...]:
    """Return those of `builds` that count, and name all of any one of `names`.

    1. a builder of the policy signed it, who may speak about that repository
    2. its certificate is about the repository and commit that it speaks of
    3. neither bundle nor signer nor builder was withdrawn
    """
    return tuple(
        b
        for b in builds
        if any(each <= b.evidence.digests for each in names) and _counts(case, b)
    )


def commits_against(case: Case, digests: Collection[Digest]) -> frozenset[Digest]:
    """Return of which commits a builder said that any of `digests` was made.

    For what counts against an image: withdrawn or not, it still was said (rule 6).
    """
    return frozenset(
        b.claim.commit
        for b in case.adverse_builds
        if not b.evidence.digests.isdisjoint(digests)
        and made_by(case.policy.builders, b.evidence)
    )


def is_made_of(build: Said[Build], provenance: Said[Provenance]) -> bool:
    """Tell whether `provenance` ends on the commit that `build` was made of.

    In the same repository, and with that commit among its subjects.
    """
    made, claim = build.claim, provenance.claim
    return (
        made.commit == claim.range.target
        and repository(made.repository) == repository(claim.repository)
        and made.commit in provenance.evidence.digests
    )


def is_by_builder(case: Case, provenance: Said[Provenance]) -> bool:
    """Tell whether `provenance` links images to the commit it ends on by itself.

    Its signer is a builder too, and the commit is a subject beside the image.
    """
    return (
        bool(made_by(case.policy.builders, provenance.evidence))
        and provenance.claim.range.target in provenance.evidence.digests
    )


def _counts(case: Case, build: Said[Build]) -> bool:
    policy = case.policy
    ours = tuple(b for b in policy.builders if _may_speak(b, build.claim))
    by = made_by(ours, build.evidence)
    names = (*by, *made_by(policy.collectors, build.evidence))
    return (
        bool(by)
        and is_certified(build)
        and not is_revoked(build.evidence, case.revoked, collectors=names)
    )


def _may_speak(builder: Attestor, claim: Build) -> bool:
    """Tell whether a builder is pinned to other repositories than the one it names.

    Of a certificate this is known already; a key may be one for all that a cluster builds.
    """
    pinned = {repository(uri) for uri in builder.source_repositories}
    return not pinned or repository(claim.repository) in pinned
