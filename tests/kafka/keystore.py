"""A key and its certificate for a broker on loopback, made by Java's keytool: for tests, good for a day."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.kafka.jars import need

__all__ = ["Keystore", "new_keystore"]


class Keystore(NamedTuple):
    """A PKCS12 file with key and certificate, its password, and the certificate alone (PEM), for clients."""

    path: Path
    password: str
    certificate: Path


def new_keystore(folder: Path) -> Keystore:
    """A new one, signed by itself.

    Raises:
        KafkaSetupError: There is no Java.
    """
    keytool = need("keytool", "default-jre-headless")
    store = Keystore(folder / "broker.p12", secrets.token_urlsafe(18), folder / "broker.pem")
    common = ["-keystore", str(store.path), "-storetype", "PKCS12", "-storepass", store.password, "-alias", "broker"]
    name = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-validity", "1"]
    _run([keytool, "-genkeypair", *common, *name, "-keyalg", "EC", "-groupname", "secp256r1"])
    _run([keytool, "-exportcert", "-rfc", *common, "-file", str(store.certificate)])
    return store


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
