from types import ModuleType

import pytest

import supervisor
from actors.clash import check


def test_our_supervisor_passes():
    check(supervisor)


def test_a_foreign_supervisor_is_named_with_what_to_do():
    foreign = ModuleType("supervisor")
    foreign.__file__ = "/somewhere/supervisor/__init__.py"
    with pytest.raises(
        ImportError, match=r"/somewhere/supervisor/__init__.py belongs to another project.*uninstall it"
    ):
        check(foreign)
