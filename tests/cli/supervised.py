"""Runs a supervisor with short pauses over children of `children.py`: `python supervised.py FOLDER NAME=A,B …`."""

import sys
from pathlib import Path

from streams.supervisor import Backoff, Child, Supervisor

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    children = []
    for argument in sys.argv[2:]:
        name, _, behaviours = argument.partition("=")
        program = str(Path(__file__).with_name("children.py"))
        children.append(Child(name, (sys.executable, program, str(folder / name), *behaviours.split(","))))

    def say(name: str, line: str) -> None:
        sys.stdout.write(f"{name} | {line}\n")
        sys.stdout.flush()

    sys.exit(Supervisor(children, say, Backoff(first_s=0.05, longest_s=0.2), grace_s=1.0).run())
