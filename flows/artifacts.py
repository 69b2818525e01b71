"""What the Prefect UI keeps of a night or a question: figures and theme names under one key, no customer's sentence."""

from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from pipeline.report import Night, render_markdown

THEME_COLUMNS = ("theme_id", "name", "status", "n_feedback", "share", "positive", "negative", "impact")


def leave_artifacts(night: Night, link: str, key: str) -> None:
    """Leave the report as Markdown, the table of themes and the link, each under a key with a history."""
    create_link_artifact(link, link_text=f"{night.title} {night.business_date}", key=f"{key}-report")
    markdown = f"[{link}]({link})\n\n{render_markdown(night)}"
    create_markdown_artifact(markdown, key=f"{key}-summary", description=night.title)
    create_table_artifact(_theme_rows(night), key=f"{key}-themes", description=night.title)


def _theme_rows(night: Night) -> list[dict[str, Any]]:
    return [{column: theme[column] for column in THEME_COLUMNS} for theme in night.summary["themes"]]
