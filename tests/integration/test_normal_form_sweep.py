"""Every field of every kind, asked of the real server: what is accepted is as signed.

The machine is in tests/support/sweep. `make test` gives each field of the type table to
one of the kinds that have it, by chance; ``COUNTERSIGN_SWEEP=full`` asks for every
field of every kind, at up to three places, in every version that can be switched on.

Faults this was seen to catch: a default left out; a zero taken for absence, and absence
for a zero, by value instead of by type; a default that overwrites; a label of a Job that
came too late.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml

from countersign.binding.tables import KINDS
from tests.support.apiserver import ApiServer
from tests.support.corpus import by_kind
from tests.support.minors import minor_of, never_kept
from tests.support.sweep.judging import Fault, Finding
from tests.support.sweep.run import everything, shared_out, sweep
from tests.support.sweep.walk import Scope, Seen
from tools import controlplane
from tools.controlplane import ControlPlane, Options

FULL = os.environ.get("COUNTERSIGN_SWEEP") == "full"
SEED = int(os.environ.get("COUNTERSIGN_SEED", "20261123"))
SHARE = 0.6  # of the fields that a sample asks about; a quarter of a minute
ASKED = 1400 if FULL else 1100  # fields, at least
NEVER = 0.05 if FULL else 0.08  # of them may never be accepted
SHOWN = 20  # findings in a failure
GROUPS = frozenset(key.partition("/")[0] for key in KINDS)  # not those of CRDs

REVIEWED: Mapping[str, Mapping[str, list[str]]] = yaml.safe_load(
    (Path(__file__).parents[1] / "support/sweep/reviewed.yaml").read_text()
)


def reviewed(what: str) -> frozenset[str]:
    """Return what was looked at and found right, whatever the reason."""
    return frozenset(name for names in REVIEWED[what].values() for name in names)


@contextmanager
def asked(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """Give the session's control plane, or for a full sweep one that serves all."""
    if not FULL:
        yield control_plane
        return
    options = Options(apiserver_flags={"runtime-config": "api/all=true"})
    with controlplane.running(options) as plane:
        yield plane


@pytest.fixture(scope="module", name="swept")
def _swept(control_plane: ControlPlane) -> Iterator[Mapping[str, Seen]]:
    with asked(control_plane) as plane:
        namespace = "swept"
        plane.create_namespace(namespace)
        with closing(ApiServer(plane.admin)) as server:
            legacy = {"apiVersion": "v1", "kind": "ServiceAccount"}
            server.create(
                {**legacy, "metadata": {"name": "legacy", "namespace": namespace}}
            )
            served = kinds_of(server)
        seeds = {k: v for k, v in by_kind(namespace).items() if k in served}
        shares = shared_out(sorted(seeds), SEED, SHARE)
        scopes = {
            kind: Scope(everything, places=3, tries=12)
            if FULL
            else Scope(shares[kind], places=1, tries=6)
            for kind in seeds
        }
        found = sweep(plane.admin, plane.service_cidr, seeds, scopes)
        report(found)
        yield found


@pytest.fixture(scope="module", name="lost")
def _lost(control_plane: ControlPlane) -> frozenset[str]:
    """Return what only newer minors than this one keep."""
    return never_kept(minor_of(control_plane))


def kinds_of(server: ApiServer) -> frozenset[str]:
    """Return what discovery lists that can be created and is no subresource."""
    roots = ["/api/v1"]
    for group in server.request("GET", "/apis")["groups"]:
        roots += [f"/apis/{each['groupVersion']}" for each in group["versions"]]
    lists = (server.request("GET", root) for root in roots)
    return frozenset(
        f"{each['groupVersion']}/{resource['kind']}"
        for each in lists
        for resource in each["resources"]
        if "/" not in resource["name"] and "create" in resource["verbs"]
    )


def report(found: Mapping[str, Seen]) -> None:
    """Say what was asked; pytest shows it when a test fails, and with ``-s``."""
    total: Counter[str] = Counter()
    for kind, seen in sorted(found.items()):
        never = sum(not count for count in seen.fields.values())
        sys.stdout.write(f"{kind}: {dict(seen.counts)}, never accepted {never}\n")
        total += seen.counts
    sys.stdout.write(f"seed {SEED}, {len(found)} kinds: {dict(total)}\n")


def test_every_kind_that_is_served_is_asked_about(
    control_plane: ControlPlane, swept: Mapping[str, Seen]
) -> None:
    """A new kind fails this until somebody writes a manifest of it, or says why not."""
    with closing(ApiServer(control_plane.admin)) as server:
        served = {k for k in kinds_of(server) if k.partition("/")[0] in GROUPS}
    refused = {kind: s.complaints for kind, s in swept.items() if not s.counts["seeds"]}

    assert served <= KINDS.keys()
    assert served - reviewed("unsignable") <= swept.keys()
    assert refused == {}


def test_what_is_accepted_is_what_was_signed(
    swept: Mapping[str, Seen], lost: frozenset[str]
) -> None:
    """Of every accepted manifest: it equals its intent, and no other manifest's.

    What an older minor drops differs also where it has a default.
    """
    excused = reviewed("excused") | {f"{Fault.DIFFERS} {field}" for field in lost}
    found = [
        finding
        for seen in swept.values()
        for finding in seen.findings
        if finding.fault is not Fault.DROPPED
        and f"{finding.fault} {finding.field}" not in excused
    ]

    assert smallest(found) == [], f"seed {SEED}: {len(found)} findings"


def smallest(found: list[Finding]) -> list[str]:
    """Write one finding of each sort, those with the least sent first."""
    first: dict[tuple[Fault, str], Finding] = {}
    for finding in sorted(found, key=lambda each: len(repr(each.sent))):
        first.setdefault((finding.fault, finding.field), finding)
    return [str(finding) for finding in first.values()][:SHOWN]


def test_what_the_server_drops_in_silence_is_known(
    swept: Mapping[str, Seen], lost: frozenset[str]
) -> None:
    """Then the object is not what was signed, and that is what we say."""
    found = {
        finding.field
        for seen in swept.values()
        for finding in seen.findings
        if finding.fault is Fault.DROPPED
    }

    assert found <= reviewed("dropped") | lost
    assert not FULL or found - lost == reviewed("dropped") - lost


def test_nearly_every_field_was_accepted_with_some_value(
    swept: Mapping[str, Seen],
) -> None:
    """A field that the server never accepted was not compared; a kind may not go dark.

    The rest is what no plausible value makes valid: parts of schemas that structural
    ones may not have, fields for ephemeral containers, ports that must be free.
    """
    accepted = {k for seen in swept.values() for k, n in seen.fields.items() if n}
    asked_about = {k for seen in swept.values() for k in seen.fields}
    never = asked_about - accepted
    dark = [kind for kind, seen in swept.items() if not any(seen.fields.values())]

    assert len(asked_about) > ASKED
    assert len(never) < len(asked_about) * NEVER, sorted(never)
    assert not FULL or never <= reviewed("refused")
    assert dark == []
