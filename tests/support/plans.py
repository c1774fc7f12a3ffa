"""Plans of infrastructure for tests: one of the real program, and stacks to make more."""

import io
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.support.cli import Ran
from tools.controlplane.binaries import ensure
from tools.controlplane.programs import TOFU

SECRET = "hunter2-secret"
"""What must be seen nowhere."""
RECORDED = Path(__file__).parent / "recorded" / "plan.json"

STACK = """\
variable "size" {
  type    = number
  default = 3
}
variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2-secret"
}
resource "terraform_data" "web" {
  input = { size = var.size, big = 12345678901234567890123, password = var.password }
}
resource "terraform_data" "db" {
  count            = 2
  triggers_replace = var.size
  input            = "db-${count.index}"
}
output "password" {
  value     = var.password
  sensitive = true
}
"""


def recorded() -> dict[str, Any]:
    """Return a plan that does all that plans do, as the real program printed it."""
    return dict(json.loads(RECORDED.read_bytes()))


def archive(files: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
    """Return a saved plan, as far as we read one, with more files of code."""
    named = {"tfplan": b"\x0a", "tfconfig/m-/main.tf": b"# code\n"}
    named |= {"tfconfig/modules.json": b"[]", ".terraform.lock.hcl": b"", **files}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as saved:
        for name, content in named.items():
            saved.writestr(name, content)
    return made.getvalue()


@cache
def program(name: str) -> Path | None:
    """Return a program that plans, or None where this machine has none of it."""
    if name == TOFU.name:
        return ensure([TOFU])[name]
    found = shutil.which(name)
    return Path(found) if found else None


@dataclass(frozen=True)
class Stack:
    """A folder with infrastructure as code, and the program that applies it.

    Attributes:
        folder: Where it is.
        tofu: The program.
    """

    folder: Path
    tofu: Path

    @property
    def environ(self) -> dict[str, str]:
        """What the program is told: nothing of whoever runs the tests, no network."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TF_CLI_CONFIG_FILE": os.devnull,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }

    def write(self, text: str) -> None:
        """Write what there is to be."""
        (self.folder / "main.tf").write_text(text)

    def run(self, *words: str) -> Ran:
        """Run the program."""
        done = subprocess.run(
            [self.tofu, *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def init(self) -> None:
        """Make it ready, without any provider but the one that is built in."""
        ran = self.run("init", "-input=false", "-no-color")
        assert ran.code == 0, ran.err

    def plan(self, name: str, *words: str) -> str:
        """Save a plan, and what it shows as JSON; return what it printed."""
        ran = self.run("plan", "-input=false", "-no-color", f"-out={name}", *words)
        assert ran.code == 0, ran.err
        (self.folder / f"{name}.json").write_text(self.show(name))
        return ran.out

    def show(self, name: str) -> str:
        """Return what a plan shows as JSON."""
        ran = self.run("show", "-json", name)
        assert ran.code == 0, ran.err
        return ran.out

    def apply(self, name: str) -> Ran:
        """Apply a plan that was saved."""
        return self.run("apply", "-input=false", "-no-color", name)

    def state(self) -> dict[str, Any]:
        """Return what was applied, by address."""
        values = json.loads(self.run("show", "-json").out).get("values", {})
        found = values.get("root_module", {}).get("resources", [])
        return {one["address"]: one["values"] for one in found}
