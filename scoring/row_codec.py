"""A lead's row as bytes.

The bytes are a codec byte, the next moment at which time may change something (8 bytes, so that deadlines are found
without reading the rest), and a msgpack array: the lead's time, tier, since when, seq, evidence, matches, profile, and
who it is, where more than one name is known. Evidence is the bytes of its vector, the lowest byte of a number first.
Signals and matches stand under the digests of their definitions; only what is present is written, nothing that can be
worked out again.

Older codecs are still read. In both evidence is a flat list: digest of a signal, times, keys; and so on, where a signal
that keeps one occurrence has time and key themselves for the lists. Codec 1 has no names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from librt.strings import BytesWriter, read_i64_be, write_i64_be
from librt.vecs import append, vec
from mypy_extensions import i64

from schemas.times import iso
from scoring.compiled import CompiledModel
from scoring.evidence import MAX_KEEP, Occurrence, flat, occurrences_at, packed, signals_in, unpacked
from scoring.identity import Identity
from scoring.known import NO_MATCH, ProfileValue
from scoring.points import NEVER
from scoring.row import Row

__all__ = ["ROW_CODEC", "RowCodecError", "decode_row", "encode_row", "evidence_of", "kept_due", "row_members"]

ROW_CODEC: Final = 3
"""Version of a row's bytes; a reader refuses what it does not know."""

_WITH_LISTS: Final = 2
_WITHOUT_IDENTITY: Final = 1
_READ: Final = (ROW_CODEC, _WITH_LISTS, _WITHOUT_IDENTITY)

_HEAD_BYTES: Final = 9
"""The codec byte, and the next moment."""


class RowCodecError(ValueError):
    """Bytes that are no row, or of a newer version than this program knows."""


_Whole = Annotated[int, msgspec.Meta(ge=-NEVER, le=NEVER)]
_Lists = list[int | list[int]]
_Body = tuple[_Whole, str, _Whole | None, _Whole, bytes, list[int], dict[str, ProfileValue], Identity | None]
_BodyWithLists = tuple[_Whole, str, _Whole | None, _Whole, _Lists, list[int], dict[str, ProfileValue], Identity | None]
_BodyWithoutIdentity = tuple[_Whole, str, _Whole | None, _Whole, _Lists, list[int], dict[str, ProfileValue]]
_Members: TypeAlias = "tuple[int, str, int | None, int, vec[i64], list[int], dict[str, ProfileValue], Identity | None]"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Body).decode
_decode_with_lists = msgspec.msgpack.Decoder(_BodyWithLists).decode
_decode_without_identity = msgspec.msgpack.Decoder(_BodyWithoutIdentity).decode


def encode_row(model: CompiledModel, row: Row) -> bytes:
    """The bytes of a row."""
    matches: list[int] = []
    for number, digest in model.match_digests:
        if (match := row.matches[number]) != NO_MATCH:
            matches += (digest, match)
    evidence = packed(row.evidence)
    body = _encode((row.at, row.tier_name, row.tier_since, row.seq, evidence, matches, row.profile, row.identity))
    writer = BytesWriter()
    writer.append(ROW_CODEC)
    write_i64_be(writer, row.kept_due)
    writer.write(body)
    return writer.getvalue()


def kept_due(value: bytes) -> int:
    """The next moment at which time may change something, without reading the rest.

    Raises:
        RowCodecError: No row, or of a newer version.
    """
    if len(value) < _HEAD_BYTES or value[0] not in _READ:
        found = f"codec byte {value[0]}" if value else "no bytes"
        raise RowCodecError(f"row has {found}, this program reads codec {ROW_CODEC}; upgrade it")
    return read_i64_be(value, 1)


def decode_row(model: CompiledModel, lead_id: str, value: bytes) -> Row:
    """A row of bytes, as far as the model knows its definitions. Points are not worked out yet.

    Raises:
        RowCodecError: No row, or of a newer version.
    """
    row = Row(model, lead_id)
    row.value = value
    row.due = row.kept_due = kept_due(value)
    at, tier, tier_since, seq, evidence, matches, profile, row.identity = _body(value)
    row.at, row.tier_name, row.tier_since, row.seq = at, tier, tier_since, seq
    row.tier = model.ladder.numbers.get(tier, model.ladder.last)
    _read_evidence(model, row, evidence)
    try:
        for place in range(0, len(matches), 2):
            for number in model.rules_by_digest.get(matches[place], ()):
                row.matches[number] = matches[place + 1]
    except (IndexError, ValueError, OverflowError) as error:
        raise RowCodecError(f"row of lead cannot be decoded: {error}") from error
    row.profile = {field: kept for field, kept in profile.items() if field in model.profile_feeds}
    return row


