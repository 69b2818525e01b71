"""What several test modules share."""

import pytest
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)  # a busy machine's pause is no failure
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def parser():
    """The Japanese parser, loaded once: it takes some seconds."""
    from pipeline.parse import shared_parser

    return shared_parser()
