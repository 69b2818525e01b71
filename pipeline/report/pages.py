"""What the HTML pages share: the templates of one language, and a policy that lets only our own script run."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.report import charts, marks
from pipeline.report.wording import Words, count, percent, points, words_of


@cache
def templates(language: str) -> Environment:
    """Return the templates, every text escaped, with the words and number forms of a language."""
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    t = words_of(language)
    environment.filters |= {
        "count": count, "points": points, "percent": percent, "points_interval": t.points_interval,
        "percent_interval": t.percent_interval, "full_date": t.full_date, "short_date": t.short_date,
        "week_start": t.week_start, "reason_words": t.reason, "listed": t.listed,
    }
    environment.globals |= {"charts": charts, "marks": marks, "script": script(), "csp": policy()}
    return environment


def render(name: str, t: Words, **values: Any) -> str:
    """Return a page from its template, told in these words."""
    return templates(t.language).get_template(name).render(t=t, **values)


@cache
def script() -> Markup:
    """Return the one script of the pages, as it stands in them."""
    return Markup(files("pipeline.report").joinpath("templates", "report.js").read_text(encoding="utf-8"))


@cache
def policy() -> str:
    """Return the content security policy: no request at all, and no script but ours, known by its hash."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
