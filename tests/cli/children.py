"""A process for the supervisor's tests: says what it is told, and ends as it is told.

    python children.py LEDGER BEHAVIOUR…

Each start takes the next behaviour (the last one stays): `exit:CODE`, `kill`, `stay` (ends 0 on SIGTERM), `deaf`
(does not hear SIGTERM). LEDGER counts the starts, one process id a line.
"""

import os
import signal
import sys
import time
from pathlib import Path


def main(ledger: Path, behaviours: list[str]) -> int:
    with ledger.open("a") as file:
        file.write(f"{os.getpid()}\n")
    start = len(ledger.read_text().splitlines())
    behaviour = behaviours[min(start, len(behaviours)) - 1]
    if behaviour == "stay":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if behaviour == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout.write(f"life {start}: {behaviour}\n")
    sys.stdout.flush()
    if behaviour == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour.startswith("exit:"):
        sys.stderr.write("the last line has no end")
        return int(behaviour.removeprefix("exit:"))
    while True:
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
