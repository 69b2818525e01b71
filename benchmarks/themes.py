"""Measure the themes: against labelled aspects, beside BERTopic and EVoC, with a codebook, and at scale.

    python -m benchmarks.themes DATA [--quick] [--vectors FOLDER] [--seeds 5] [--peers-venv FOLDER] [--scale N]

DATA holds hotel/sentences.txt, hotel/labelled_dev.tsv, survey/shop.gold.jsonl and survey/shop.themes.json.
All sentences are grouped, and a sample that holds the labelled ones; these are scored (V-measure, adjusted
Rand index), unassigned ones (−1) counting as one group of their own. Sentences of several aspects (multi) or
without agreement (?) have no label; ``aspects`` leaves out other, occasion and overall as well. Every grouping
runs in a process of its own, which reports its seconds and its peak memory (vectors and libraries included).

``codebook``: the shop's units against its themes' names and descriptions alone, with no unit's label seen, by
vectors and by vectors and words.
``agreement``: adjusted Rand index between the labels of two seeds, mean over all pairs, all sentences.
``off_topic``: of a held-back subject's sentences (the hotel's, placed among the shop's themes), the share
that is refused, beside the share of the shop's own.

--peers-venv makes a throw-away environment there, installs BERTopic and EVoC, and runs them on the vectors of
all sentences, of the sample and of the shop: BERTopic with Sudachi's words, six settings, with and without
reduce_outliers; the best setting, by V + ARI, then runs with every seed. --vectors keeps the vectors and the peers'
groupings, which are not made again. The result is benchmarks/results/themes.json.
"""

import argparse
import csv
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, v_measure_score

from benchmarks.peers import peer_python
from models.codebook import CodebookTheme, Reading, settle
from models.embedding import Encoder
from models.theme_prior import ThemePrior, prior_for
from models.themes import ThemeModel
from models.wording import Wording

HERE = Path(__file__).parent
RESULT = HERE / "results" / "themes.json"
UNLABELLED = {"?", "multi"}
NO_ASPECT = {"other", "occasion", "overall"}
DRAWN = 6_000
PEERS = ("bertopic", "umap-learn", "hdbscan", "evoc")
REQUIREMENTS = ("umap-learn", "hdbscan", "evoc", "pandas", "plotly", "scikit-learn", "tqdm", "pyyaml", "llvmlite")
SETTINGS = 6


def main() -> None:
    """Run everything that is asked for and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--quick", action="store_true", help="leave out the grouping of all sentences")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--peers-venv", type=Path)
    parser.add_argument("--scale", type=int, nargs="*", default=[])
    arguments = parser.parse_args()
    encoder = Encoder.from_pretrained()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.vectors or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        hotel, shop = hotel_set(arguments, folder, encoder), shop_set(arguments, folder, encoder)
        sample = drawn(hotel, aspects(arguments.data), folder)
        result = {
            "conditions": conditions(encoder),
            "hotel": {} if arguments.quick else {"ours": seeds_of("medium", hotel, arguments.seeds)},
            "hotel_sample": {"ours": seeds_of("medium", sample, arguments.seeds)},
            "shop": {"ours": {size: ours(size, shop, 0)[0] for size in ("coarse", "medium", "fine")}},
            "codebook": codebook(arguments.data, shop, encoder),
            "off_topic": off_topic(shop, hotel),
        }
        if arguments.peers_venv:
            python = peers_python(arguments.peers_venv)
            result["conditions"]["peers"] = peer_versions(python)
            for name, data in (("hotel", hotel), ("hotel_sample", sample), ("shop", shop)):
                if not (arguments.quick and name == "hotel"):
                    result[name] |= peers(python, data, arguments.seeds)
        result["scale"] = [scale(n) for n in arguments.scale]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    json.dump(result, sys.stdout, ensure_ascii=False, indent=2)


class Labelled:
    """Texts with their vectors in a file, and the labels of some rows."""

    def __init__(self, texts: list[str], gold: dict[int, str], path: Path) -> None:
        self.texts, self.gold, self.path = texts, gold, path

    def score(self, labels: np.ndarray) -> dict:
        """Return the figures of one grouping."""
        aspects = [row for row, theme in self.gold.items() if theme not in NO_ASPECT]
        return {
            "n": len(labels),
            "n_themes": int(labels.max()) + 1,
            "assigned": round(float((labels >= 0).mean()), 4),
            "all_labels": agreement(list(self.gold), self.gold, labels),
            "aspects": agreement(aspects, self.gold, labels),
        }


def hotel_set(arguments: argparse.Namespace, folder: Path, encoder: Encoder) -> Labelled:
    """Return the hotel's sentences."""
    texts = (arguments.data / "hotel" / "sentences.txt").read_text(encoding="utf-8").splitlines()
    labelled = aspects(arguments.data)
    path = vectors(texts, folder / "hotel.npy", encoder)
    gold = {i: labelled[text] for i, text in enumerate(texts) if labelled.get(text, "?") not in UNLABELLED}
    return Labelled(texts, gold, path)


