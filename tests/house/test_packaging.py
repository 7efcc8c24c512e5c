"""What a user installs: the two packages, typed, with the command and the licence, and nothing else."""

import os
import subprocess
import sys
import zipfile

import pytest
from house import PACKAGES, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in the wheel, built by the build backend without a network."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_two_packages_and_nothing_else(wheel):
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == set(PACKAGES)


def test_the_wheel_says_that_both_packages_are_typed(wheel):
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(wheel)


def test_the_wheel_holds_no_tests(wheel):
    assert [name for name in wheel if "test_" in name or "/tests/" in name or "conftest" in name] == []


def test_the_wheel_brings_the_command_and_the_licence(wheel):
    inside = {name.split(".dist-info/")[-1] for name in wheel}
    assert {"entry_points.txt", "licenses/LICENSE"} <= inside


def test_a_foreign_supervisor_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "supervisor").mkdir()
    (tmp_path / "supervisor" / "__init__.py").touch()
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    run = subprocess.run(
        [sys.executable, "-c", "import actors"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = run.stderr.splitlines()[-1]
    assert run.returncode != 0
    assert said.startswith(f"ImportError: the package 'supervisor' at {tmp_path}")
    assert "supervisord" in said
