"""Comments in any number for benchmarks of speed, made from the lines of our own corpus.

A comment joins one to three lines of one file of the corpus, each opened by words that say when and how often
(「今月4回目の利用で、」), so that nearly every comment and nearly every opinion is a text of its own: with the corpus'
23,000 lines alone, duplicates and the cache would do most of the work. The openers make opinions some characters longer
than people write them, and say nothing a theme is made of. Scores, dates and customers are drawn; scores follow the
polarity of the lines loosely.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from benchmarks.reading import COLUMNS
from models.corpus import Opinion, load_corpus

SEGMENT = "plan"
_WHEN = ["今月", "先月", "春から", "夏から", "秋から", "年明けから", "この半年で", "週末に", "平日に", "出張で"]
_OFTEN = ["{n}回目の利用で、", "{n}回使ってみて、", "{n}日ほど試して、", "{n}件頼んでみて、", "{n}度目ですが、"]
_SCORES = {"negative": range(0, 8), "neutral": range(4, 10), "positive": range(6, 11)}


def comments(n: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yield n comments with a score each."""
    draw = random.Random(seed)
    by_file: dict[str, list[Opinion]] = {}
    for opinion in load_corpus():
        by_file.setdefault(opinion.domain, []).append(opinion)
    files = sorted(by_file)
    weights = [len(by_file[file]) for file in files]
    for _ in range(n):
        lines = draw.choices(by_file[draw.choices(files, weights)[0]], k=draw.choice((1, 2, 2, 3)))
        opened = [draw.choice(_WHEN) + draw.choice(_OFTEN).format(n=draw.randint(2, 99)) + line.text for line in lines]
        text = "。".join(part.rstrip("。") for part in opened) + "。"
        yield text, draw.choice(_SCORES[lines[0].polarity])


def write_survey(
    path: Path, texts: Iterable[tuple[str, int]], *, days: tuple[date, date], seed: int, prefix: str
) -> int:
    """Write the comments as a survey's export, received on the days from the first to the last; return how many."""
    draw = random.Random(seed)
    start, length = datetime.combine(days[0], time(0, 0)), ((days[1] - days[0]).days + 1) * 86_400 - 1
    n = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*COLUMNS.values(), SEGMENT])
        for n, (text, score) in enumerate(texts, start=1):
            moment = start + timedelta(seconds=draw.randint(0, length))
            written = "" if draw.random() < 0.1 else str(score)
            customer = f"C{draw.randrange(300_000):06}" if draw.random() < 0.7 else ""
            plan = draw.choice(("標準", "プレミアム", "法人"))
            writer.writerow([f"{prefix}{n:07}", text, written, f"{moment:%Y-%m-%d %H:%M:%S}", customer, plan])
    return n