def aspects(data: Path) -> dict[str, str]:
    """Return what each of the hotel's labelled sentences speaks of."""
    with (data / "hotel" / "labelled_dev.tsv").open(encoding="utf-8", newline="") as lines:
        return {row["text"]: row["aspect"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}


def drawn(data: Labelled, labelled: dict[str, str], folder: Path) -> Labelled:
    """Return DRAWN sentences and the labelled ones."""
    chosen = np.random.default_rng(0).permutation(len(data.texts))[:DRAWN].tolist()
    rows = sorted({*chosen, *(row for row, text in enumerate(data.texts) if text in labelled)})
    path = folder / "hotel-sample.npy"
    np.save(path, np.load(data.path)[rows])
    gold = {place: data.gold[row] for place, row in enumerate(rows) if row in data.gold}
    return Labelled([data.texts[row] for row in rows], gold, path)


def shop_set(arguments: argparse.Namespace, folder: Path, encoder: Encoder) -> Labelled:
    """Return the shop's gold units."""
    lines = (arguments.data / "survey" / "shop.gold.jsonl").read_text(encoding="utf-8").splitlines()
    units = [unit for line in lines for unit in json.loads(line)["units"]]
    texts = [unit["text"] for unit in units]
    gold = {i: unit["theme"] for i, unit in enumerate(units)}
    return Labelled(texts, gold, vectors(texts, folder / "shop.npy", encoder))


def seeds_of(granularity: str, data: Labelled, n_seeds: int) -> dict:
    """Return our figures for every seed, their mean, the worst, and how far the seeds agree."""
    runs = [ours(granularity, data, seed) for seed in range(n_seeds)]
    return together([figures for figures, _ in runs], [labels for _, labels in runs])


def together(figures: list[dict], labels: list[np.ndarray]) -> dict:
    """Return the runs of several seeds with their mean, worst and agreement."""
    v, ari = ([run["aspects"][key] for run in figures] for key in ("v", "ari"))
    pairs = [adjusted_rand_score(one, other) for one, other in itertools.combinations(labels, 2)]
    return {
        "mean": {"v": round(float(np.mean(v)), 4), "ari": round(float(np.mean(ari)), 4)},
        "worst": {"v": min(v), "ari": min(ari)},
        "agreement": round(float(np.mean(pairs)), 4) if pairs else None,
        "runs": figures,
    }


def ours(granularity: str, data: Labelled, seed: int) -> tuple[dict, np.ndarray]:
    """Return the figures and labels of one run of ours."""
    return child([sys.executable, "-m", "benchmarks.theme_runs", granularity, str(data.path), str(seed)], data)


def scale(n: int) -> dict:
    """Return seconds and memory for n made-up vectors."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.npz"
        command = [sys.executable, "-m", "benchmarks.theme_runs", "synthetic", str(n), "0", str(out)]
        subprocess.run(command, check=True, env=environment())
        found = np.load(out)
        own = int(found["peak_memory_mb"]) - int(found["before_mb"])
        return {
            "n": n,
            "seconds": round(float(found["seconds"]), 1),
            "n_themes": int(found["labels"].max()) + 1,
            "vectors_mb": n * 384 * 4 // 2**20,
            "memory_beside_vectors_mb": own,
        }


def codebook(data: Path, shop: Labelled, encoder: Encoder) -> dict:
    """Return how often the shop's units get the right one of its themes, from names and descriptions alone."""
    rows = json.loads((data / "survey" / "shop.themes.json").read_text(encoding="utf-8"))["shop"]["themes"]
    themes = [CodebookTheme(row["name_ja"], row["description_ja"]) for row in rows]
    ids = [row["id"] for row in rows]
    embeddings, gold = np.load(shop.path), [shop.gold[row] for row in range(len(shop.texts))]
    known = settle(themes, encoder.encode, embeddings, prior=prior_for(encoder.model_id))
    model = ThemeModel(prior=prior_for(encoder.model_id)).fit(embeddings, known=known)
    assignment = model.assign(embeddings)
    place = np.array([ids.index(theme) for theme in gold])
    reading = Reading(themes, Wording.from_pretrained())
    every = {k: k for k in range(len(themes))}
    labels = reading.tell_apart(model, assignment.labels, shop.texts, embeddings, every)
    scores = reading.scores(model, shop.texts, embeddings, np.arange(len(themes)))
    second = np.argsort(-scores, axis=1, kind="stable")[:, 1]
    right = labels == place
    plain, names = embeddings - embeddings.mean(axis=0), encoder.encode([theme.name for theme in themes])
    nearest = (plain @ (names - names.mean(axis=0)).T).argmax(axis=1)
    return {
        "n": len(gold),
        "n_codebook_themes": len(ids),
        "n_discovered_beside": len(model.centroids_) - len(ids),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_by_vectors": round(float((assignment.labels == place).mean()), 4),
        "right_or_second": round(float((right | ((labels >= 0) & (second == place))).mean()), 4),
        "assigned": round(float((labels >= 0).mean()), 4),
        "v": round(float(v_measure_score(gold, labels)), 4),
        "accuracy_of_nearest_plain_name": round(float((nearest == place).mean()), 4),
    }


def off_topic(shop: Labelled, hotel: Labelled) -> dict:
    """Return the share of foreign and of own sentences that the shop's themes refuse."""
    model = ThemeModel().fit(np.load(shop.path))
    foreign = model.assign(np.load(hotel.path)[:3000])
    return {
        "n_foreign": 3000,
        "foreign_refused": round(float((foreign.labels < 0).mean()), 4),
        "own_refused": round(float((model.labels_ < 0).mean()), 4),
    }


def peers(python: Path, data: Labelled, n_seeds: int) -> dict:
    """Return the peers' figures on the same vectors."""
    with tempfile.TemporaryDirectory() as scratch:
        tokens = Path(scratch) / "tokens.json"
        tokens.write_text(json.dumps(words(data.texts), ensure_ascii=False), encoding="utf-8")

        def run(method: str, seed: int, key: str = "labels") -> tuple[dict, np.ndarray]:
            command = [str(python), str(HERE / "theme_peers.py"), method, str(data.path), str(tokens), str(seed)]
            return child(command, data, key, data.path.with_suffix(f".{method.replace(':', '-')}-{seed}.npz"))

        tried = {}
        for setting in range(SETTINGS):
            for key in ("labels", "reduced"):
                name = str(setting) if key == "labels" else f"{setting} + reduce_outliers"
                tried[name] = run(f"bertopic:{setting}", 0, key)
        best = max(tried, key=lambda name: tried[name][0]["aspects"]["v"] + tried[name][0]["aspects"]["ari"])
        key = "reduced" if "reduce" in best else "labels"
        runs = [tried[best], *(run(f"bertopic:{best[0]}", seed, key) for seed in range(1, n_seeds))]
        evoc = [run("evoc", seed) for seed in range(n_seeds)]
    return {
        "bertopic_settings": {name: figures for name, (figures, _) in tried.items()},
        "bertopic_best": {"setting": best, **together([f for f, _ in runs], [labels for _, labels in runs])},
        "evoc": together([f for f, _ in evoc], [labels for _, labels in evoc]),
    }


def child(command: list[str], data: Labelled, key: str = "labels", kept: Path | None = None) -> tuple[dict, np.ndarray]:
    """Run one grouping in its own process, unless it is kept from before; return its figures and labels."""
    with tempfile.TemporaryDirectory() as scratch:
        out = kept or Path(scratch) / "out.npz"
        if not out.exists():
            subprocess.run([*command, str(out)], check=True, env=environment(), stdout=subprocess.DEVNULL)
        found = np.load(out)
        costs = {"seconds": round(float(found["seconds"]), 2), "peak_memory_mb": int(found["peak_memory_mb"])}
        return {**data.score(found[key]), **costs}, found[key]


def words(texts: list[str]) -> list[str]:
    """Return each text as Sudachi's normalised content words, parted by spaces."""
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="core").create(SplitMode.C)
    kept = ("名詞", "動詞", "形容詞", "形状詞", "副詞")
    return [
        " ".join(m.normalized_form() for m in tokenizer.tokenize(text) if m.part_of_speech()[0] in kept) or "。"
        for text in texts
    ]


