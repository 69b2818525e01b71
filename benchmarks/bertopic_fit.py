"""What BERTopic takes to group sentences: python -m benchmarks.bertopic_fit FILE --peers FOLDER.

FILE holds one sentence a line. sentence-transformers' ``encode`` of the bundled model at its defaults, Sudachi's
words, and BERTopic at its own settings (UMAP, HDBSCAN, c-TF-IDF) in the throw-away environment FOLDER: what its fit
does, part by part, each with seconds and processor seconds. Beside it stands kikitori's whole night on the same
sentences, where `benchmarks.nightly --hotel` has measured one. The result is benchmarks/results/bertopic_fit.json.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sentence_transformers import SentenceTransformer

from benchmarks.themes import peers_python
from benchmarks.themes import words as sudachi_words
from models.bundled import bundled_model_folder

HERE = Path(__file__).parent
RESULT = HERE / "results" / "bertopic_fit.json"
PROMPT = "query: "  # the encoder's own, see models.bundled
Made = TypeVar("Made")


def main() -> None:
    """Measure, write the result beside this script and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--peers", type=Path, required=True)
    arguments = parser.parse_args()
    texts = arguments.sentences.read_text(encoding="utf-8").split("\n")
    texts = [text for text in texts if text.strip()]
    python = peers_python(arguments.peers)
    parts: dict[str, dict[str, float]] = {}
    model = SentenceTransformer(str(bundled_model_folder()), device="cpu")
    vectors = timed("encode", parts, lambda: model.encode(texts, prompt=PROMPT))
    words = timed("words", parts, lambda: sudachi_words(texts))
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/vectors.npy", vectors)
        Path(folder, "words.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        script = [python, HERE / "theme_peers.py", "bertopic:0", f"{folder}/vectors.npy", f"{folder}/words.json", "0"]
        timed("group", parts, lambda: subprocess.run([*script, f"{folder}/out.npz"], check=True))
        memory = int(np.load(f"{folder}/out.npz")["peak_memory_mb"])
    result = {
        "sentences": len(texts),
        "seconds": round(sum(part["seconds"] for part in parts.values()), 1),
        "cpu_seconds": round(sum(part["cpu_seconds"] for part in parts.values()), 1),
        "parts": parts,
        "peak_memory_mb_of_grouping": memory,
        "kikitori_whole_night": night(len(texts)),
        "conditions": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}; load of the last minute at the end {os.getloadavg()[0]:.1f}",
        },
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False, indent=2))


def timed(name: str, parts: dict[str, dict[str, float]], make: Callable[[], Made]) -> Made:
    """Return what is made, and note its seconds and processor seconds, children included."""
    started, spent = time.perf_counter(), processor_seconds()
    made = make()
    parts[name] = {
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(processor_seconds() - spent, 1),
    }
    return made


def processor_seconds() -> float:
    """Return what this process and its ended children have spent."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def night(n: int) -> dict[str, Any] | None:
    """Return the figures of the night on as many sentences, if there is one."""
    path = HERE / "results" / "nightly.json"
    nights = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found = nights.get("hotel", {}).get("first", {})
    if found.get("comments") != n:
        return None
    return {key: found[key] for key in ("seconds", "cpu_seconds", "peak_megabytes")}


if __name__ == "__main__":
    main()
