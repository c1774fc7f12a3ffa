"""Write or check the generated files: ``python -m tools.gen [--check]``."""

import argparse
import sys

from tools.gen import ROOT, Generator
from tools.gen.backstops import BACKSTOPS
from tools.gen.chart import CHART
from tools.gen.crds import CUSTOM_RESOURCES
from tools.gen.gotypes import TYPE_TABLES
from tools.gen.hooks import HOOK_FILES
from tools.gen.metrics import METRICS
from tools.gen.monitoring import MONITORING
from tools.gen.registration import REGISTRATION
from tools.gen.rendered import RENDERED
from tools.gen.rights import RIGHTS
from tools.gen.roles import ROLES
from tools.gen.settings import SETTINGS

GENERATORS: tuple[Generator, ...] = (
    TYPE_TABLES,
    *CUSTOM_RESOURCES,
    *ROLES,
    REGISTRATION,
    BACKSTOPS,
    RIGHTS,
    SETTINGS,
    *CHART,
    *MONITORING,
    METRICS,
    HOOK_FILES,
    *RENDERED,  # of the files above
)


def stale(generator: Generator) -> dict[str, bytes | None]:
    """Return what must change: new content by path, None for a file to remove."""
    made = generator.make()
    kept = {str(path.relative_to(ROOT)) for path in ROOT.glob(generator.owns)}
    removed: dict[str, bytes | None] = dict.fromkeys(kept - made.keys())
    return removed | {
        path: content
        for path, content in made.items()
        if path not in kept or (ROOT / path).read_bytes() != content
    }


def main() -> int:
    """Regenerate everything, or with ``--check`` name what is out of date."""
    parser = argparse.ArgumentParser(prog="python -m tools.gen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    code = 0
    for generator in GENERATORS:
        for path, content in sorted(stale(generator).items()):
            print(f"{generator.name}: {path} is {'stale' if check else 'written'}")
            code = int(check)
            if not check and content is None:
                (ROOT / path).unlink()
            elif not check and content is not None:
                (ROOT / path).write_bytes(content)
    if code:
        print("run `make gen` and commit what it changes", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
