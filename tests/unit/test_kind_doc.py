"""The page about kind, its cluster and the targets of the Makefile say the same."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Say what make would run."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.run(
        ["make", "-n", *words],
        cwd=_ROOT,
        env={**kept, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def commands() -> list[str]:
    """Return the commands of the page, comments apart."""
    text = (_ROOT / "docs" / "kind.md").read_text()
    lines = "".join(_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line]


@pytest.mark.parametrize("command", commands())
def test_each_command_is_one(command: str) -> None:
    """With the variables that it names."""
    program, *words = shlex.split(command)
    done = make(*words)

    assert program == "make"
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_each_variable_is_read() -> None:
    """Make ignores one that nobody reads. The page named KIND, which nobody did."""
    page = (_ROOT / "docs" / "kind.md").read_text()
    makefile = (_ROOT / "Makefile").read_text()
    named = set(re.findall(r"\b([A-Z][A-Z_]+)=", page)) - {"COUNTERSIGN_E2E_KEEP"}

    assert {
        name for name in named if not re.search(rf"\b{name}\b[,)]", makefile)
    } == set()


def test_what_is_loaded_is_what_runs() -> None:
    """The archive is of the image that the release then names."""
    told = ("KUBECONFIG=c.yaml", "IMAGE=acme:7", "IMAGE_LOAD=load {archive} now")
    said = make("e2e", *told).stdout

    assert "docker save -o dist/image.tar acme:7\n" in said
    assert "load dist/image.tar now\n" in said
    assert 'E2E_KUBECONFIG="c.yaml" COUNTERSIGN_E2E_IMAGE="acme:7"' in said


def test_no_cluster_is_taken_from_the_environment() -> None:
    """It could be anybody's, and the tests remove what they made."""
    done = make("e2e", KUBECONFIG="production.yaml")

    assert done.returncode != 0
    assert "expected the cluster by name" in done.stderr


def test_the_api_server_reads_what_is_written() -> None:
    """Where ``kind-up`` writes, and where it says that the files will lie."""
    words = shlex.split(make("kind-up").stdout.replace("\\\n", " "))
    out, at = (Path(words[words.index(one) + 1]) for one in ("--out", "--at"))
    config = yaml.safe_load((_ROOT / "kind-config.yaml").read_text())
    (mount,) = config["nodes"][0]["extraMounts"]
    patches: list[Any] = [yaml.safe_load(p) for p in config["kubeadmConfigPatches"]]
    (server,) = (p["apiServer"] for p in patches if "apiServer" in p)

    assert [one["role"] for one in config["nodes"]] == [
        "control-plane",
        *2 * ["worker"],
    ]
    assert Path(mount["hostPath"]) == out
    assert Path(mount["containerPath"]) == at
    assert server["extraVolumes"][0]["mountPath"] == str(at)
    assert server["extraArgs"][0]["value"] == str(at / "admission.yaml")
