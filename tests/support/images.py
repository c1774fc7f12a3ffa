"""A world with registries: what lies beside images, as a registry tells it.

Facts are set and answers looked at: ``world.registries.put(image, bundles)``,
``world.registries.down.add("ghcr.io")``. In front of them is the real memory.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from countersign.adapters.attached.evidence import Bounds, KeptEvidence
from countersign.binding.images import images
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.core.types.people import Person
from countersign.core.types.policy import Images, Policy
from countersign.core.types.request import AdmissionRequest
from countersign.ports import Attached, Pinned, Throttled
from countersign.usecases.review import Reviewer
from countersign.wire.annotations import BUNDLES, PREFIX, read_annotations
from tests.support import a
from tests.support.watched import Clock
from tests.support.world import Tree, World


@dataclass
class FakeRegistries:
    """The port ImageEvidence: registries that hold what was put, fail, and count.

    Attributes:
        held: What lies beside images.
        blobs: By repository and digest.
        down: Registries that do not answer, and say so.
        stuck: Registries that never answer, until `go` is set.
        quiet: Registries that want quiet, and for how many seconds.
        asked: Images that were looked at, in order.
        fetched: Digests of blobs that were asked for.
    """

    held: dict[Pinned, Attached] = field(default_factory=dict)
    blobs: dict[tuple[str, Digest], bytes] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    quiet: dict[str, float] = field(default_factory=dict)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[Pinned] = field(default_factory=list)
    fetched: list[Digest] = field(default_factory=list)

    def put(self, image: Pinned, *bundles: bytes, **fields: Any) -> None:
        """Put more beside an image."""
        before = self.held.get(image, Attached())
        every = tuple(dict.fromkeys((*before.bundles, *bundles)))
        self.held[image] = replace(before, bundles=every, **fields)

    async def about(self, image: Pinned) -> Attached:
        """Return what lies beside an image."""
        self.asked.append(image)
        await self._answer(image)
        return self.held.get(image, Attached())

    async def blob(self, image: Pinned, digest: Digest, *, limit: int) -> bytes | None:
        """Return a blob of the image's repository."""
        self.fetched.append(digest)
        await self._answer(image)
        found = self.blobs.get((image.repository, digest))
        assert found is None or len(found) <= limit
        return found

    async def _answer(self, image: Pinned) -> None:
        if image.registry in self.stuck:
            await self.go.wait()
        await asyncio.sleep(0)
        if image.registry in self.quiet:
            wait = self.quiet[image.registry]
            raise Throttled(f"{image.registry} is busy", retry_after=wait)
        if image.registry in self.down:
            raise Unavailable(f"{image.registry} did not answer: connection refused")


@dataclass
class ImageWorld(World):
    """A world whose policies look beside images of ghcr.io/acme.

    Attributes:
        registries: What they hold.
        clock: The monotonic one.
        bounds: Of the memory.
    """

    policies: tuple[Policy, ...] = field(default_factory=lambda: (looking(),))
    registries: FakeRegistries = field(default_factory=FakeRegistries)
    clock: Clock = field(default_factory=Clock)
    bounds: dict[str, Any] = field(default_factory=dict)
    kept: KeptEvidence = field(init=False)

    def __post_init__(self) -> None:
        """Put a memory before the registries."""
        super().__post_init__()
        self.restart()

    def restart(self) -> None:
        """Forget everything that was remembered of registries."""
        bounds = Bounds(
            **{
                "monotonic": self.clock.monotonic,
                "sleep": self.clock.sleep,
                **self.bounds,
            }
        )
        self.kept = KeptEvidence(self.registries, bounds)

    def reviewer(self) -> Reviewer:
        """Return the engine."""
        return Reviewer(
            policies=self,
            prover=self.prover,
            sets=self.sets,
            state=self.cluster,
            clock=self,
            cluster=a.CLUSTER,
            settings=self.settings,
            images=self.kept,
        )

    def attached(self, manifest: Tree, *people: Person, **fields: Any) -> Tree:
        """Put what `signed` makes beside the images of a manifest; return it plain."""
        signed = self.signed(manifest, *people, **fields)
        self.move(signed, read_annotations(signed["metadata"]["annotations"]).bundles)
        return manifest

    def move(
        self, signed: Tree, bundles: Iterable[bytes], *, text: bool = True
    ) -> None:
        """Put `bundles`, and the intent that an object carries, beside its images."""
        carried = read_annotations(_ours(signed["metadata"]["annotations"]))
        assert carried.intent is not None
        for image in pinned(signed):
            self.registries.put(image, *bundles)
            if text:
                key = (image.repository, Digest.sha256(carried.intent))
                self.registries.blobs[key] = carried.intent


def looking(*registries: str, **fields: Any) -> Policy:
    """Return a policy that looks beside images, default: of ghcr.io/acme."""
    images_asked = fields.pop("images", Images())
    where = registries or ("ghcr.io/acme/*",)
    return a.policy(images=replace(images_asked, registries=where), **fields)


def pinned(tree: Tree) -> tuple[Pinned, ...]:
    """Return the pinned images of an object."""
    return tuple(
        Pinned(image.repository, image.digest)
        for image in images(tree)
        if image.digest is not None
    )


def unburdened(
    world: World, request: AdmissionRequest
) -> tuple[ImageWorld, AdmissionRequest]:
    """Move all that the objects of a world carry beside their images."""
    made = ImageWorld(cluster=world.cluster, prover=world.prover)

    def bare(tree: Tree | None) -> Tree | None:
        if tree is None:
            return None
        metadata = dict(tree["metadata"])
        annotations = dict(metadata.get("annotations", {}))
        if BUNDLES in annotations:
            made.move(tree, read_annotations(_ours(annotations)).bundles)
        kept = {k: v for k, v in annotations.items() if not k.startswith(PREFIX)}
        return {**tree, "metadata": {**metadata, "annotations": kept}}

    for known in (world.cluster.live, world.cluster.cache):
        for ref, tree in known.items():
            known[ref] = bare(tree) or tree
    return made, replace(request, object=bare(request.object), old=bare(request.old))


def _ours(annotations: Tree) -> Tree:
    return {k: v for k, v in annotations.items() if k.startswith(PREFIX)}
