"""How recording goes, as the recorder says it: JSON."""

from pydantic import Field

from countersign.core.types.artifacts import Json
from countersign.core.types.survey import Recording, SpoolState
from countersign.wire.shapes import Shape, Time, shaped


class _Spool(Shape):
    address: str
    last_pull: Time | None = None
    position: int | None = Field(default=None, ge=0)
    lost: int | None = Field(default=None, ge=0)
    trouble: str | None = None

    def value(self) -> SpoolState:
        """Return the core's value."""
        return SpoolState(
            address=self.address,
            pulled_at=self.last_pull,
            position=self.position,
            lost=self.lost or 0,
            trouble=self.trouble or "",
        )


class _Status(Shape):
    spools: list[_Spool]
    lost: int = Field(ge=0)
    trouble: list[str] = Field(default=[])


def parse_recording(tree: Json) -> Recording:
    """Read the answer of ``GET /v1/status``.

    Raises:
        Malformed: it is something else.
    """
    said = shaped(_Status, tree, "recorder's status")
    return Recording(
        spools=tuple(spool.value() for spool in said.spools),
        lost=said.lost,
        trouble=tuple(said.trouble),
    )
