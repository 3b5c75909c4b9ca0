"""How tests share the machine when several processes run them (`make test`): each takes its part of the cores.

Two processes that both compute on all cores slow each other more than twofold (benchmarks/README.md, "Waiting"). Child processes
inherit the share. It has to be set before PyTorch is imported.
"""

from __future__ import annotations

import os

processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if processes > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
