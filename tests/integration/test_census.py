"""A census without side doors: all that the server offers is judged, or excused by name.

What is tried comes from the server's own discovery: a new Kubernetes minor with a new
resource fails here, until somebody decides what judges it. What is expected comes from
the table that the registration is rendered from, and what happened from the API
server's audit log.
"""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from countersign.binding.minors import MINORS
from countersign.binding.registration import webhook_configuration
from countersign.binding.surface import RECOMMENDED, ROWS, Entry, Row, Rule, row_for
from countersign.binding.unseen import UNSEEN
from countersign.core.types.request import Resource, Verb
from tests.support.census import ANOTHER, NAMESPACE, Census, Try, specimens
from tests.support.direct import Answered, Direct
from tests.support.discovery import ACCEPT, Offer, offers
from tests.support.gate import Gate
from tests.support.lines import events
from tests.support.minors import minor_of, served
from tools.stack import policies, webhook
from tools.stack.ready import until

Tree = dict[str, Any]

CONFIGURATION = "countersign-census"
MINE = "(policy census)"
UNJUDGED = frozenset({Rule.EXEMPT, Rule.OWN, Rule.QUESTION})
"""Rules that deny nobody here: noise, what the face parses, and what is stored nowhere."""
MAX_SECONDS = 60
_FAULT = HTTPStatus.INTERNAL_SERVER_ERROR


@dataclass(frozen=True, slots=True)
class Counted:
    """A request, what was expected of it, and what the server and its log say."""

    tried: Try
    row: Row
    answered: Answered
    said: dict[str, str]

    @property
    def judged(self) -> str:
        """What judged it: the rule that the webhook named at the expected entry."""
        return self.said.get(f"{self.row.entry}.countersign.dev/rule", "")

    @property
    def fault(self) -> str:
        """What is wrong with it; empty if nothing is."""
        rule, code = self.row.rule, self.answered.code
        ours = {key: value for key, value in self.said.items() if "countersign" in key}
        seen = f"{self.tried}: HTTP {code}, {ours}"
        if rule is Rule.EXEMPT:
            fine = code in (HTTPStatus.OK, HTTPStatus.CREATED) and not ours
            return "" if fine else f"{seen}, expected none of it"
        if _is_no_door(self):
            return ""
        if self.judged != rule:
            what = self.answered.body.get("message", "")
            return f"{seen}, expected the rule {rule!r} ({what[:300]})"
        verdict = self.said.get(f"{self.row.entry}.countersign.dev/verdict")
        if rule not in UNJUDGED and (code, verdict) != (HTTPStatus.FORBIDDEN, "denied"):
            return f"{seen}, expected a denial"
        return ""


def _is_no_door(one: Counted) -> bool:
    """Tell whether a request could do nothing at all, whoever judges.

    What a strategy puts back is not changed: a status that leaves all metadata as it was
    may say what it likes, also where it is asked about, for its version. An update that
    creates is a thing of few resources. From 1.37 on no webhook is asked about
    questions. And the server cannot apply a custom resource's scale: it fails before
    anybody is asked.
    """
    code, way, rule = one.answered.code, one.tried.way, one.row.rule
    if rule is Rule.STATUS and code == HTTPStatus.OK:
        kept = one.answered.body["metadata"].get("annotations", {})
        return "census.example/counted" not in kept
    if one.judged:
        return False
    custom = one.tried.offer.resource.group == "census.example"
    return (
        (way == "create by update" and code == HTTPStatus.NOT_FOUND)
        or (rule is Rule.QUESTION and code == HTTPStatus.CREATED)
        or (way == "patch, apply" and rule is Rule.SCALE and custom and code >= _FAULT)
    )


def _expected(offer: Offer, operation: Verb) -> Row | None:
    """Return the row that judges it; None: it is never registered.

    What lives in no namespace is sent only where a row names it.
    """
    row = row_for(offer.resource, operation)
    if row is None or (not offer.namespaced and row.entry is not Entry.CLUSTER):
        return None
    return row


