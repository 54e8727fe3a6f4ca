"""One real Apache Kafka broker in a process of its own.

Nothing here knows pytest, so benchmarks and scripts use the same class:

    with KafkaBroker() as kafka:
        producer = Producer({"bootstrap.servers": kafka.bootstrap})
        ...
        kafka.kill()      # SIGKILL, as when the machine dies
        kafka.start()     # the same ports, the same data

A broker is one KRaft node (controller and broker in one) on free loopback ports with its data in a temporary folder; a
second one may join it. It touches its own process and its own folder, and nothing else.
"""

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.jars import kafka_jars, need
from tests.kafka.keystore import Keystore
from tests.kafka.properties import Ports, server_properties

__all__ = ["FAST_START", "STEADY", "KafkaBroker", "KafkaBrokerError"]

FAST_START = ("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xms256m", "-Xmx1g")
"""JVM options for tests: half the time to start, less CPU beside the tests, a slower broker in the long run."""

STEADY = ("-Xms1g", "-Xmx1g")
"""JVM options for benchmarks: the JVM may take its time to become fast."""

_LOG_CONFIG = Path(__file__).resolve().parent / "log4j2.properties"


class KafkaBrokerError(Exception):
    """The broker did not start, or was asked for something that its state does not allow."""


class KafkaBroker:
    """A broker that can be started, stopped, killed and started again with the same address and data.

    Args:
        jvm: Options of the Java machine: `FAST_START` for tests, `STEADY` for benchmarks.
        settings: Broker settings over the built-in ones, as `server.properties` has them.
        ready_within: Seconds that a start may take.
        detours: Ports of proxies on this machine: for each one there is a listener that sends its clients there. Who
            comes by one broker's first detour is sent to the others by their first ones.
        keystore: Key and certificate of a second listener, SASL_SSL with SCRAM-SHA-512; then ACLs hold there, and who
            comes by the first may do everything.
        folder: Where data, settings and log are kept. By default a new temporary folder, removed by `close()`;
            a folder given here is left where it is.
        joins: The broker whose controller this one obeys; it is running. By default one of its own.

    Attributes:
        node: Its number in its cluster.
        cluster: The cluster's id.
    """

    def __init__(
        self,
        *,
        jvm: tuple[str, ...] = FAST_START,
        settings: Mapping[str, str] | None = None,
        ready_within: float = 60.0,
        detours: Sequence[int] = (),
        keystore: Keystore | None = None,
        folder: Path | None = None,
        joins: Self | None = None,
    ) -> None:
        self._jvm = jvm
        self._extra = dict(settings or {})
        self._ready_within = ready_within
        self._behind = tuple(detours)
        self._keystore = keystore
        self._given_folder = folder
        self._folder: Path | None = None
        self._ports: Ports | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._joins = joins
        self.node: int = 1 if joins is None else joins.node + 1
        self.cluster: str = _new_id() if joins is None else joins.cluster

    @property
    def bootstrap(self) -> str:
        """The address for clients, `127.0.0.1:PORT`; the same before and after a restart.

        Raises:
            KafkaBrokerError: The broker was never started.
        """
        return f"127.0.0.1:{self._places.client}"

    @property
    def quorum(self) -> str:
        """The controller that it obeys, `NODE@127.0.0.1:PORT`; known after the first start."""
        if self._joins is not None:
            return self._joins.quorum
        return f"{self.node}@127.0.0.1:{self._places.controller}"

    @property
    def secure_bootstrap(self) -> str:
        """The address of the listener with log-in and TLS; known after the first start."""
        return f"127.0.0.1:{self._places.secure}"

    def detour(self, port: int) -> int:
        """Where the proxy at this port leads to; known after the first start."""
        return self._places.detours[port]

    @property
    def _places(self) -> Ports:
        if self._ports is None:
            message = "The broker has no address before its first start()."
            raise KafkaBrokerError(message)
        return self._ports

    @property
    def folder(self) -> Path:
        """The broker's own folder: `data/`, `server.properties`, `broker.log`.

        Raises:
            KafkaBrokerError: The broker was never started, or is closed.
        """
        if self._folder is None:
            message = "The broker has no folder before its first start() and after close()."
            raise KafkaBrokerError(message)
        return self._folder

    @property
    def log_path(self) -> Path:
        """What the broker said, over all its starts."""
        return self.folder / "broker.log"

    @property
    def pid(self) -> int | None:
        """The broker's process id, None while it is down."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.pid is not None

    def start(self) -> Self:
        """Start, and return when the broker answers a metadata request.

        The first start takes free ports and formats the storage; later ones use both again. Starting a running broker
        does nothing.

        Raises:
            KafkaBrokerError: It did not come up; the message has the end of its log.
            KafkaSetupError: Java, Maven or Kafka's jars are missing.
        """
        if self.running:
            return self
        first = self._ports is None
        for attempt in range(3):
            if first:
                self._prepare()
            try:
                self._launch()
            except KafkaBrokerError as error:
                # Between our look and the broker's bind, another process may take a port.
                if not first or attempt == 2 or "Address already in use" not in str(error):
                    raise
                continue
            return self
        raise AssertionError

    def stop(self, *, within: float = 30.0) -> None:
        """SIGTERM: a controlled shutdown; SIGKILL after `within` seconds. Does nothing while the broker is down."""
        if self._process is None:
            return
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(within)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._process = None

    def kill(self) -> None:
        """SIGKILL: the broker dies at once, with whatever the system had not written yet still in its cache."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self) -> Self:
        """`stop()` and `start()`: the same ports, the same data."""
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers, until `thaw()`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: go on after `freeze()`."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the broker and remove its folder, if it is a temporary one. May be called twice."""
        if self.running:
            # A frozen process takes no SIGTERM.
            self.thaw()
            self.stop(within=10.0)
        self._process = None
        self._remove_folder()

    def tail(self, lines: int = 40) -> str:
        """The last lines of the broker's log."""
        if self._folder is None or not self.log_path.exists():
            return "(no log)"
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        """Start."""
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and clean up."""
        self.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or not self.running:
            message = f"The broker is down: it cannot take {number.name}."
            raise KafkaBrokerError(message)
        self._process.send_signal(number)

    def _prepare(self) -> None:
        self._remove_folder()
        if self._given_folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="leadstream-kafka-"))
        else:
            self._given_folder.mkdir(parents=True, exist_ok=True)
            self._folder = self._given_folder
        client, controller, secure, *others = _free_ports(3 + len(self._behind))
        self._ports = ports = Ports(client, controller, secure, dict(zip(self._behind, others, strict=True)))
        data, properties = self._folder / "data", self._folder / "server.properties"
        properties.write_text(
            server_properties(self.node, self.quorum, ports, data, self._keystore, self._extra), encoding="utf-8"
        )
        # Joined by "=": an id may begin with a dash.
        command = self._java("kafka.tools.StorageTool", "format", "--ignore-formatted", f"--cluster-id={self.cluster}")
        command.append(f"--config={properties}")
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            self._ports = None
            message = f"Kafka's storage could not be formatted (exit {done.returncode}):\n{done.stdout}{done.stderr}"
            raise KafkaBrokerError(message)

    def _java(self, *arguments: str) -> list[str]:
        classes = f"{kafka_jars()}/*"
        log_config = f"-Dlog4j2.configurationFile={_LOG_CONFIG}"
        return [need("java", "default-jre-headless"), *self._jvm, log_config, "-cp", classes, *arguments]

    def _launch(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self.folder / "server.properties")),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                # Ctrl-C in a terminal is for the tests; they stop the broker in their own order.
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
        deadline = time.monotonic() + self._ready_within
        while not self._answers():
            if not self.running:
                code = self._process.wait()
                self._process = None
                message = f"The broker ended with exit {code} while starting. Its log ends:\n{self.tail()}"
                raise KafkaBrokerError(message)
            if time.monotonic() > deadline:
                self.kill()
                message = f"The broker was not ready within {self._ready_within:.0f} s. Its log ends:\n{self.tail()}"
                raise KafkaBrokerError(message)
            time.sleep(0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(self._address(), timeout=0.2):
            admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            with contextlib.suppress(KafkaException):
                return self.node in admin.list_topics(timeout=2.0).brokers
        return False

    def _address(self) -> tuple[str, int]:
        host, port = self.bootstrap.split(":")
        return host, int(port)

    def _remove_folder(self) -> None:
        if self._folder is not None and self._given_folder is None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None


def _new_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        plugs = [stack.enter_context(socket.socket()) for _ in range(count)]
        for plug in plugs:
            plug.bind(("127.0.0.1", 0))
        return [int(plug.getsockname()[1]) for plug in plugs]
