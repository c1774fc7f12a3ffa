"""What settings are made of, and the groups that both processes have."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

NamespacePattern = Annotated[
    str, StringConstraints(max_length=63, pattern=r"^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$")
]


def words(value: object) -> object:
    """Let flags and the environment write a list as ``a,b``."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


class Group(BaseModel):
    """Settings of one theme."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Connection(Group):
    """How the API server is reached and watched."""

    kubeconfig: Path | None = Field(
        default=None,
        description="Absent: the Pod's service account, else KUBECONFIG as kubectl "
        "reads it.",
    )
    context: str | None = Field(default=None, description="Context of the kubeconfig.")
    watch_s: float = Field(
        default=20.0,
        gt=0,
        description="How long one watch request lasts before the next: the longest "
        "that a healthy watch stays silent. Seconds.",
    )
    stale_s: float = Field(
        default=60.0,
        gt=0,
        description="After so long without a word from the API server everything is "
        "denied as stale. Seconds; at least twice watch_s.",
    )
    request_s: float = Field(
        default=5.0,
        gt=0,
        description="Time for one GET or one page of a LIST. Seconds.",
    )

    @model_validator(mode="after")
    def _patient(self) -> Self:
        if self.stale_s < 2 * self.watch_s:
            raise ValueError("expected stale_s of at least twice watch_s")
        return self


class Log(Group):
    """What is logged, and how."""

    format: Literal["json", "text"] = Field(
        default="json", description="One JSON object a line, or text for a terminal."
    )
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level. DEBUG may name digests."
    )
