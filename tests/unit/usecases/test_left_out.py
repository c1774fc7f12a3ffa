"""What goes with a release: what it held, and hooks that are in its way."""

from typing import Any

import pytest

from countersign.usecases.left_out import is_replaced

Tree = dict[str, Any]


def hook(policy: str | None, when: str = "pre-upgrade") -> Tree:
    """Return a hook of Helm's."""
    said = {"helm.sh/hook": when}
    said |= {} if policy is None else {"helm.sh/hook-delete-policy": policy}
    return config("hook", **said)


def config(name: str, **annotations: str) -> Tree:
    """Return a ConfigMap."""
    about = {"name": name, "namespace": "payments", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        pytest.param(hook(None), True, id="Helm's default"),
        pytest.param(hook(""), True, id="an empty policy"),
        pytest.param(hook("hook-succeeded, before-hook-creation"), True, id="named"),
        pytest.param(hook("hook-succeeded"), False, id="only afterwards"),
        pytest.param(hook(None, when=""), False, id="no hook"),
        pytest.param(hook(None, when="crd-install"), False, id="that nobody runs"),
        pytest.param(config("plain"), False, id="an object"),
    ],
)
def test_which_hooks_are_replaced(*, tree: Tree, expected: bool) -> None:
    """As ``hooksDeleteBeforeHookCreation`` of Helm decides."""
    assert is_replaced(tree) is expected
