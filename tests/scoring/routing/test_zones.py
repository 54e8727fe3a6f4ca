"""Zones come from the pinned package tzdata alone, whatever the machine has."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from schemas.times import iso, parse_iso
from scoring.routing.zones import LAST_YEAR, day_begins, known_zones, offsets

ROOT = Path(__file__).resolve().parents[3]
ASK = "from scoring.routing.zones import offsets; print(offsets('Europe/Berlin', 2026))"


def asked(tz_path: str) -> str:
    environment = os.environ | {"PYTHONTZPATH": tz_path, "TZ": "Asia/Kolkata"}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_zones_of_the_system_are_never_looked_at(tmp_path: Path) -> None:
    (tmp_path / "Europe").mkdir()
    with resources.as_file(resources.files("tzdata.zoneinfo").joinpath("UTC")) as utc:
        shutil.copy(utc, tmp_path / "Europe" / "Berlin")

    assert asked("") == asked(str(tmp_path)) == str(offsets("Europe/Berlin", 2026))


def test_nothing_asks_for_a_zone_by_its_name() -> None:
    """`ZoneInfo(name)` looks at the system first."""
    sources = [path for package in ("schemas", "scoring", "streams") for path in (ROOT / package).rglob("*.py")]
    asking = [str(path) for path in sources if re.search(r"ZoneInfo\(|\.no_cache\(|pytz|dateutil", path.read_text())]

    assert asking == []


def test_the_package_is_pinned() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (exact,) = (line for line in wanted if line.startswith("tzdata"))

    for lock in ("base.lock", "dev.lock"):
        assert f"\n{exact} " in (ROOT / "requirements" / lock).read_text()


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00:00.000Z"),  # midnight does not exist
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00.000Z"),  # 24:00 becomes 23:00 of the day before
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z"),  # 01:00 becomes 00:00: midnight comes twice
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z"),  # the 30th was left out
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"),
        ("Asia/Kolkata", "2026-06-17", "2026-06-16T18:30:00.000Z"),
    ],
)
def test_a_day_begins_at_its_first_existing_moment(zone: str, day: str, begins: str) -> None:
    number = parse_iso(f"{day}T00:00:00Z") // 86_400_000

    assert iso(day_begins(zone, number)) == begins


def test_every_zone_can_be_read_and_covers_its_years() -> None:
    for zone in known_zones():
        for year in (1970, 2026, LAST_YEAR):
            stretches = offsets(zone, year)
            assert [begin for begin, _, _ in stretches[1:]] == [end for _, end, _ in stretches[:-1]]
            assert all(abs(offset) < 16 * 3_600_000 for _, _, offset in stretches)
