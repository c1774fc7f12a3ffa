"""What a kubeconfig says besides how to reach the server."""

from pathlib import Path
from typing import Final

from kubernetes.aio.config import ConfigException, list_kube_config_contexts
from yaml import YAMLError

from countersign.core.errors import Misconfigured

DEFAULT: Final = "default"
"""The namespace of a context that names none, as kubectl has it."""


def namespace_of(kubeconfig: Path | None, context: str | None) -> str:
    """Return the namespace that kubectl would look at.

    Args:
        kubeconfig: Absent: ``KUBECONFIG``, else the usual one.
        context: Of the kubeconfig; absent: its current one.

    Raises:
        Misconfigured: it is no kubeconfig, or has no such context.
    """
    try:
        contexts, current = list_kube_config_contexts(  # type: ignore[no-untyped-call]  # theirs
            str(kubeconfig) if kubeconfig else None
        )
        name = context or current["name"]
        (found,) = (one for one in contexts if one["name"] == name)
        said = found["context"].get("namespace")
    except (ConfigException, OSError, YAMLError, TypeError, AttributeError) as error:
        raise Misconfigured(f"no namespace in the kubeconfig: {error}") from error
    except (LookupError, ValueError) as error:
        wanted = context or "a current one"
        raise Misconfigured(
            f"expected the context {wanted} in the kubeconfig, saw none"
        ) from error
    return str(said or DEFAULT)
