"""The exceptions of a ProtectionPolicy: each off unless it is named."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, WithJsonSchema

from countersign.core.types.doors import Tools as CoreTools
from countersign.core.types.injection import Injection
from countersign.core.types.operators import (
    Children,
    Derive,
    Link,
    Operator,
    Writes,
)
from countersign.core.types.operators import Field as Place
from countersign.wire.resources.fields import MAX_LIST, Name, Prose, Strict, Text

Groups = Annotated[tuple[Text, ...], Field(max_length=MAX_LIST)]


class Deletion(Strict):
    """Who may delete without a sign-off."""

    require: Literal["signOff"] = "signOff"
    except_groups: Groups = ()


class Allowance(Strict):
    """Groups of users that are allowed something."""

    allow_groups: Groups = ()


Group = Annotated[str, StringConstraints(max_length=253)]


class Own(Strict):
    """Fields that a third-party controller fills in, in objects that people sign."""

    group: Group = ""
    kind: Name
    paths: tuple[Text, ...] = Field(
        min_length=1,
        max_length=MAX_LIST,
        description="JSON pointers; a * is any one token.",
    )

    def value(self) -> Writes:
        """Return the core's value.

        Raises:
            Malformed: a path is none, or leads where no operator may write.
        """
        return Writes(
            group=self.group, kind=self.kind, fields=tuple(map(Place, self.paths))
        )


class Part(Strict):
    """A part of the owner, and where the child has it."""

    source: Text = Field(alias="from", description="JSON pointer into the owner.")
    target: Text | None = Field(
        default=None, alias="to", description="Into the child; absent: the same."
    )

    def value(self) -> Derive:
        """Return the core's value.

        Raises:
            Malformed: a path is none.
        """
        return Derive(source=self.source, target=self.target or self.source)


class ChildFields(Strict):
    """How a child's fields come about; what is neither must be absent."""

    derive: tuple[Part, ...] = Field(default=(), max_length=MAX_LIST)
    free: tuple[Text, ...] = Field(
        default=(),
        max_length=MAX_LIST,
        description="JSON pointers; a * is any one token.",
    )


class Parent(Strict):
    """Whose child it is: a kind that people sign, in the same namespace."""

    group: Group = ""
    version: Name
    kind: Name


class Child(Strict):
    """What a third-party controller makes."""

    group: Group = ""
    kind: Name
    owner: Parent
    link: Link = Field(
        default=Link.OWNER_REFERENCE,
        description="How it says whose it is: ownerRef, annotation, or name.",
    )
    key: Text | None = Field(
        default=None, description="Of the annotation that holds the owner's name."
    )
    fields: ChildFields = ChildFields()

    def value(self, *, trusted: bool) -> Children:
        """Return the core's value.

        Raises:
            Malformed: nothing is said of what it holds, or a path is none.
        """
        return Children(
            group=self.group,
            kind=self.kind,
            owner_group=self.owner.group,
            owner_version=self.owner.version,
            owner_kind=self.owner.kind,
            link=self.link,
            key=self.key or "",
            trusted=trusted,
            derive=tuple(part.value() for part in self.fields.derive),
            free=tuple(map(Place, self.fields.free)),
        )


class Controller(Strict):
    """A third-party operator and what it may write."""

    user: Text = Field(description="system:serviceaccount:NAMESPACE:NAME")
    own: tuple[Own, ...] = Field(default=(), max_length=MAX_LIST)
    children: tuple[Child, ...] = Field(default=(), max_length=MAX_LIST)
    mode: Literal["derive", "trusted"] = Field(
        default="derive",
        description="derive: children are compared with their owners; trusted: not.",
    )

    def value(self) -> Operator:
        """Return the core's value.

        Raises:
            Malformed: the user is no service account, or a rule is not one.
        """
        return Operator(
            user=self.user,
            writes=tuple(one.value() for one in self.own),
            children=tuple(
                one.value(trusted=self.mode == "trusted") for one in self.children
            ),
        )


Item = Annotated[
    dict[str, JsonValue],
    WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
]
Items = Annotated[tuple[Item, ...], Field(max_length=MAX_LIST)]
Marks = Annotated[dict[Text, Prose], Field(max_length=MAX_LIST)]


class FieldValue(Strict):
    """A field of the Pod that its author left out."""

    path: Text = Field(description="JSON pointer below /spec.")
    value: Annotated[
        JsonValue, WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True})
    ]


class Injected(Strict):
    """What a sidecar injector adds to Pods; ~ begins a regular expression."""

    name: Name
    init_containers: Items = ()
    containers: Items = ()
    volumes: Items = ()
    env: Items = Field(default=(), description="Of the author's own containers.")
    volume_mounts: Items = Field(
        default=(), description="Of the author's own containers."
    )
    labels: Marks = Field(default_factory=dict)
    annotations: Marks = Field(default_factory=dict)
    fields: tuple[FieldValue, ...] = Field(default=(), max_length=MAX_LIST)

    def value(self) -> Injection:
        """Return the core's value.

        Raises:
            Malformed: an item without a name, or a pattern that is none.
        """
        return Injection(
            name=self.name,
            init_containers=self.init_containers,
            containers=self.containers,
            volumes=self.volumes,
            env=self.env,
            volume_mounts=self.volume_mounts,
            labels=self.labels,
            annotations=self.annotations,
            fields={one.path: one.value for one in self.fields},
        )


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

    def value(self) -> CoreTools:
        """Return the core's value."""
        argocd = None
        if self.argocd is not None:
            argocd = self.argocd.installation_id or ""
        return CoreTools(
            helm=self.helm is not None, argocd=argocd, flux=self.flux is not None
        )


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
    injection: tuple[Injected, ...] = Field(default=(), max_length=MAX_LIST)
    tools: Tools = Tools()
