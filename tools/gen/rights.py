"""What the API server lets the cluster's own components write: its bootstrap roles.

Made in Go, in the module that also builds the API server. `tools.rights` says what
judges each right, and a test that nothing is left out.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping

from tools.gen import ROOT, Generator
from tools.rights import FILE

MODULE = ROOT / "tools/controlplane/kubernetes"


def make() -> Mapping[str, bytes]:
    """Return the rights, one a line; flags are those of the control plane's build."""
    go = shutil.which("go")
    if go is None:
        raise SystemExit(
            "rights: expected Go on PATH: the bootstrap roles come from it"
        )
    done = subprocess.run(
        [go, "run", "-trimpath", "-ldflags=-s -w", "./bootstrap"],
        cwd=MODULE,
        env={**os.environ, "CGO_ENABLED": "0"},
        check=True,
        stdout=subprocess.PIPE,
    )
    return {str(FILE.relative_to(ROOT)): done.stdout}


RIGHTS = Generator("rights of the control plane", str(FILE.relative_to(ROOT)), make)
