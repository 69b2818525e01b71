"""A Prefect server for tests, as an operator starts it, and its API as the UI calls it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
QUICK = {
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    "OMP_NUM_THREADS": "1",
}


class Refused(Exception):
    """What the server answered in place of doing it."""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def environment(**more):
    """The environment of a process of its own: none of Prefect's settings but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return kept | QUICK | {"PYTHONPATH": path} | more


def start(*command, log, **more):
    with log.open("ab") as out:
        return subprocess.Popen([sys.executable, "-m", *map(str, command)], stdout=out, stderr=out, env=environment(**more), cwd=ROOT)


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)


class Api:
    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"

    def call(self, path, body=None):
        """The answer; what SQLite was too busy for is asked again, as Prefect's own clients do."""
        while True:
            try:
                return self._call(path, body)
            except Refused as refused:
                if "Service Unavailable" not in str(refused):
                    raise
            time.sleep(1)

    def _call(self, path, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/api{path}", data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
                return json.loads(content) if content else None
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.read().decode()) from None

    def until(self, condition, seconds=600):
        end = time.monotonic() + seconds
        while True:
            try:
                found = condition()
            except (urllib.error.URLError, ConnectionError, Refused):
                found = None
            if found:
                return found
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.3)

    def deployments(self):
        names = {flow["id"]: flow["name"] for flow in self.call("/flows/filter", {})}
        return {names[d["flow_id"]]: d for d in self.call("/deployments/filter", {})}

    def start_run(self, flow, parameters=None, scheduled=None):
        body = {"parameters": parameters or {}}
        if scheduled:
            body["state"] = {"type": "SCHEDULED", "state_details": {"scheduled_time": scheduled}}
        return self.call(f"/deployments/{self.deployments()[flow]['id']}/create_flow_run", body)["id"]

    def run(self, run):
        return self.call(f"/flow_runs/{run}")

    def ended(self, run):
        """The run once it is over."""
        return self.until(lambda: (found := self.run(run))["state_type"] in OVER and found)

    def tasks(self, run):
        found = self.call("/task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
        return {task["name"]: task["state_name"] for task in found}

    def artifacts(self, key):
        """The versions of an artifact, oldest first."""
        found = self.call("/artifacts/filter", {"artifacts": {"key": {"any_": [key]}}})
        return sorted(found, key=lambda artifact: artifact["created"])

    def logs(self):
        found, offset = [], 0
        while batch := self.call("/logs/filter", {"limit": 200, "offset": offset}):
            found += [line["message"] for line in batch]
            offset += len(batch)
        return found


def processes_of(run):
    """The ids of a flow run's processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"PREFECT__FLOW_RUN_ID={run}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