def peers_python(folder: Path) -> Path:
    """Return the interpreter of the peers' environment; BERTopic needs no torch where vectors are given."""
    peer_python(folder, REQUIREMENTS)
    return peer_python(folder, ("--no-deps", "bertopic"))


def peer_versions(python: Path) -> dict[str, str]:
    """Return the versions of the peers."""
    code = (
        "import json, sys; from importlib.metadata import version; "
        "print(json.dumps({package: version(package) for package in sys.argv[1:]}))"
    )
    return json.loads(subprocess.check_output([str(python), "-c", code, *PEERS], text=True))


def environment() -> dict[str, str]:
    """Return this process' environment with as many threads as OMP_NUM_THREADS says, for every library."""
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    return {**os.environ, "NUMBA_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}


def agreement(rows: list[int], gold: dict[int, str], labels: np.ndarray) -> dict:
    """Return V-measure and ARI over some labelled rows."""
    truth, found = [gold[row] for row in rows], labels[rows]
    return {
        "n": len(rows),
        "n_gold": len(set(truth)),
        "v": round(float(v_measure_score(truth, found)), 4),
        "ari": round(float(adjusted_rand_score(truth, found)), 4),
    }


def vectors(texts: list[str], path: Path, encoder: Encoder) -> Path:
    """Return the file of the texts' vectors, made if it is not there."""
    if not path.exists() or len(np.load(path, mmap_mode="r")) != len(texts):
        np.save(path, encoder.encode(texts))
    return path


def conditions(encoder: Encoder) -> dict:
    """Return what the figures depend on."""
    return {
        "encoder": encoder.model_id,
        "prior": ThemePrior.from_pretrained().model_id,
        "sample": DRAWN,
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "scipy", "scikit-learn")},
        "cpus": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "1"),
    }


if __name__ == "__main__":
    main()
