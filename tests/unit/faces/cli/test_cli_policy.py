"""``countersign policy``: valid or not, what presets ask, and a forecast from files."""

import json
from pathlib import Path

import pytest

from countersign.core.presets import PRESETS
from countersign.faces.cli.session import Exit
from countersign.wire.decision import render_recorded
from tests.support.cli import Run
from tests.support.release import Release


def test_valid_policies(run: Run, release: Release) -> None:
    """Each by its name."""
    ran = run("policy", "check", "-f", release.path("policies"))

    assert ran.code == Exit.DONE, ran.out + ran.err
    assert "ProtectionPolicy/" in ran.out
    assert all(line.endswith(": valid") for line in ran.out.splitlines())


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        pytest.param("{protect: {namespaces: [x]}}", "roster", id="without a roster"),
        pytest.param("{protekt: {}}", "protekt", id="a field that is misspelt"),
    ],
)
def test_an_invalid_policy(run: Run, tmp_path: Path, policy: str, said: str) -> None:
    """Says what is wrong, as text and as JSON, and exits as a denial does."""
    file = tmp_path / "policy.yaml"
    file.write_text(
        "apiVersion: countersign.dev/v1alpha1\nkind: ProtectionPolicy\n"
        f"metadata: {{name: x}}\nspec: {policy}\n"
    )
    text = run("policy", "check", "-f", file)
    told = run("policy", "check", "-f", file, "-o", "json")
    impact = run("policy", "impact", "--policies", tmp_path, "--decisions", file)

    assert text.code == told.code == Exit.DENIED
    assert said in text.out
    (one,) = json.loads(told.out)
    assert one["problems"]
    assert impact.code == Exit.UNDECIDED
    assert "expected valid policies" in impact.err


def test_presets(run: Run) -> None:
    """All of them."""
    ran = run("policy", "presets")
    told = json.loads(run("policy", "presets", "-o", "json").out)

    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == list(PRESETS)
    assert list(told) == list(PRESETS)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--live"], "saw no kubeconfig"),
        (["-f", "x.yaml"], "saw no kubeconfig"),
        ([], "saw no kubeconfig"),
    ],
)
def test_somewhere_to_look(run: Run, flags: list[str], said: str) -> None:
    """Nothing is guessed."""
    ran = run("policy", "impact", *flags)

    assert ran.code == Exit.USAGE
    assert said in ran.err


def test_a_forecast_from_files_alone(
    run: Run, release: Release, tmp_path: Path
) -> None:
    """Exported decisions and a folder of policies: no cluster is asked."""
    from tests.unit.usecases.test_impact import kept  # noqa: PLC0415 - its own builder

    file = tmp_path / "kept.json"
    file.write_text(json.dumps([render_recorded(kept(), whole=True)]))
    common = ("policy", "impact", "--policies", release.path("policies"))
    ran = run(*common, "--decisions", file, "-o", "json")
    broken = tmp_path / "broken.json"
    broken.write_text('[{"decision": {}}]')
    refused = run(*common, "--decisions", broken)

    assert ran.code == Exit.DONE, ran.err
    told = json.loads(ran.out)
    assert told["cluster"] == "local"
    assert told["namespaces"] is None
    assert told["traffic"]["unjudged"] == 1
    assert refused.code == Exit.UNDECIDED
    assert "expected recorded decisions" in refused.err
