"""The faults by name: what is done to the workers, and which tests do it and say what must hold."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FAULTS", "Fault"]


class Fault(NamedTuple):
    """What is done, and where; the tests are files or node ids of pytest."""

    what: str
    tests: tuple[str, ...]


_KILLS, _MEMBERS = "tests/faults/test_kills.py", "tests/faults/test_members.py"
_GROUP, _ROUTE = "tests/engine/test_group.py", "tests/streams/test_route_on_kafka.py"
_STAGES, _STATE, _VIEW = (
    "tests/streams/test_stages_on_kafka.py",
    "tests/faults/test_state.py",
    "tests/view/test_worker.py",
)

FAULTS: dict[str, Fault] = {
    "kill": Fault(
        "ingest and score killed at any moment and at every await of a step", (_KILLS, "tests/engine/test_exact.py")
    ),
    "people": Fault("score killed between link, merge and checkpoint", ("tests/faults/test_people.py",)),
    "route": Fault("route killed at any moment and at every await of a step", ("tests/faults/test_route_kills.py",)),
    "view": Fault(
        "view killed, and a second one that takes over",
        (
            f"{_VIEW}::test_a_killed_view_goes_on_where_redis_stands",
            f"{_VIEW}::test_a_second_worker_takes_over_when_the_first_is_gone",
        ),
    ),
    "stop": Fault(
        "SIGTERM, rolling restarts",
        (f"{_MEMBERS}::test_graceful_stops_double_nothing", f"{_GROUP}::test_a_graceful_stop_repeats_nothing"),
    ),
    "broker": Fault(
        "the broker killed, frozen, restarted, away",
        (
            f"{_MEMBERS}::test_a_broker_that_dies_or_sleeps_and_comes_back_costs_nothing",
            "tests/engine/test_broker_away.py",
        ),
    ),
    "failover": Fault("one of three brokers after the other killed and restarted", ("tests/faults/test_failover.py",)),
    "members": Fault(
        "workers join and leave, with kills",
        (
            f"{_MEMBERS}::test_workers_join_and_leave_and_some_are_killed",
            f"{_GROUP}::test_workers_join_and_leave",
            f"{_GROUP}::test_a_surplus_worker_stands_by_and_says_so",
        ),
    ),
    "zombie": Fault(
        "stopped beyond the session, and continued",
        (
            f"{_MEMBERS}::test_workers_that_slept_beyond_their_session_write_nothing_more",
            f"{_GROUP}::test_a_zombie_in_the_midst_of_a_step_is_refused_by_the_broker",
            f"{_GROUP}::test_a_zombie_that_slept_while_it_recovered_misses_no_rows",
            f"{_GROUP}::test_an_idle_zombie_gives_up_what_it_had",
        ),
    ),
    "fence": Fault("writers opened anew; one that was taken over unnoticed", ("tests/engine/test_reopening.py",)),
    "clock": Fault(
        "hosts' clocks ten minutes, two hours and three days off, both ways",
        (
            "tests/faults/test_clocks.py",
            f"{_ROUTE}::test_a_host_whose_clock_jumps_makes_no_false_breach_and_holds_none_back",
        ),
    ),
    "network": Fault(
        "the broker cut off, half open, far away; out of reach again and again", ("tests/faults/test_network.py",)
    ),
    "far": Fault(
        "one raw partition slower than the others: far away, its replica frozen, its leader given up unnoticed",
        ("tests/faults/test_slow_partition.py",),
    ),
    "due": Fault("score and route killed around the moment at which an answer is due", ("tests/faults/test_due.py",)),
    "disturbed": Fault("events twice, late, with other times", ("tests/faults/test_disturbed.py",)),
    "giant": Fault("one lead with very many events among others", ("tests/faults/test_giant_lead.py",)),
    "poison": Fault(
        "records that cannot be used, the breaker, and the way back",
        (
            "tests/faults/test_dead_letters.py",
            f"{_STATE}::test_poison_is_told_apart_and_the_rest_flows",
            f"{_STAGES}::test_the_breaker_pauses_a_topic_until_it_is_released",
        ),
    ),
    "redis": Fault("Redis killed, flushed, full, frozen, slow", (_VIEW,)),
    "state": Fault(
        "changelog or log damaged, lost, newer, compacted, made anew",
        (
            "tests/engine/test_refusals.py",
            f"{_STATE}::test_recovery_from_what_compaction_left",
            f"{_STAGES}::test_what_cannot_be_read_is_named_and_never_skipped",
        ),
    ),
    "offline": Fault(
        "away for days, and what came due meanwhile",
        (
            "tests/faults/test_backlog.py",
            f"{_KILLS}::test_a_timer_that_came_due_while_nobody_was_there_fires_once_at_its_own_moment",
            f"{_ROUTE}::test_route_that_was_away_for_days_of_log_time_tells_what_it_would_have_told",
            f"{_ROUTE}::test_a_dead_score_worker_stops_the_clocks_and_no_breach_is_false",
        ),
    ),
    "replay": Fault("the log read anew by a new group", ("tests/faults/test_replay.py",)),
    "versions": Fault(
        "a model under load with kills; policies published at once",
        (
            f"{_STAGES}::test_time_models_and_restarts",
            f"{_ROUTE}::test_of_policies_that_are_published_at_once_the_first_of_the_log_holds",
        ),
    ),
    "alerts": Fault("the alert consumer and the workers before it killed", ("tests/examples/test_alert_consumer.py",)),
    "disk": Fault("the broker's disk full", ("tests/faults/test_disk_full.py",)),
    "mix": Fault("all of it at random (MINUTES=60)", ("tests/faults/test_mix.py",)),
    "simulation": Fault("all of the engine's faults, simulated", ("tests/simulation",)),
}
