"""Names proposed by a language model behind an OpenAI-compatible endpoint: off unless a config names one.

It sees masked text alone, is asked for new themes only, and only proposes: an answer that breaks the rules of
names (:func:`pipeline.themes.naming.may_stand`), and any failure, leaves the name the words gave.
"""

import json
import logging
import os
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial

from pipeline.themes.naming import NameProposer, ThemeSample

KEY_VARIABLE = "KIKITORI_NAMING_KEY"
_MOST_BYTES = 1_000_000
_TASK = (
    "次は同じ話題についての顧客の声です。話題の名前を一つだけ、日本語の名詞または「名詞+述語」で、"
    "20字以内で答えてください。評価語・挨拶・数字・記号・説明は付けません。例: フロントの対応、返信が遅い"
)
_log = logging.getLogger(__name__)


def name_proposer(endpoint: str | None, model: str, timeout: float) -> NameProposer | None:
    """Return a function that asks the endpoint for a name per theme; None where no endpoint is set.

    Parameters
    ----------
    endpoint : str or None
        Base URL, such as ``http://127.0.0.1:8000/v1``; ``/chat/completions`` is added.
    model : str
        The model's name there.
    timeout : float
        Seconds for one theme.
    """
    if endpoint is None:
        return None

    def propose(samples: Sequence[ThemeSample]) -> list[str | None]:
        return [_asked(partial(_ask, sample, endpoint, model, timeout)) for sample in samples]

    return propose


def _asked(ask: Callable[[], str]) -> str | None:
    try:
        return ask()
    except Exception as error:  # whatever goes wrong over there, the night goes on
        _log.warning("naming endpoint: %s; the name from the words stays", type(error).__name__)
        return None


def _ask(sample: ThemeSample, endpoint: str, model: str, timeout: float) -> str:
    words = f"キーワード: {'、'.join(sample.keywords)}\n仮の名前: {sample.name}\n声:\n" + "\n".join(sample.texts)
    messages = [{"role": "system", "content": _TASK}, {"role": "user", "content": words}]
    body = json.dumps({"model": model, "messages": messages, "temperature": 0, "max_tokens": 40}).encode()
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY_VARIABLE):
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(endpoint.rstrip("/") + "/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        answer = json.loads(response.read(_MOST_BYTES))
    return str(answer["choices"][0]["message"]["content"]).strip().strip("「」『』\"' 。")
