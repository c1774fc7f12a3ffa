"""What a policy lets through unsigned: marks of tools, scaling, operators, sidecars."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from countersign.core.types.artifacts import GroupKind
from countersign.core.types.injection import Injection
from countersign.core.types.operators import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Deployment tools whose marks on what they apply may be there.

    Attributes:
        helm: Helm; the storage of its releases passes, too.
        argocd: The id of the Argo CD installation, ``""`` for one that has none; None:
            no Argo CD.
        flux: Flux.
    """

    helm: bool = False
    argocd: str | None = None
    flux: bool = False

    @classmethod
    def all_of(cls, several: Iterable["Tools"]) -> "Tools":
        """Return those that every one of `several` names."""
        each = tuple(several)
        installations = {tools.argocd for tools in each}
        return cls(
            helm=all(tools.helm for tools in each),
            argocd=installations.pop() if len(installations) == 1 else None,
            flux=all(tools.flux for tools in each),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What the doors delta and derived let through; read by binding, not by `decide`.

    Attributes:
        tools: Deployment tools that may leave their marks.
        scale_groups: Groups that may scale outside signed ranges, never to 0.
        restart_groups: Groups that may set ``restartedAt``.
        operators: Third-party controllers, and what each may write.
        injections: What sidecar injectors add to Pods.
        conversions: Custom kinds whose conversion webhook is trusted.
    """

    tools: Tools = field(default_factory=lambda: Tools(helm=True))
    scale_groups: frozenset[str] = frozenset()
    restart_groups: frozenset[str] = frozenset()
    operators: tuple[Operator, ...] = ()
    injections: tuple[Injection, ...] = ()
    conversions: frozenset[GroupKind] = frozenset()
