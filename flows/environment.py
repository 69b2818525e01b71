"""Prefect's settings, as environment variables that hold from before it is imported, and in every run's process.

Customers' words stay on this machine: telemetry of Prefect and of the model hub is off. What is set already stays.
"""

import os
from pathlib import Path

from flows.links import BASE

EVERYWHERE = ("0.0.0.0", "::")
ALWAYS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DASK_LOGGING__DISTRIBUTED": "error",  # its own lines on workers that come and go; what fails is an error of ours
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",  # results are tables of customers' words; the store keeps them
}
COMMAND_LINE = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # a busy machine needs more than the default 20 s
}

WITH_WORKERS = {
    # In memory, a restart of the server would forget which run holds a slot, and the slot would be held for ever.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}


def serving(home: Path, host: str, port: int) -> dict[str, str]:
    """Return the settings of a server of our own, its runs included."""
    address = f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_UI_STATIC_DIRECTORY": str(home / "ui"),  # else inside the library, where a service may not write
        "PREFECT_UI_API_URL": "/api",  # else the browser asks port 4200, or the wrong end of a tunnel
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": address,  # by default any page a user has open may read the API
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_LEVEL": "INFO",
        BASE: f"{address}/reports",
    }


def set_defaults(*settings: dict[str, str]) -> None:
    """Set what is not set yet."""
    for values in settings:
        for name, value in values.items():
            os.environ.setdefault(name, value)
