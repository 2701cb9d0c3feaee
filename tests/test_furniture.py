"""Files that other machines read (workflows, forms, citation) are what their schemas say, and agree with the package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text()

#: Schema that check-jsonschema ships -> files.
SCHEMAS = {
    "vendor.github-workflows": sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github" / "workflows").glob("*.yml")),
    "vendor.github-issue-forms": [".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/feature.yml"],
    "vendor.github-issue-config": [".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.dependabot": [".github/dependabot.yml"],
    "vendor.citation-file-format": ["CITATION.cff"],
    "vendor.readthedocs": [".readthedocs.yaml"],
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_are_what_their_schemas_say(schema):
    assert SCHEMAS[schema]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *SCHEMAS[schema]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_citation_has_the_version_of_the_package():
    [version] = re.findall(r'^version = "(.+)"$', PROJECT, re.MULTILINE)
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()


def test_workflows_run_on_the_pythons_that_the_package_has():
    [least, most] = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', PROJECT)[0]
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())["jobs"]
    run = {jobs["all"]["steps"][1]["with"]["python-version"], *jobs["pythons"]["strategy"]["matrix"]["python"]}
    assert run == {f"3.{minor}" for minor in range(int(least), int(most))}


def test_hooks_run_the_tools_of_make_lint():
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = {hook["entry"].removeprefix(".venv/bin/") for hook in repository["hooks"]}
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert entries == {line.strip().removeprefix("$(BIN)/").removesuffix(" .").replace(" --check", "") for line in lint[1].splitlines()}
