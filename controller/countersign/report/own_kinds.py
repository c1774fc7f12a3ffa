"""Why an object of ours is not accepted: every problem with its path."""

from countersign.core.types.artifacts import ObjectRef
from countersign.report.phrases import clean, thing

MAX_REFUSAL = 2048  # bytes; longer than a denial, since each line is a thing to correct


def refused(ref: ObjectRef, problems: tuple[str, ...]) -> str:
    """Say what is wrong with the object `ref`.

    Args:
        ref: The object.
        problems: Path, expected, seen; a line each, never empty.
    """
    lines = [f"{thing(ref)}: not accepted, since nobody could read it later"]
    lines += [f"  {clean(problem, 400)}" for problem in problems]
    step = "  next: correct it and apply again"
    room = MAX_REFUSAL - len(step.encode()) - 1
    text = "\n".join(lines).encode()[:room].decode(errors="ignore")
    return f"{text}\n{step}"
