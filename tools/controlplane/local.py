"""Programs that are on the machine already, by its owner's hand."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tools.controlplane.programs import Program, version_of
from tools.controlplane.supported import Pins

_ASSETS = "KUBEBUILDER_ASSETS"  # the convention of controller-runtime's envtest


class Local:
    """The folder that ``KUBEBUILDER_ASSETS`` names, and then ``PATH``."""

    name = f"{_ASSETS} and PATH"

    def __init__(self, pins: Pins, environment: Mapping[str, str]) -> None:
        self._pins = pins
        self._assets = environment.get(_ASSETS)
        self._path = environment.get("PATH", os.defpath)

    def find(self, program: Program) -> Path | str:
        """Return the first executable whose version fits, or say why there is none."""
        unfit = []
        for folders in filter(None, (self._assets, self._path)):
            if (found := shutil.which(program.name, path=folders)) is None:
                continue
            version = version_of(program, Path(found))
            if version is not None and program.fits(version, self._pins):
                return Path(found).absolute()
            unfit.append(f"{found} is {version or 'of no known version'}")
        if not unfit:
            return "not there"
        return f"{' and '.join(unfit)}, expected {program.pinned(self._pins)} or near"