def evidence_of(value: bytes) -> tuple[list[list[Occurrence]], list[int]]:
    """The occurrences of each signal, and the matches, as the bytes of a row have them, whatever the model.

    Raises:
        RowCodecError: No row, or of a newer version.
    """
    kept_due(value)
    _, _, _, _, evidence, matches, _, _ = _body(value)
    return [occurrences_at(evidence, place) for _, place, _ in _signals_in(evidence)], matches


def _body(value: bytes) -> _Members:
    content = memoryview(value)[_HEAD_BYTES:]
    try:
        if value[0] == ROW_CODEC:
            at, tier, since, seq, written, matches, profile, identity = _decode(content)
            return at, tier, since, seq, unpacked(written), matches, profile, identity
        if value[0] == _WITH_LISTS:
            at, tier, since, seq, lists, matches, profile, identity = _decode_with_lists(content)
        else:
            at, tier, since, seq, lists, matches, profile = _decode_without_identity(content)
            identity = None
        return at, tier, since, seq, _of_lists(lists), matches, profile, identity
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise RowCodecError(f"row of lead cannot be decoded: {error}") from error


def _signals_in(evidence: vec[i64]) -> list[tuple[int, int, int]]:
    try:
        return signals_in(evidence)
    except ValueError as error:
        raise RowCodecError(f"row of lead cannot be decoded: {error}") from error


def _of_lists(lists: _Lists) -> vec[i64]:
    """Evidence of older codecs.

    Raises:
        ValueError: It is not as these write it.
    """
    signals: list[tuple[int, list[Occurrence]]] = []
    for digest, times, keys in zip(lists[::3], lists[1::3], lists[2::3], strict=True):
        if not isinstance(digest, int):
            raise ValueError("its evidence is not as a row has it")
        signals.append((digest, list(zip(_listed(times), _listed(keys), strict=True))))
    return flat(signals)


def _listed(one: int | list[int]) -> list[int]:
    return [one] if isinstance(one, int) else one


def row_members(value: bytes) -> dict[str, Any]:
    """A row in plain words, without its model: definitions stand under their digests, signals as evidence has them.

    Raises:
        RowCodecError: No row, or of a newer version.
    """
    due = kept_due(value)
    at, tier, tier_since, seq, evidence, matches, profile, identity = _body(value)
    occurrences = [
        {
            "signal": f"{digest & (1 << 64) - 1:016x}",
            "occurred_at": [iso(time) for time, _ in occurrences_at(evidence, place)],
        }
        for digest, place, _ in _signals_in(evidence)
    ]
    members: dict[str, Any] = {
        "at": iso(at),
        "tier": tier,
        "tier_since": None if tier_since is None else iso(tier_since),
        "seq": seq,
        "due": iso(due) if due < NEVER else None,
        "evidence": occurrences,
        "matches": {f"{matches[place]:016x}": iso(matches[place + 1]) for place in range(0, len(matches), 2)},
        "profile": profile,
    }
    if identity is not None:
        members["identity"] = {
            "names": identity.names,
            "owner": identity.owner or None,
            "since": iso(identity.hour_ms) if identity.owner else None,
            "owners_known": len(identity.owners),
            "merges_sent": identity.sent,
            "shared": identity.shared,
        }
    return members


def _read_evidence(model: CompiledModel, row: Row, evidence: vec[i64]) -> None:
    """Evidence of a row: as it was written where the model has just its signals, each once, and keeps as many."""
    signals = _signals_in(evidence)
    for digest, place, end in signals:
        numbers = model.signals_by_digest.get(digest)
        if numbers is None or len(numbers) > 1 or end - place > 2 * model.keep[numbers[0]]:
            _choose_evidence(model, row, evidence, signals)
            return
    row.evidence = evidence
    for digest, place, end in signals:
        number = model.signals_by_digest[digest][0]
        row.places[number], row.latest[number] = place, evidence[end - 2]


def _choose_evidence(
    model: CompiledModel, row: Row, evidence: vec[i64], signals: Sequence[tuple[int, int, int]]
) -> None:
    """What the model knows and keeps of evidence. Signals with the same definition stand one behind the other."""
    for digest, place, end in signals:
        numbers: Sequence[int] = model.signals_by_digest.get(digest, ())
        if len(numbers) > 1:
            numbers = [number for number in numbers if row.places[number] < 0]
            # A model may define the same signal more often than the one that wrote the row: then all of them know it.
            if end < len(evidence) and evidence[end] & ~(MAX_KEEP - 1) == digest:
                numbers = numbers[:1]
        for number in numbers:
            first = max(place, end - 2 * model.keep[number])
            row.places[number], row.latest[number] = len(row.evidence) + 1, evidence[end - 2]
            row.evidence = append(row.evidence, digest + (end - first) // 2 - 1)
            for at in range(first, end):
                row.evidence = append(row.evidence, evidence[at])
