"""What the behaviours are shown with; whoever sets structlog up, on a page or in a test, does so for that alone."""

import pytest
import structlog
from rows_world import a_world


@pytest.fixture
def world():
    return a_world


@pytest.fixture(autouse=True)
def _logs_as_they_come():
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
