"""Shared fixtures: the parser is loaded once for the whole run."""

import pytest

from pipeline.parse import Parser


@pytest.fixture(scope="session")
def parser() -> Parser:
    return Parser()
