"""What several test modules share."""

import pytest


@pytest.fixture(scope="session")
def parser():
    """The Japanese parser, loaded once: it takes some seconds."""
    from pipeline.parse import shared_parser

    return shared_parser()
