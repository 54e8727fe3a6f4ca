"""A process of its own reads large files: the rows are the same, and no end of either leaves the other behind."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.log import EventRow, Link
from streams import line_rows
from streams.errors import InputError
from streams.line_rows import Block, read_rows, reading
from tests.schemas.samples import KEY, event

LOG_LINE = (
    b'{"partition": 3, "offset": 17, "index": 0, "safe": "2026-03-02T10:15:00.000Z", "type": "alarm", '
    b'"received_at": "2026-03-02T10:15:00.000Z"}'
)


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_rows, "_LARGE_BYTES", 0)
    monkeypatch.setattr(line_rows, "_cores", lambda: 2)


def lines_of(count: int) -> bytes:
    """Events with two names each, and now and then a line that cannot be used, or a row of a log."""
    lines = []
    for number in range(count):
        lead = {"email": f"{number % 97}@example.com", "anonymous_id": f"visitor {number % 389}"}
        lines.append(json.dumps(event(event_id=str(number), lead=lead)).encode())
        if not number % 100:
            lines += [b'{"kind": "page_view"}', LOG_LINE]
    return b"\n".join(lines) + b"\n"


@pytest.mark.usefixtures("beside")
def test_what_it_sends_is_what_one_process_would_read(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.jsonl", tmp_path / "packed.jsonl.gz"
    plain.write_bytes(lines_of(10_000))
    packed.write_bytes(gzip.compress(lines_of(500)))
    sources = (str(plain), str(packed))
    expected = list(read_rows(sources, KEY))
    with reading(sources, KEY) as blocks:
        found = list(blocks)
    assert found == expected
    assert len(expected) > 2, "more than one block of a file"
    rows = [row for block in expected for row in block.rows]
    assert sum(isinstance(row, EventRow) for row in rows) == 10_500
    assert any(isinstance(row, Link) for row in rows)
    places = [place for block in expected for place in block.places if place is not None]
    assert len(places) == 105
    assert sum(len(block.refused) for block in expected) == 105
    assert expected[-1].moved == plain.stat().st_size + packed.stat().st_size
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("beside")
def test_a_file_that_is_damaged_further_on_is_read_until_there(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(gzip.compress(lines_of(20_000))[:-5000])

    def read(found: list[Block], *, beside: bool) -> str:
        with reading((str(damaged),), KEY) as blocks, pytest.raises(InputError) as told:
            found += blocks if beside else read_rows((str(damaged),), KEY)
        return str(told.value)

    one, two = list[Block](), list[Block]()
    assert read(two, beside=True) == read(one, beside=False)
    assert two == one != []


@pytest.mark.usefixtures("beside")
def test_a_reading_process_that_is_killed_is_no_end_of_the_file(tmp_path: Path) -> None:
    never = tmp_path / "never"
    os.mkfifo(never)
    with reading((str(never),), KEY) as blocks:
        (reader,) = multiprocessing.active_children()
        reader.kill()
        with pytest.raises(InputError, match=r"exit code -9.*memory"):
            next(blocks)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("beside")
def test_nor_is_one_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(sources: tuple[str, ...], id_key: bytes) -> Iterator[Block]:
        yield next(read_rows(sources, id_key))
        raise MemoryError

    monkeypatch.setattr(line_rows, "read_rows", fails)
    some = tmp_path / "some.jsonl"
    some.write_bytes(lines_of(10))
    with reading((str(some),), KEY) as blocks, pytest.raises(InputError, match=r"exit code 1\b"):
        list(blocks)


@pytest.mark.usefixtures("beside")
def test_nobody_goes_on_reading_for_a_fold_that_has_ended(tmp_path: Path) -> None:
    large = tmp_path / "large.jsonl"
    large.write_bytes(lines_of(40_000))
    with reading((str(large),), KEY) as blocks:
        assert next(blocks).rows
        assert len(multiprocessing.active_children()) == 1
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(("cores", "large_bytes"), [(1, 0), (2, 8 << 20)])
def test_one_core_and_small_files_are_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, large_bytes: int
) -> None:
    monkeypatch.setattr(line_rows, "_cores", lambda: cores)
    monkeypatch.setattr(line_rows, "_LARGE_BYTES", large_bytes)
    path = tmp_path / "some.jsonl"
    path.write_bytes(lines_of(10))
    with reading((str(path),), KEY) as blocks:
        assert sum(len(block.rows) for block in blocks) >= 10
        assert multiprocessing.active_children() == []
