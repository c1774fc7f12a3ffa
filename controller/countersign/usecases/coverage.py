"""Coverage: whether the API server really asks us about what a policy protects.

A policy that nobody asks about protects nothing, and nothing is denied to show it. What
is registered is compared with what `binding.registration` would register: whatever
differs may leave something out, so it counts as missing.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from countersign.binding.registration import (
    NAMESPACE_LABEL,
    NEVER_JUDGED,
    webhook_configuration,
)
from countersign.binding.surface import RECOMMENDED
from countersign.core.errors import Misconfigured
from countersign.core.types.artifacts import GroupKind, Json, Tree
from countersign.core.types.globs import glob
from countersign.core.types.policy import Scope

NAME = "countersign"
"""Of the configuration, of the Service it names and, by default, of the release."""

_CHART = "charts/countersign"
_PATH = "/validate"
_PATTERNS = re.compile(r"request\.namespace\.matches\('\^\((.*)\)\$'\)")


@dataclass(frozen=True, slots=True)
class Registration:
    """What the live configuration sends.

    Attributes:
        protected: Namespaces, by name or glob, sorted; empty: none that could be read.
        recommended: Whether the optional cluster-scoped kinds are sent, too.
        faults: Where it is not what would be registered, a phrase each.
        release: Name of the Helm release that it belongs to.
    """

    protected: tuple[str, ...] = ()
    recommended: bool = False
    faults: tuple[str, ...] = ()
    release: str = NAME


def registration(live: Tree | None, own_namespace: str) -> Registration:
    """Read the live ValidatingWebhookConfiguration.

    Args:
        live: As the server has it; None: it is not there.
        own_namespace: Where countersign runs.
    """
    if live is None:
        return Registration(faults=(f"no ValidatingWebhookConfiguration {NAME}",))
    webhooks = {str(one.get("name")): one for one in _trees(live.get("webhooks"))}
    protected = _protected(webhooks)
    try:
        plain = _table(protected, own_namespace, recommended=False)
        wide = _table(protected, own_namespace, recommended=True)
    except Misconfigured as error:
        return Registration(protected, faults=(str(error),), release=_release(live))
    known = [wide, plain]
    told = [tuple(_faults(webhooks, table, own_namespace)) for table in known]
    nearest = min((0, 1), key=lambda at: len(told[at]))
    return Registration(protected, nearest == 0, told[nearest], _release(live))


def uncovered(
    scope: Scope, sent: Registration, own_namespace: str
) -> tuple[tuple[str, ...], str]:
    """Return what of `scope` is not sent to us, and the command that mends it.

    Args:
        scope: Of a policy.
        sent: As registered.
        own_namespace: Where countersign runs.

    Returns:
        What is missing, a phrase each, and the command; both empty where all is sent.
    """
    never = [n for n in scope.namespaces if n in (own_namespace, NEVER_JUDGED)]
    missing = [
        name
        for name in scope.namespaces
        if name not in never and not _within(name, sent.protected)
    ]
    kinds = sorted(scope.cluster_scoped)
    optional = [kind for kind in kinds if kind in RECOMMENDED]
    told = (
        *sent.faults,
        *(f"namespace {name} is not sent" for name in missing),
        *(f"{_kind(kind)} is not sent" for kind in optional if not sent.recommended),
        *(f"namespace {name} is never judged: take it out" for name in never),
        *(
            f"{_kind(kind)} is never registered: take it out"
            for kind in kinds
            if kind not in RECOMMENDED
        ),
    )
    if not told:
        return (), ""
    # where nothing is registered, the release still knows what was to be
    names = ",".join(sorted({*sent.protected, *missing}))
    flags = [f"protectedNamespaces={{{names}}}"] if sent.protected else []
    flags += ["clusterScoped=recommended"] if optional or sent.recommended else []
    words = ["helm", "upgrade", sent.release, _CHART]
    words += ["--namespace", own_namespace, "--reuse-values"]
    words += [word for flag in flags for word in ("--set", flag)]
    return told, shlex.join(words)


def _table(protected: tuple[str, ...], own: str, *, recommended: bool) -> list[Tree]:
    tree = webhook_configuration(
        name=NAME,
        protected=protected,
        own_namespace=own,
        client_config={},
        cluster_scoped=RECOMMENDED if recommended else (),
    )
    return _trees(tree["webhooks"])


def _protected(webhooks: dict[str, Tree]) -> tuple[str, ...]:
    """Return the namespaces that most of the webhooks name: the others are at fault."""
    found = Counter(_named(one) for one in webhooks.values())
    return max(sorted(found), key=lambda names: found[names], default=())


def _named(webhook: Tree) -> tuple[str, ...]:
    """Return the patterns of a condition, else the names of the selector."""
    for condition in _trees(webhook.get("matchConditions")):
        if match := _PATTERNS.search(str(condition.get("expression"))):
            return tuple(sorted(match[1].replace(".*", "*").split("|")))
    selector = webhook.get("namespaceSelector")
    terms = (
        _trees(selector.get("matchExpressions")) if isinstance(selector, dict) else []
    )
    for term in terms:
        values = term.get("values")
        if (term.get("key"), term.get("operator")) == (NAMESPACE_LABEL, "In"):
            names = values if isinstance(values, list) else []
            return tuple(sorted(str(name) for name in names))
    return ()


def _faults(webhooks: dict[str, Tree], table: list[Tree], own: str) -> Iterator[str]:
    for wanted in table:
        name = str(wanted["name"])
        live = webhooks.get(name)
        if live is None:
            yield f"webhook {name} is not there"
            continue
        if (policy := live.get("failurePolicy")) != wanted["failurePolicy"]:
            yield f"webhook {name}: failurePolicy is {policy}, expected Fail"
        if live.get("matchPolicy", "Equivalent") != wanted["matchPolicy"]:
            yield f"webhook {name}: matchPolicy leaves out other versions"
        if live.get("objectSelector"):
            yield f"webhook {name}: objectSelector leaves objects out: take it away"
        if live.get("namespaceSelector") != wanted["namespaceSelector"]:
            yield f"webhook {name}: namespaceSelector is another"
        if _conditions(live) != _conditions(wanted):
            yield f"webhook {name}: matchConditions are others"
        if _rules(live) != _rules(wanted):
            yield f"webhook {name}: rules are not those of this version"
        if not _here(live.get("clientConfig"), own):
            yield f"webhook {name}: clientConfig leads elsewhere"


def _here(client: Json, own: str) -> bool:
    """Tell whether it leads to our Service; a URL, to our path at least."""
    if not isinstance(client, dict):
        return False
    service = client.get("service")
    if isinstance(service, dict):
        found = (service.get("namespace"), service.get("name"), service.get("path"))
        return found == (own, NAME, _PATH)
    return str(client.get("url")).endswith(_PATH)


def _conditions(webhook: Tree) -> dict[str, str]:
    return {
        str(one.get("name")): str(one.get("expression"))
        for one in _trees(webhook.get("matchConditions"))
    }


def _rules(webhook: Tree) -> set[tuple[tuple[str, ...], ...]]:
    lists = ("apiGroups", "apiVersions", "operations", "resources")
    return {
        (*(_words(rule.get(name)) for name in lists), (str(rule.get("scope")),))
        for rule in _trees(webhook.get("rules"))
    }


def _words(value: Json) -> tuple[str, ...]:
    return tuple(sorted(map(str, value))) if isinstance(value, list) else ()


def _within(pattern: str, sent: tuple[str, ...]) -> bool:
    """Tell whether one of `sent` matches all that `pattern` does.

    A ``*`` of the pattern is text here, which no literal of a glob equals: only another
    ``*`` takes it, and that takes whatever it may stand for.
    """
    return any(glob(wide, "").fullmatch(pattern) for wide in sent)


def _kind(kind: GroupKind) -> str:
    return f"{kind.kind}.{kind.group}" if kind.group else kind.kind


def _release(live: Tree) -> str:
    about = live.get("metadata")
    said = about.get("annotations") if isinstance(about, dict) else None
    name = said.get("meta.helm.sh/release-name") if isinstance(said, dict) else None
    return name if isinstance(name, str) else NAME


def _trees(value: Json) -> list[Tree]:
    found = value if isinstance(value, list) else []
    return [one for one in found if isinstance(one, dict)]
