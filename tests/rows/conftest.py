"""What the behaviours are shown with."""

import pytest
from rows_world import a_world


@pytest.fixture
def world():
    return a_world
