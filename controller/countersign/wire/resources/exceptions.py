"""The exceptions of a ProtectionPolicy: each off unless it is named."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from countersign.wire.resources.fields import MAX_LIST, DigestSet, Name, Strict, Text

Groups = Annotated[tuple[Text, ...], Field(max_length=MAX_LIST)]


class Deletion(Strict):
    """Who may delete without a sign-off."""

    require: Literal["signOff"] = "signOff"
    except_groups: Groups = ()


class Allowance(Strict):
    """Groups of users that are allowed something."""

    allow_groups: Groups = ()


class Own(Strict):
    """What a third-party controller writes on objects that are not its children."""

    group: Annotated[str, StringConstraints(max_length=253)] = ""
    kind: Name
    paths: tuple[Text, ...] = Field(min_length=1, max_length=MAX_LIST)


class ChildFields(Strict):
    """How a child's fields come about."""

    derive: Text | None = None
    free: tuple[Text, ...] = Field(default=(), max_length=MAX_LIST)


class Child(Strict):
    """What a third-party controller makes."""

    group: Annotated[str, StringConstraints(max_length=253)] = ""
    kind: Name
    link: Literal["ownerRef", "annotation", "name"] = "ownerRef"
    fields: ChildFields = ChildFields()


class Controller(Strict):
    """A third-party operator and what it may write."""

    user: Text
    own: tuple[Own, ...] = Field(default=(), max_length=MAX_LIST)
    children: tuple[Child, ...] = Field(default=(), max_length=MAX_LIST)
    mode: Literal["derive", "trusted"] = "derive"


class Injection(Strict):
    """A sidecar profile, pinned."""

    name: Name
    digest: DigestSet


class Helm(Strict):
    """Helm's marks on what it applies pass, and the storage of its releases."""


class ArgoCD(Strict):
    """Argo CD's tracking metadata passes."""

    installation_id: Text | None = Field(default=None, alias="installationId")


class Flux(Strict):
    """Flux's labels pass."""


class Tools(Strict):
    """Deployment tools whose own marks on objects pass."""

    helm: Helm | None = None
    argocd: ArgoCD | None = None
    flux: Flux | None = None


class Exceptions(Strict):
    """What passes without a sign-off."""

    deletion: Deletion = Deletion()
    interactive: Allowance = Field(
        default=Allowance(),
        description="exec, attach, port-forward, proxy, ephemeral containers.",
    )
    restart: Allowance = Field(
        default=Allowance(), description="The restartedAt annotation."
    )
    scale: Allowance = Field(
        default=Allowance(), description="Scaling outside of signed ranges."
    )
    controllers: tuple[Controller, ...] = Field(default=(), max_length=MAX_LIST)
    injection: tuple[Injection, ...] = Field(default=(), max_length=MAX_LIST)
    tools: Tools = Tools()
