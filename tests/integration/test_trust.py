"""Trust that is published: told of, proposed, signed, and in force only then.

On a governed cluster of its own. The Sigstore that everybody signs with has had another
certificate authority until now; the mirror publishes the one that it has. The tests build
on one another.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.founding import ADA, RAVI, Founded, founding
from tests.support.gate import documents
from tests.support.mirror import Served, mirrored
from tests.support.operating import Operating
from tests.support.sigstore import stranger
from tools.sigstore.trust_root import Party, merged
from tools.stack.ready import until

Tree = dict[str, Any]
NAME = "local"
PAGE = (Path(__file__).parents[2] / "docs/trust.md").read_text()
PROGRAM = """\
#!/bin/sh
case $1 in
trust) set -- "$@" --mirror-ca "{ca}" ;;
sign-off)
  key={first}; [ -e signed-once ] && key={second}; touch signed-once
  set -- "$@" --key "$key" --answers "{answers}" ;;
esac
exec {python} -m countersign "$@"
"""


@pytest.fixture(scope="module", name="governed")
def _governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    with founding(tmp_path_factory.mktemp("founded")) as made:
        made.found(tmp_path_factory.mktemp("beginning"))
        yield made


@pytest.fixture(scope="module", name="mirror")
def _mirror(
    governed: Founded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Publish the trust that `local` has, and have less of it in force."""
    own = governed.gate.stack.sigstore
    now = merged(own.trusted_root(), stranger().trusted_root())
    yesterday = datetime.now(UTC) - timedelta(days=1)
    before = own.trusted_root(retired={Party.CA: yesterday})
    with mirrored(now, tmp_path_factory.mktemp("mirror")) as served:
        tree = governed.live("trustroot", NAME)
        tree["spec"] = served.trust_root(merged(before, stranger().trusted_root()))[
            "spec"
        ]
        governed.admin("apply", governed.signed(tree, ADA, RAVI)).check()
        yield served


@pytest.fixture(scope="module", name="keyless")
def _keyless(governed: Founded, mirror: Served) -> str:
    """Sign a change off by certificate, which nobody can prove yet."""
    del mirror
    gate = governed.gate
    tree = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "trusted", "namespace": "orders"},
        "data": {"a": "b"},
    }
    return gate.sign(gate.write(tree).read_text(), keyless=True)


def refreshed(governed: Founded, mirror: Served, out: Path) -> Any:
    """Run the command that the condition names."""
    config = governed.gate.stack.folder / "kubeconfig"
    how = ("--kubeconfig", config, "--mirror-ca", mirror.ca_file)
    return governed.gate.cli("trust", "refresh", NAME, *how, "--out", out)


def condition(governed: Founded) -> Tree:
    """Return what is said of how current `local` is."""
    done = governed.gate.stack.plane.kubectl("get", "trustroot", NAME, "-o", "json")
    said = json.loads(done.check().stdout).get("status", {}).get("conditions", [])
    return next((one for one in said if one["type"] == "Current"), {})


def test_what_is_published_is_told_and_not_in_force(
    governed: Founded, mirror: Served, keyless: str, tmp_path: Path
) -> None:
    """The condition, an event and metrics; and every verdict is as it was."""
    told = {
        "mirrors__ca_file": mirror.ca_file,
        "mirrors__allow_loopback": True,
        "mirrors__every_s": 0.5,
    }
    before = governed.gate.apply(keyless)

    def said(reason: str) -> str:
        seen = condition(governed)
        return "" if seen.get("reason") == reason else f"{seen}"

    with governed.operated(tmp_path, **told) as operating:
        until(lambda: said("NewPublished"), what="trust that differs")
        message = condition(governed)["message"]
        assert f"countersign trust refresh {NAME} --out {NAME}.yaml" in message
        assert _metric(operating, "differs") == 1
        mirror.repository.lasts = timedelta(seconds=-1)
        mirror.repository.publish()
        until(lambda: said("MirrorExpired"), what="a mirror that expired")
        mirror.repository.lasts = timedelta(days=7)
        mirror.repository.publish()
        until(lambda: said("NewPublished"), what="a mirror that holds again")
    after = governed.gate.apply(keyless)
    events = governed.gate.stack.plane.kubectl("get", "events", "-o", "json").stdout

    assert (before.admitted, after.admitted) == (False, False)
    assert set(before.reasons) == set(after.reasons)
    assert {"TrustPublished", "MirrorExpired"} <= set(
        re.findall(r'"reason": "(\w+)"', events)
    )


def _metric(operating: Operating, outcome: str) -> float:
    name = f'countersign_trust_mirror{{outcome="{outcome}",trust_root="{NAME}"}}'
    return operating.metric(name)


def _as_the_page_says(governed: Founded, mirror: Served, folder: Path) -> None:
    """Run the commands of docs/trust.md: ada signs first, then ravi."""
    stack = governed.gate.stack
    ours = folder / "countersign"
    ours.write_text(
        PROGRAM.format(
            ca=mirror.ca_file,
            first=stack.key(ADA),
            second=stack.key(RAVI),
            answers=stack.folder / "people" / "answers.yaml",
            python=sys.executable,
        )
    )
    ours.chmod(0o755)
    kubectl = Path(stack.plane.binaries["kubectl"]).parent
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input="\n".join(blocks).replace("public-good", NAME),
        cwd=folder,
        env={
            **os.environ,
            **stack.environment,
            "KUBECONFIG": str(stack.folder / "kubeconfig"),
            "PATH": f"{folder}:{kubectl}:{os.environ['PATH']}",
        },
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(blocks) == 2


def test_two_admins_take_it_over(
    governed: Founded, mirror: Served, keyless: str, tmp_path: Path
) -> None:
    """Unsigned, or by one, it is denied; then what its Sigstore signs is proven."""
    out = tmp_path / "local.yaml"
    ran = refreshed(governed, mirror, out)
    (tree,) = documents(out.read_text())

    assert ran.code == 0, ran.err
    assert "~ certificate authority" in ran.out
    assert governed.admin("apply", tree).reasons == {"evidence_removed"}
    assert governed.admin("replace", tree).reasons
    assert "slot_open" in governed.admin("apply", governed.signed(tree, ADA)).reasons
    assert not governed.gate.apply(keyless).admitted
    _as_the_page_says(governed, mirror, tmp_path)

    def denied() -> str:
        done = governed.gate.apply(keyless)
        return "" if done.admitted else done.out

    until(denied, what="the new trust")
    assert governed.live("trustroot", NAME)["spec"] == tree["spec"]
    again = refreshed(governed, mirror, tmp_path / "again.yaml")
    assert again.code == 0
    assert "nothing to take over" in again.err
    assert not (tmp_path / "again.yaml").exists()
