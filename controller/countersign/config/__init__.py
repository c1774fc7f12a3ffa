"""How this process runs. What is asked of changes is policy, and not here.

Precedence, in one direction: flag > ``COUNTERSIGN_*`` > file > default.
"""

from countersign.config.loading import PREFIX, load, paths, variable
from countersign.config.operate import OperateSettings
from countersign.config.serve import Cluster, Governance, Settings, Spool

__all__ = [
    "PREFIX",
    "Cluster",
    "Governance",
    "OperateSettings",
    "Settings",
    "Spool",
    "load",
    "paths",
    "variable",
]
