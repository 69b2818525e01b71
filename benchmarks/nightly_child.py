"""One night with a watch on every stage, in a process of its own; prints what benchmarks.nightly reads."""

import json
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks.nightly import STAGES, cpu_seconds, timed
from flows.environment import ALWAYS, COMMAND_LINE, set_defaults


def main(config: str, night: str, out: str) -> None:
    """Run the night and print the calls of its stages as JSON."""
    set_defaults(ALWAYS, COMMAND_LINE)
    from flows import nightly

    calls: list[list] = []
    marks = {"imported": time.time()}
    nightly.nightly.fn = timed(nightly.nightly.fn, "flow", calls)
    for name in (name for names in STAGES.values() for name in names):
        step = getattr(nightly, name)
        if hasattr(step, "fn"):
            step.fn = timed(step.fn, name, calls)
        else:
            setattr(nightly, name, timed(step, name, calls))
    nightly.nightly(config, date.fromisoformat(night), out=out)
    marks["ended"] = time.time()
    summary = json.loads((Path(out) / night / "summary.json").read_text(encoding="utf-8"))
    figures = {key: summary[key] for key in ("n_feedback", "n_units", "n_unassigned")}
    figures["n_themes"] = len(summary["themes"])
    print(json.dumps({"marks": marks, "calls": calls, "cpu_seconds": cpu_seconds(), "figures": figures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
