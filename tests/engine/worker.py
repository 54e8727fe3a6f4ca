"""One worker with a toy stage: `python -m tests.engine.worker counter|mover CONFIG` (a JSON object)."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import threading
from typing import Any

from streams.engine import EngineError, NullObserver
from streams.engine.app import run_carry, run_table
from streams.engine.config import CrashPoint, EngineConfig
from tests.engine.toy import Counter, Mover


class Loud(NullObserver):
    """Says on standard output when the worker becomes ready or unready."""

    def health(self, ready: bool, why: str) -> None:
        print("READY" if ready else "UNREADY", why, flush=True)


def signalling(number: signal.Signals, point: str, within: int) -> Any:
    """Sends the process a signal when it passes the point, one of the first `within` times."""
    passed = 0
    at = random.randint(1, within)

    def crash_point(name: CrashPoint) -> None:
        nonlocal passed
        if name == point:
            passed += 1
            if passed == at:
                os.kill(os.getpid(), number)

    return crash_point


def end_with_parent() -> None:
    """Ends when the test that started this process is gone."""
    sys.stdin.read()
    os._exit(1)


def main(stage: str, settings: dict[str, Any]) -> int:
    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "INFO"),
        stream=sys.stderr,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    threading.Thread(target=end_with_parent, daemon=True).start()
    prefix = settings.pop("prefix")
    for name, number in (("crash", signal.SIGKILL), ("freeze", signal.SIGSTOP)):
        if name in settings:
            settings["crash_point"] = signalling(number, *settings.pop(name))
    step_rows, prepare_s = settings.pop("step_rows", 40), settings.pop("prepare_s", 0.0)
    config = EngineConfig(app_id=f"{prefix}-{stage}", **settings)
    try:
        if stage == "counter":
            run_table(Counter(prefix, step_rows, prepare_s), config, Loud())
        else:
            run_carry(Mover(prefix, config.partitions), config, Loud())
    except EngineError as error:
        logging.getLogger("worker").critical("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
