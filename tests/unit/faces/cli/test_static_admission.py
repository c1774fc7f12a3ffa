"""What ``countersign static-admission`` asks for; the files are tested elsewhere."""

from itertools import combinations
from pathlib import Path

import pytest

from countersign.faces.cli import main
from countersign.faces.cli.session import Exit

_WEBHOOK = {
    "--url": "https://10.96.0.40:443/validate",
    "--namespace": "payments",
    "--ca-file": "ca.crt",
}


@pytest.mark.parametrize(
    "given", [one for count in (1, 2) for one in combinations(_WEBHOOK, count)]
)
def test_half_a_webhook_is_none(
    given: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A namespace without the URL, for one, would be thought to be protected."""
    (tmp_path / "ca.crt").write_text("")
    told = {**_WEBHOOK, "--ca-file": str(tmp_path / "ca.crt")}
    words = [word for name in given for word in (name, told[name])]

    code = main(["static-admission", "--out", str(tmp_path / "made"), *words])

    assert code == Exit.USAGE
    assert "or none of them, for guards alone" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_guards_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two files, and what to do with them."""
    code = main(["static-admission", "--out", str(tmp_path), "--at", "/etc/there"])

    assert code == Exit.DONE
    made = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*.yaml")}
    assert made == {"admission.yaml", "policies/countersign.yaml"}
    assert "/etc/there/policies" in (tmp_path / "admission.yaml").read_text()
    assert "--admission-control-config-file=/etc/there/" in capsys.readouterr().err
