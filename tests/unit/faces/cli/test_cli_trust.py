"""``countersign trust refresh``: what it says, what it writes, and what it refuses."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from countersign.wire.resources import objects
from tests.support.cli import Run
from tests.support.mirror import Served, mirrored
from tests.support.sigstore import shared, stranger
from tools.sigstore.trust_root import merged


@pytest.fixture(name="served")
def _served(tmp_path: Path) -> Iterator[Served]:
    with mirrored(shared().trusted_root(), tmp_path) as served:
        yield served


@pytest.fixture(name="file")
def _file(served: Served, tmp_path: Path) -> Path:
    file = tmp_path / "trust.yaml"
    tree: Any = served.trust_root(shared().trusted_root())
    tree["metadata"] |= {
        "labels": {"team": "platform"},
        "annotations": {"countersign.dev/bundles": "old"},
        "resourceVersion": "7",
        "uid": "1",
    }
    file.write_text(yaml.safe_dump(tree))
    return file


def both(served: Served) -> None:
    """Publish another Sigstore's trust beside the first."""
    new = merged(shared().trusted_root(), stranger().trusted_root())
    served.repository.publish(json.dumps(new).encode())


def test_writes_the_trust_root_to_be_signed(
    run: Run, served: Served, file: Path, tmp_path: Path
) -> None:
    """Its spec and labels; nothing that a server notes, and no older evidence."""
    both(served)
    out = tmp_path / "new.yaml"
    ran = run(
        "trust", "refresh", "-f", file, "--mirror-ca", served.ca_file, "--out", out
    )
    tree = yaml.safe_load(out.read_text())

    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == (
        "TrustRoot public-good: other trust is published; root 1 -> 1"
    )
    assert "  + certificate authority https://fulcio.acme.sigstore.test" in ran.out
    assert f"countersign sign-off -f {out}" in ran.err
    assert tree["metadata"] == {"name": "public-good", "labels": {"team": "platform"}}
    assert objects.mirror(tree)


def test_to_standard_output_goes_the_manifest_alone(
    run: Run, served: Served, file: Path
) -> None:
    """What changes is said beside it."""
    both(served)
    ran = run("trust", "refresh", "-f", file, "--mirror-ca", served.ca_file)

    assert ran.code == 0
    assert yaml.safe_load(ran.out)["kind"] == "TrustRoot"
    assert "+ certificate authority" in ran.err


def test_json(run: Run, served: Served, file: Path, tmp_path: Path) -> None:
    """For machines: whether it differs, and in what."""
    both(served)
    words = (
        "trust",
        "refresh",
        "-f",
        file,
        "--mirror-ca",
        served.ca_file,
        "-o",
        "json",
    )
    said = json.loads(run(*words, "--out", tmp_path / "new.yaml").out)

    assert said["differs"] is True
    assert said["root"] == {"before": 1, "after": 1}
    assert {one["sort"] for one in said["changes"]["added"]} == {
        "certificateAuthority",
        "ctLog",
        "log",
        "timestampAuthority",
    }
    assert run(*words).code == 2


def test_what_ends_is_shown_with_its_end(run: Run, served: Served, file: Path) -> None:
    """A log that is retired stays for what it has seen."""
    tree: Any = json.loads(json.dumps(shared().trusted_root()))
    tree["tlogs"][0]["publicKey"]["validFor"]["end"] = "2026-11-30T00:00:00Z"
    del tree["timestampAuthorities"]
    served.repository.publish(json.dumps(tree).encode())
    said = run("trust", "refresh", "-f", file, "--mirror-ca", served.ca_file).err

    assert "  ~ log of signatures" in said
    assert "until 2026-11-30T00:00Z; now from" in said
    assert "  - time-stamping authority" in said


def test_nothing_is_written_where_nothing_is_new(
    run: Run, served: Served, file: Path, tmp_path: Path
) -> None:
    """Nobody has to sign for a newer timestamp."""
    served.repository.publish()
    out = tmp_path / "new.yaml"
    ran = run(
        "trust", "refresh", "-f", file, "--mirror-ca", served.ca_file, "--out", out
    )

    assert (ran.code, out.exists()) == (0, False)
    assert "nothing to take over" in ran.err


def test_a_new_root_is_taken_over_by_itself(
    run: Run, served: Served, file: Path, tmp_path: Path
) -> None:
    """So that the chain from the one in force stays short."""
    served.repository.rotate()
    out = tmp_path / "new.yaml"
    ran = run(
        "trust", "refresh", "-f", file, "--mirror-ca", served.ca_file, "--out", out
    )

    assert ran.out == "TrustRoot public-good: the same trust; root 1 -> 2\n"
    assert out.exists()


def test_what_is_refused_is_not_written(
    run: Run, served: Served, file: Path, tmp_path: Path
) -> None:
    """The name of the trust root, why, and that nothing changes."""
    served.repository.lasts = timedelta(seconds=-1)
    served.repository.publish()
    out = tmp_path / "new.yaml"
    ran = run(
        "trust", "refresh", "-f", file, "--mirror-ca", served.ca_file, "--out", out
    )

    assert (ran.code, out.exists()) == (1, False)
    assert ran.err.startswith("error: TrustRoot public-good: its metadata have expired")
    assert "nothing was written, and what is in force stays" in ran.err


def test_usage(run: Run, served: Served, file: Path, tmp_path: Path) -> None:
    """Which trust root is meant has to be said."""
    del served
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("{}\n")

    assert run("trust", "refresh").code == 2
    assert run("trust", "refresh", "a").code == 2
    assert run("trust", "refresh", "-f", nothing).code == 3
    assert run("trust", "refresh", "other", "-f", file).code == 3
