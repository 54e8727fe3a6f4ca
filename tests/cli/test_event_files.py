"""Reading lines: ends of lines, compression, lines without end."""

import gzip
import io
from pathlib import Path

import pytest

from schemas.limits import MAX_LINE_BYTES
from streams.errors import InputError
from streams.event_files import read_blocks


def lines_of(content: bytes, folder: Path) -> list[bytes]:
    file = folder / "events.jsonl"
    file.write_bytes(content)
    return [line for block in read_blocks(str(file)) for line in block]


def test_lines_come_without_their_ends(tmp_path: Path) -> None:
    assert lines_of(b"a\n\nb\r\nc", tmp_path) == [b"a", b"", b"b\r", b"c"]
    assert lines_of(b"", tmp_path) == []
    assert lines_of(b"a\n", tmp_path) == [b"a"]


def test_compressed_files_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    assert lines_of(gzip.compress(b"a\nb\n"), tmp_path) == [b"a", b"b"]


def test_lines_over_block_ends_are_whole(tmp_path: Path) -> None:
    lines = [b"%07d" % number * (number % 50) for number in range(20_000)]

    assert lines_of(b"\n".join(lines), tmp_path) == lines


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    content = b"x" * (5 << 20) + b"\nnext\n" + b"y" * (MAX_LINE_BYTES + 5)

    lines = lines_of(content, tmp_path)

    assert [(line[:1], len(line)) for line in lines] == [
        (b"x", MAX_LINE_BYTES + 1),
        (b"n", 4),
        (b"y", MAX_LINE_BYTES + 1),
    ]


def test_a_damaged_gzip_file_is_told_with_the_line(tmp_path: Path) -> None:
    packed = gzip.compress(b"line\n" * 100_000)

    with pytest.raises(InputError, match=r"events\.jsonl:\d+: the gzip file is damaged or cut off here"):
        lines_of(packed[: len(packed) // 2], tmp_path)


def test_standard_input_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\nb")))

    assert [line for block in read_blocks("-") for line in block] == [b"a", b"b"]
