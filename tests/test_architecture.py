"""The house keeps its shape: who owns which names, who may import whom, and which versions are exact."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

import schemas
import scoring
import streams

ROOT = Path(__file__).resolve().parents[1]
OURS = ("schemas", "scoring", "streams")
EXACT = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", OURS)
def test_nobody_else_provides_our_top_level_packages(name: str) -> None:
    providers = set(importlib.metadata.packages_distributions().get(name, ["leadstream"]))
    assert providers == {"leadstream"}, f"{name} comes from {sorted(providers)}: an import may find another's code"


@pytest.mark.parametrize("package", [schemas, scoring, streams])
def test_our_packages_are_those_of_this_tree(package: Any) -> None:
    assert Path(package.__file__).resolve() == ROOT / package.__name__ / "__init__.py"
    assert (ROOT / package.__name__ / "py.typed").exists()


def test_ops_is_data_and_not_a_package() -> None:
    assert list((ROOT / "ops").rglob("*.py")) == []


def test_every_folder_of_tests_is_a_package() -> None:
    bare = {path.parent for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").exists()}
    assert bare == set(), f"without __init__.py `import scoring` may come to mean tests/scoring: {bare}"


@pytest.mark.parametrize(("name", "version"), EXACT.items())
def test_libraries_whose_private_names_we_use_are_pinned_exactly(name: str, version: str) -> None:
    assert f"{name}=={version}" in project()["project"]["dependencies"]
    assert importlib.metadata.version(name) == version
    for lock in ("base.lock", "dev.lock"):
        assert f"\n{name}=={version} " in (ROOT / "requirements" / lock).read_text()


def test_lock_files_hold_every_dependency_with_hashes_and_no_place_to_get_it() -> None:
    base, build, dev = locked("base.lock"), locked("build.lock"), locked("dev.lock")
    assert base.items() <= dev.items(), "dev.lock must hold base.lock; make lock writes both"
    assert build.items() <= dev.items(), "dev.lock must hold build.lock; make lock writes both"
    wanted = {canonical(line) for line in project()["project"]["dependencies"]}
    assert wanted <= base.keys() & build.keys()
    for lock in ("base.lock", "build.lock", "dev.lock"):
        text = (ROOT / "requirements" / lock).read_text()
        assert "://" not in text
        assert "--index-url" not in text
        assert "--find-links" not in text


def test_the_environment_is_the_locked_one() -> None:
    differing = {
        name: (importlib.metadata.version(name), version)
        for name, version in locked("dev.lock").items()
        if importlib.metadata.version(name) != version
    }
    assert differing == {}


def test_layers_and_purity_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_engine_uses_nothing_else_of_streams() -> None:
    graph = grimp.build_graph("streams", cache_dir=None)
    engine = {"streams.engine", *graph.find_descendants("streams.engine")}
    outside = {
        (module, imported)
        for module in engine
        for imported in graph.find_modules_directly_imported_by(module)
        if imported not in engine
    }
    assert outside == set()


def test_the_repository_holds_no_large_file() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    large = [str(path.relative_to(ROOT)) for path in paths if path.is_file() and path.stat().st_size > 512 * 1024]
    assert large == [], "data and jars are fetched or made, not kept"


def locked(name: str) -> dict[str, str]:
    """Distribution to version, as a lock file has them; a line without a hash is an error."""
    text = (ROOT / "requirements" / name).read_text()
    entries = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)(.*)$", text, flags=re.MULTILINE)
    assert entries
    assert all(rest.strip() == "\\" for _, _, rest in entries), "an entry without hashes"
    return {canonical(found): version for found, version, _ in entries}


def canonical(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match.group()).lower()
