"""The places beyond this machine that an experiment sends to: a file alone must not choose them.

The author of ``compute.address``, ``compute.storage`` or ``tracking.uri`` decides who is given data, models, and, as a
member of a Ray cluster, code to run. In a file they need trust; arguments and environment variables are the user's own.
An experiment remembers what was allowed, to be continued with it.
"""

from __future__ import annotations

import ipaddress
import logging
import re

from automl.config.schema import ExperimentConfig
from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import TrustError
from automl.redact import redact_text

__all__ = ["admit_addresses", "check_addresses", "check_recorded_addresses", "foreign_places", "note_addresses"]

log = logging.getLogger("automl")

_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)"
_CLUSTER = re.compile(rf"(?:ray://)?{_HOST}(?::[0-9]+)?/?")
_SERVER = re.compile(rf"https?://(?:[^@/?#\\\s]*@)?{_HOST}(?::[0-9]+)?(?:/[^?#\\\s]*)?(?:\?[^#\\\s]*)?")
"""Written so plainly that every client reads the same host in it."""
_BUCKET = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[^@/?#:\\\s]*(?::[^@/?#\\\s]*)?@)?(?P<place>[^@/?#:\\\s]+)(?:/[^?#:\\\s]*)?"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LOCAL_FILES = re.compile(r"(?:file|local)://(?:localhost)?/(?!/).*")
_LOCAL_STORES = re.compile(r"file:(?:(?!//)|//(?:localhost)?/(?!/))[^?]*|sqlite:///[^?]*")
_SHARE = re.compile(r"[/\\]{2}")
"""The beginning of a path to another machine's folder, on Windows."""
_SERVICES = ("databricks", "databricks-uc", "uc")
"""Names that MLflow takes for a service, without any scheme."""


def foreign_places(config: ExperimentConfig) -> dict[str, str]:
    """{key: host, or a stand-in for one} for what is not plainly on this machine. Passwords are left out."""
    tracking = None if config.tracking is None else config.tracking.uri
    judged = {
        "compute.address": (config.compute.address, _is_here),
        "compute.storage": (config.compute.storage, _is_folder),
        "tracking.uri": (tracking, _is_store),
    }
    return {key: _host(value) for key, (value, is_local) in judged.items() if value and not is_local(value)}


def check_addresses(config: ExperimentConfig, *, trust: bool) -> None:
    """Say which other hosts a file names, or refuse them.

    Raises:
        TrustError: there is one, and no trust; with the key.
    """
    for key, host in foreign_places(config).items():
        if not trust:
            raise _refusal(key, host)
        log.info("%s: this experiment uses %s, which its file names.", key, host)


def note_addresses(config: ExperimentConfig, directory: ExperimentDirectory) -> None:
    """Remember the hosts that this experiment may use: the user has named them, or trusts the file that does."""
    places = foreign_places(config)
    if places or directory.addresses.exists():
        write_json(directory.addresses, places)


def admit_addresses(config: ExperimentConfig, directory: ExperimentDirectory, *, trust: bool) -> None:
    """Remember the hosts that the record of an experiment to be continued names, or refuse those that are new.

    Raises:
        TrustError, DamagedFileError: as `check_recorded_addresses`, without trust.
    """
    if trust:
        check_addresses(config, trust=True)
        note_addresses(config, directory)
    else:
        check_recorded_addresses(config, directory)


def check_recorded_addresses(config: ExperimentConfig, directory: ExperimentDirectory) -> None:
    """Refuse hosts in an experiment's record that it was not allowed to use: the file has been edited.

    Raises:
        TrustError: there is one; with the file and the key.
        DamagedFileError: what was allowed cannot be read.
    """
    places = foreign_places(config)
    allowed = read_json(directory.addresses) if places and directory.addresses.exists() else {}
    for key, host in places.items():
        if allowed.get(key) != host:
            error = _refusal(key, host)
            raise TrustError(error.message, file=directory.config, key=key)


def _refusal(key: str, host: str) -> TrustError:
    return TrustError(
        f"names the host {host}, but a file alone must not choose where data and models go; if you trust it, pass "
        "--trust (in Python trust=True)",
        key=key,
    )


def _is_here(address: str) -> bool:
    """Tell whether a Ray cluster is this machine's."""
    found = _CLUSTER.fullmatch(address)
    return address in ("auto", "local") or (found is not None and _is_loopback(found["host"]))


def _is_folder(storage: str) -> bool:
    """Tell whether it is a path. fsspec chains filesystems by two colons."""
    if "://" in storage:
        return "::" not in storage and _LOCAL_FILES.fullmatch(storage) is not None
    return "::" not in storage and _SHARE.match(storage) is None


def _is_store(uri: str) -> bool:
    """Tell whether MLflow's store is a path, a database of sqlite, or a server of this machine."""
    if (found := _SERVER.fullmatch(uri)) is not None:
        return _is_loopback(found["host"])
    if _SCHEME.match(uri) is None:
        return uri.strip().lower() not in _SERVICES and _SHARE.match(uri) is None
    return _LOCAL_STORES.fullmatch(uri) is not None


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host(value: str) -> str:
    """Return what a person recognises the place by: host and port where clients agree on them, else all of it."""
    for pattern in (_SERVER, _CLUSTER):
        if (found := pattern.fullmatch(value)) is not None:
            port = re.match(r":[0-9]+", value[found.end("host") :])
            return found["host"] + (port[0] if port else "")
    found = _BUCKET.fullmatch(value)
    text = redact_text(value) if found is None else f"{found['scheme']}://{found['place']}"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
