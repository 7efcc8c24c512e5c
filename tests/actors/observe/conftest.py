"""Whoever sets structlog up in a test does so for that test."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_as_they_come():
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
