"""How long copied texts take to find, and whether planted ones are found: 100,000 made-up comments.

Run: ``python benchmarks/near_duplicates.py``; writes ``benchmarks/results/near_duplicates.json``.
"""

import json
import platform
import random
import resource
import time
from pathlib import Path

import polars as pl

from pipeline.near_duplicates import near_duplicates

N, N_COPIES = 100_000, 5_000
SYLLABLES = "配送遅い返品手続きわかりにくいです値段高アプリ落ちる品ぞろえ良対応丁寧時間指定守らない電話"
CAMPAIGN = "この値上げには断固として反対します。利用者の声を聞いて、料金を元に戻してください。"
ENDINGS = ("", "！", "。お願いします", "。検討してください")


def main() -> None:
    """Make the comments, time the search, write the result."""
    draw = random.Random(0)
    texts = ["".join(draw.choices(SYLLABLES, k=draw.randint(10, 120))) for _ in range(N - N_COPIES)]
    texts += [CAMPAIGN + draw.choice(ENDINGS) for _ in range(N_COPIES)]
    ids = [str(i) for i in range(N)]
    rows = {"source": ["survey"] * N, "feedback_id": ids, "customer": ids, "text": texts}
    began = time.process_time()
    groups = near_duplicates(pl.DataFrame(rows))
    result = {
        "n_comments": N,
        "n_copies_planted": N_COPIES,
        "n_copies_found": groups[N - N_COPIES :].is_not_null().sum(),
        "n_flagged_among_the_others": groups[: N - N_COPIES].is_not_null().sum(),
        "n_groups": groups.n_unique() - 1,
        "cpu_seconds": round(time.process_time() - began, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "conditions": {"machine": platform.machine(), "python": platform.python_version(), "polars": pl.__version__},
    }
    path = Path(__file__).parent / "results" / "near_duplicates.json"
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
