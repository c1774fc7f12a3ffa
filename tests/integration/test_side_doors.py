"""Ways round what is signed, with every right that RBAC has to give, on a real server."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.apiserver import JSON
from tests.support.direct import Direct
from tests.support.gate import Gate
from tests.support.lines import events
from tests.support.side import PLACE, raised
from tools.stack.people import LEE
from tools.stack.ready import until

_FILE = Path(__file__).parent / "subresources" / "attacks.yaml"
_INVALID = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
ATTACKS = [
    pytest.param(attack, id=attack["name"])
    for attack in yaml.safe_load(_FILE.read_text())
]


@pytest.fixture(scope="module", name="pod")
def _pod(gate: Gate) -> str:
    return raised(gate)


@pytest.fixture(scope="module", name="direct")
def _direct(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    """Speak as the cluster's administrator: no right is missing."""
    server = Direct(gate.stack.plane.admin, tmp_path_factory.mktemp("direct"))
    yield server
    server.close()


class TestAttacks:
    """With every right that there is."""

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_denied(
        self, gate: Gate, direct: Direct, pod: str, attack: dict[str, Any]
    ) -> None:
        """Nothing is stored, and a dry run is told the same."""
        names = {"POD": pod, "REPLICASET": pod.rpartition("-")[0]}
        text = json.dumps(attack)
        for word, name in names.items():
            text = text.replace(word, name)
        attack = json.loads(text)
        before = gate.audit.stat().st_size
        path, method, body = attack["path"], attack["method"], attack.get("body")
        dry = f"{path}{'&' if '?' in path else '?'}dryRun=All"
        tried = [
            direct.ask(method, at, body, sort=attack.get("sort", JSON))
            for at in (dry, path)
        ]
        said = self._said(gate, before, [one.id for one in tried])

        for answered in tried:
            assert answered.code >= HTTPStatus.BAD_REQUEST, answered.body
        verdicts = [self._verdict(one) for one in said]
        assert verdicts[0] == verdicts[1]
        refused_by_server = {one.code for one in tried} <= _INVALID
        assert "denied" in verdicts[0] or refused_by_server, (tried, said)

    @staticmethod
    def _verdict(said: dict[str, str]) -> str:
        keys = ("/rule", "/verdict", "/findings")
        return " ".join(v for k, v in sorted(said.items()) if k.endswith(keys))

    @staticmethod
    def _said(gate: Gate, start: int, ids: list[str]) -> list[dict[str, str]]:
        found: dict[str, dict[str, str]] = {}

        def missing() -> str:
            fresh, _ = events(gate.audit, start)
            found.update({e["auditID"]: e.get("annotations", {}) for e in fresh})
            return "" if set(ids) <= found.keys() else "not all"

        until(missing, what="the audit log")
        return [found[one] for one in ids]

    def test_by_who_may_less(self, gate: Gate, pod: str) -> None:
        """What RBAC lets nobody do never gets here; what it does is judged all the same."""
        done = gate.kubectl(
            *("-n", PLACE, "delete", "pod", pod, "--cascade=orphan", "--wait=false"),
            by=LEE,
        )

        assert done.code != 0
        assert set(done.reasons) == {"deletion"}
