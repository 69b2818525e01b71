"""How a flow's parameters look in the Prefect UI's form.

Descriptions come from the Google sections of the flow's docstring. Prefect replaces a parameter's title by its name;
what stands in json_schema_extra it leaves alone.
"""

from typing import Any

from pydantic import Field


def titled(title: str, **schema: Any) -> Any:
    """Return the annotation that gives a parameter its title in the form, and more of JSON schema if wanted."""
    return Field(json_schema_extra={"title": title, **schema})
