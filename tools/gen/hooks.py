"""The hooks as files of this repository, for the pre-commit framework to run."""

from countersign.provenance.hook_script import HOOKS, hook_script
from tools.gen import Generator

# Git keeps the mode of the files: they are programs.
HOOK_FILES = Generator(
    name="hooks",
    owns="hooks/*",
    make=lambda: {f"hooks/{name}": hook_script(name).encode() for name in HOOKS},
)