@pytest.fixture(scope="module", name="server")
def _server(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    server = Direct(gate.stack.plane.admin, tmp_path_factory.mktemp("census"))
    yield server
    server.close()


@pytest.fixture(scope="module", name="protected")
def _protected(gate: Gate) -> Iterator[None]:
    """Make the specimens, then protect where they are, the widest way there is."""
    plane = gate.stack.plane
    plane.create_namespace(NAMESPACE)
    trees = served(minor_of(plane), specimens())
    everything = {"apiVersion": "v1", "kind": "List", "items": trees}
    try:
        crds = [t for t in trees if t["kind"] == "CustomResourceDefinition"]
        rest = [t for t in trees if t not in crds]
        for some in (crds, rest):
            listed = {"apiVersion": "v1", "kind": "List", "items": some}
            plane.kubectl("create", "-n", NAMESPACE, "-f", "-", stdin=listed).check()
            if some is crds:
                names = [f"crd/{t['metadata']['name']}" for t in crds]
                plane.kubectl("wait", "--for=condition=Established", *names).check()
        plane.kubectl("apply", "-f", "-", stdin=_policy()).check()
        plane.kubectl("apply", "-f", "-", stdin=_configuration(gate)).check()
        for what in ("configmap", "clusterrole"):
            _wait_for_denial(gate, what)
        yield
    finally:
        gone = ("delete", "--ignore-not-found", "--wait=false")
        plane.kubectl(*gone, "validatingwebhookconfiguration", CONFIGURATION).check()
        for tree in (_policy(), everything):
            plane.kubectl(*gone, "-n", NAMESPACE, "-f", "-", stdin=tree).check()
        plane.kubectl(*gone, "namespace", NAMESPACE).check()


def _wait_for_denial(gate: Gate, what: str) -> None:
    probe = ("create", what, "probe", "--dry-run=server", "-n", NAMESPACE)
    more = ("--verb=get", "--resource=pods") if what == "clusterrole" else ()

    def otherwise() -> str:
        said = gate.stack.plane.kubectl(*probe, *more).stderr
        return "" if MINE in said else said

    until(otherwise, what=f"a denial of a {what}")


def _policy() -> Tree:
    return {
        "apiVersion": policies.API,
        "kind": "ProtectionPolicy",
        "metadata": {"name": NAMESPACE},
        "spec": {
            "protect": {
                "namespaces": [NAMESPACE, ANOTHER],
                "clusterScoped": "recommended",
            },
            "preset": "manual",
            "roster": "platform",
        },
    }


def _configuration(gate: Gate) -> Tree:
    authority = gate.stack.addresses.authority.read_bytes()
    return webhook_configuration(
        name=CONFIGURATION,
        protected=(NAMESPACE, ANOTHER),
        own_namespace=webhook.OWN_NAMESPACE,
        client_config={
            "url": f"{gate.stack.addresses.webhook}/validate",
            "caBundle": base64.b64encode(authority).decode(),
        },
        cluster_scoped=RECOMMENDED,
    )


@pytest.fixture(scope="module", name="offered")
def _offered(server: Direct, protected: None) -> list[Offer]:
    assert protected is None
    lists = [server.ask("GET", path, accept=ACCEPT).body for path in ("/api", "/apis")]
    return list(offers(*lists))


@pytest.fixture(scope="module", name="counted")
def _counted(gate: Gate, server: Direct, offered: list[Offer]) -> list[Counted]:
    """Do everything, and read from the log what became of it."""
    census, begun = Census(server), time.monotonic()
    made: list[tuple[Try, Row, Answered]] = []
    at = gate.audit.stat().st_size
    for offer in offered:
        rows = {way: _expected(offer, way) for way in offer.operations.values()}
        if any(rows.values()):
            for one in census.tries(offer):
                row = _expected(offer, one.operation)
                assert row is not None, one
                made.append((one, row, one.send(server)))
    said = _said(gate.audit, at, {answered.id for _, _, answered in made})
    took = time.monotonic() - begun
    print(f"{len(made)} requests in {took:.1f} s")  # noqa: T201 - for -s
    assert took < MAX_SECONDS
    return [Counted(one, row, a, said[a.id]) for one, row, a in made]


def _said(log: Path, start: int, wanted: set[str]) -> dict[str, dict[str, str]]:
    """Return what was annotated in the event of each request."""
    found: dict[str, dict[str, str]] = {}

    def missing() -> str:
        nonlocal start
        fresh, start = events(log, start)
        found.update({e["auditID"]: e.get("annotations", {}) for e in fresh})
        left = wanted - found.keys()
        return f"{len(left)} of {len(wanted)}" if left else ""

    until(missing, what="the audit log of the census")
    return found


def test_every_request_is_judged_by_its_rule(counted: list[Counted]) -> None:
    """Seen to fail when one subresource was left out of the registration."""
    faults = [one.fault for one in counted if one.fault]

    assert not faults, "\n".join(["", *faults])


def test_every_verb_was_tried(counted: list[Counted], offered: list[Offer]) -> None:
    """None that writes or connects is missing, in any version."""
    done = {(one.tried.offer, one.tried.way.partition(",")[0]) for one in counted}
    done |= {(offer, way.partition(" ")[0]) for offer, way in done}
    for offer in offered:
        for verb, operation in offer.operations.items():
            if _expected(offer, operation):
                assert (offer, verb) in done, f"{offer.resource} {verb}"


def test_every_rule_was_met(counted: list[Counted]) -> None:
    """Else the census says nothing of it; of what nobody thought of there is none."""
    met = {one.row.rule for one in counted if one.judged}

    assert met >= {*Rule} - {Rule.EXEMPT, Rule.QUESTION, Rule.REFUSED}
    assert not [one.tried for one in counted if one.row.rule is Rule.REFUSED]


def test_every_cluster_scoped_resource_is_decided_about(offered: list[Offer]) -> None:
    """It is registered by name, or on the list of those that never are."""
    for offer in offered:
        unseen = [one for one in UNSEEN if one.fits(offer.resource)]
        for operation in set(offer.operations.values()):
            if not offer.namespaced:
                known = _expected(offer, operation) or unseen
                assert known, f"{offer.resource}: who judges it?"


@pytest.fixture(name="_newest")
def _of_newest(gate: Gate) -> None:
    if minor_of(gate.stack.plane) != MINORS[0]:
        pytest.skip("the table also names what only the newest minor serves")


@pytest.mark.usefixtures("_newest")
def test_nothing_is_excused_in_vain(offered: list[Offer]) -> None:
    """A line about what no server has, or about what is registered anyway, misleads."""
    for one in UNSEEN:
        assert one.why
        fitting = [offer for offer in offered if one.fits(offer.resource)]
        assert fitting, one
        assert not any(offer.namespaced for offer in fitting), one
        ways = [(offer, way) for offer in fitting for way in offer.operations.values()]
        assert not ways or any(_expected(offer, way) is None for offer, way in ways)


def test_the_server_registered_what_the_table_says(
    server: Direct, offered: list[Offer]
) -> None:
    """The configuration as the server has it sends each offer to its row's entry."""
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    for name in (CONFIGURATION, "countersign"):
        webhooks = server.ask("GET", f"{path}/{name}").body["webhooks"]
        for offer in offered:
            for operation in set(offer.operations.values()):
                row = _expected(offer, operation)
                sent = {
                    entry
                    for entry in Entry
                    for one in webhooks
                    if one["name"] == f"{entry}.countersign.dev"
                    and any(_sends(rule, offer, operation) for rule in one["rules"])
                }
                optional = row is not None and row.kind and name != CONFIGURATION
                wanted = _entries(row) if not optional else set()
                assert sent == wanted, (name, str(offer.resource), operation)


def _entries(row: Row | None) -> set[Entry]:
    """Return the entries whose rules send it; conditions then leave one, or none."""
    if row is None:
        return set()
    if row.rule is Rule.EXEMPT:
        return {Entry.OBJECTS}
    if row.rule is Rule.STATUS and row.entry is Entry.STATUS:
        return {Entry.STATUS, Entry.SUBRESOURCES}
    return {row.entry} if row.entry else set()


def _sends(rule: Tree, offer: Offer, operation: Verb) -> bool:
    at: Resource = offer.resource
    scope = "Namespaced" if offer.namespaced else "Cluster"
    tail = f"/{at.subresource}" if at.subresource else ""
    names = {f"{at.name}{tail}", f"*{tail}"} | ({"*/*"} if tail else set())
    return bool(
        rule["scope"] in (scope, "*")
        and {at.group, "*"} & set(rule["apiGroups"])
        and {at.version, "*"} & set(rule["apiVersions"])
        and names & set(rule["resources"])
        and operation.value in rule["operations"]
    )


@pytest.mark.usefixtures("_newest")
def test_every_row_is_about_something(offered: list[Offer]) -> None:
    """But for what is left of the cluster's future, and kinds of no minor at all."""
    for row in ROWS:
        fitting = [o for o in offered for v in row.verbs if row.fits(o.resource, v)]
        assert fitting, row
