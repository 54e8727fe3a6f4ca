import pytest

from streams.breaker import Breaker, Pause, breaker_key, encode_pause
from streams.engine.errors import StateRefused
from streams.engine.stage import TopicPartition
from streams.progress import ProgressBoard

A0, A1, B0 = TopicPartition("a-b", 0), TopicPartition("a-b", 1), TopicPartition("b", 0)


def _told(board: ProgressBoard, place: str, carried_ms: int, newest_ms: int) -> None:
    board.take(f"progress/{place}".encode(), f'{{"carried_ms":{carried_ms},"newest_ms":{newest_ms}}}'.encode())


def test_progress_never_goes_back_and_the_least_counts() -> None:
    board = ProgressBoard()
    _told(board, "a-b/0", 50, 60)
    _told(board, "a-b/0", 40, 70)
    _told(board, "b/0", 45, 10)
    assert board.carried_ms == {A0: 50, B0: 45}
    assert board.newest_ms == 70
    assert board.least_of([A0, B0]) == 45
    assert board.least_of([A0, A1]) == 0, "of whom nothing is known may have everything before it"
    assert board.least_of([]) is None


def test_a_paused_topic_is_left_out_until_it_is_released() -> None:
    board = ProgressBoard()
    _told(board, "b/0", 45, 10)
    pause = Pause("a-b", 501, 1000, "bad_json")
    board.take(breaker_key("a-b"), encode_pause(pause))
    assert board.pauses == {"a-b": pause}
    assert board.least_of([A0, B0]) == 45
    board.take(breaker_key("a-b"), None)
    assert board.least_of([A0, B0]) == 0


@pytest.mark.parametrize("key", [b"progress/a/0", b"progress/a", b"breaker/a"])
def test_what_cannot_be_read_is_refused(key: bytes) -> None:
    with pytest.raises(StateRefused, match="newer"):
        ProgressBoard().take(key, b"[]")


def test_other_keys_are_nobodys() -> None:
    board = ProgressBoard()
    board.take(None, b"x")
    board.take(b"other", b"x")
    assert not board.carried_ms


def test_more_than_the_share_of_the_last_records_trips_the_breaker() -> None:
    breaker = Breaker(window=10, share=0.5)
    for _ in range(5):
        assert breaker.dead("a", "bad_json") is None
    breaker.good("a", 5)
    assert breaker.dead("a", "bad_json") is None, "the first of them is out of the window"
    breaker.good("b", 100)
    for _ in range(4):
        assert breaker.dead("b", "bad_json") is None
    assert breaker.dead("b", "empty_body") is None
    assert breaker.dead("b", "empty_body") == Pause("b", 6, 10, "empty_body")
    breaker.forget("b")
    assert breaker.dead("b", "bad_json") is None
