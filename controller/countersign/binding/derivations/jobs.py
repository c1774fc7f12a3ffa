"""CronJob to Job.

Source:
    ``getJobFromTemplate2`` in pkg/controller/cronjob/utils.go.
"""

from datetime import datetime

from countersign.binding.derivations.kin import Kin, born, mapping, part
from countersign.binding.edits import TIME
from countersign.binding.tree import Struct

_SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def job(kin: Kin) -> Struct:
    """Return the Job of a CronJob, named by the minute that its annotation repeats."""
    template = part(kin.spec(), "jobTemplate")
    annotations = dict(mapping(template, "/metadata/annotations"))
    when, name = kin.seen(_SCHEDULED), kin.name
    minute = _minute(when)
    if minute is not None:
        annotations[_SCHEDULED] = when
        name = f"{name}-{minute}"
    return {
        **born(
            kin,
            "batch/v1",
            "Job",
            name=name,
            labels=mapping(template, "/metadata/labels"),
            annotations=annotations,
        ),
        "spec": mapping(template, "/spec"),
    }


def _minute(when: str) -> int | None:
    """Return the minutes since 1970 of a time as the controller writes it."""
    if not TIME.fullmatch(when):
        return None
    try:
        return int(datetime.fromisoformat(when).timestamp()) // 60
    except ValueError:  # the thirteenth month
        return None
