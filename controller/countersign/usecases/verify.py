"""Verify: from manifests to what the API server would ask about them."""

from collections.abc import Iterable
from dataclasses import replace

from countersign.binding.applied import applied
from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.binding.landing import allocated
from countersign.binding.plan import is_plan
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb
from countersign.ports import ClusterState


def as_requests(
    manifests: Iterable[Tree], *, namespace: str, kinds: Kinds = BUILT_IN
) -> tuple[AdmissionRequest, ...]:
    """Return the request that creating each manifest would cause, as a dry-run.

    Objects are shown as a server without other objects would show them: without a uid,
    addresses and ports, with what else can be computed.

    Args:
        manifests: Objects as written, lists expanded.
        namespace: For those of namespaced kinds that name none.
        kinds: Those that are known.

    Raises:
        Malformed: a manifest that says not what it is, or not where it goes, or that no
            server would take.
    """
    return tuple(_request(manifest, namespace, kinds) for manifest in manifests)


async def on_cluster(
    manifests: Iterable[Tree],
    *,
    namespace: str,
    state: ClusterState,
    kinds: Kinds = BUILT_IN,
) -> tuple[AdmissionRequest, ...]:
    """Return the request that applying each manifest would cause, as a dry-run.

    Where the object is there it is updated, as ``kubectl apply`` would; else created.

    Args:
        manifests: Objects as written, lists expanded.
        namespace: For those of namespaced kinds that name none.
        state: The live objects.
        kinds: Those that are known.

    Raises:
        Malformed: as `as_requests`.
        Unavailable: the API server did not answer, or shows no object to this user.
    """
    return tuple(
        [await _on(m, _request(m, namespace, kinds), state) for m in manifests]
    )


async def _on(
    manifest: Tree, created: AdmissionRequest, state: ClusterState
) -> AdmissionRequest:
    ref = created.ref
    if is_plan(manifest):
        return created  # no server has one
    live = await state.get(created.version, ref, live=True) if ref.name else None
    if live is None:
        return created
    return replace(created, verb=Verb.UPDATE, object=applied(live, manifest), old=live)


def _request(manifest: Tree, namespace: str, kinds: Kinds) -> AdmissionRequest:
    metadata = manifest.get("metadata")
    kind, version = manifest.get("kind"), manifest.get("apiVersion")
    if not (
        isinstance(metadata, dict)
        and isinstance(kind, str)
        and isinstance(version, str)
    ):
        raise Malformed("expected apiVersion, kind and metadata in a manifest")
    group, _, version = version.rpartition("/")
    where = str(metadata.get("namespace") or "")
    namespaced = kinds.is_namespaced(manifest)
    # of a kind that nobody here knows only its manifest says whether it has a namespace
    if not where and namespaced is not False:
        where = namespace
        if (
            namespaced and not where
        ):  # no policy would hold there, wherever kubectl puts it
            name = f"{kind}/{metadata.get('name', '')}"[:200]
            raise Malformed(f"{name}: expected a namespace, saw none: give --namespace")
    ref = ObjectRef(
        group=group,
        kind=kind,
        namespace=where,
        name=str(metadata.get("name") or ""),
        generate_name=str(metadata.get("generateName") or ""),
    )
    return AdmissionRequest(
        uid="",
        verb=Verb.CREATE,
        resource=Resource(group, version, plural(kind)),
        ref=ref,
        version=version,
        object=allocated(manifest, where),
        old=None,
        options=None,
        requester=Requester(""),
        dry_run=True,
    )


def plural(kind: str) -> str:
    """Return the resource of a kind, as the API's conventions form it.

    Source:
        k8s.io/apimachinery, ``meta.UnsafeGuessKindToResource``.
    """
    lower = kind.lower()
    if lower == "endpoints":
        return lower
    if lower.endswith("s"):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"
