"""Agreement of the bundled encoder with people's judgements: python benchmarks/embedding.py FOLDER.

FOLDER holds jsts_valid.tsv (JGLUE JSTS v1.3 validation; Kurihara et al. 2022): sentence pairs with a similarity
from 0 to 5. The figure is Spearman's rank correlation of the cosine with that similarity.
"""

import csv
import json
import platform
import sys
import time
from pathlib import Path

from scipy.stats import spearmanr

from models.embedding import Encoder

RESULT = Path(__file__).parent / "results" / "embedding.json"


def main(folder: Path) -> dict:
    """Measure, write the result beside this script and return it."""
    with (folder / "jsts_valid.tsv").open(encoding="utf-8", newline="") as lines:
        pairs = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    encoder = Encoder.from_pretrained()
    started = time.monotonic()
    first = encoder.encode([pair["sentence1"] for pair in pairs])
    second = encoder.encode([pair["sentence2"] for pair in pairs])
    seconds = time.monotonic() - started
    correlation = spearmanr((first * second).sum(axis=1), [float(pair["similarity"]) for pair in pairs]).statistic
    result = {
        "spearman": round(float(correlation), 4),
        "n_pairs": len(pairs),
        "texts_per_second": round(2 * len(pairs) / seconds),
        "conditions": {
            "data": "jsts_valid.tsv",
            "encoder": encoder.model_id,
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, two cores, other work may share them; equal texts encoded once",
        },
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1])), ensure_ascii=False, indent=2))
