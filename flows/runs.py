"""Runs as the Prefect server knows them: their names, and those whose process is gone."""

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.runtime import deployment, flow_run
from prefect.states import Crashed

from flows.config import ConfigError, load_config
from flows.dates import night_of

_UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_GONE = "its process is gone; the next night finishes what it left"


def run_name() -> str:
    """Return the name of the nightly run under way: its night."""
    given = flow_run.parameters.get("business_date")
    try:
        zone = load_config(flow_run.parameters["config_path"]).zone
    except ConfigError:
        return "nightly"  # the run itself says what is wrong
    return f"nightly {given or night_of(flow_run.scheduled_start_time, zone)}"


def close_dead_runs() -> None:
    """Mark other runs of this deployment as crashed: whoever has the deployment's lock knows that none is alive."""
    if deployment.id:
        close_runs([UUID(deployment.id)], but={flow_run.id})


def close_runs(deployments: Iterable[UUID], *, but: Iterable[str | None] = ()) -> int:
    """Mark the runs of deployments as crashed that are called under way; return how many."""
    spared = [UUID(run) for run in but if run]
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=list(deployments))),
            flow_run_filter=FlowRunFilter(
                id=FlowRunFilterId(not_any_=spared),
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY)),
            ),
        )
        for run in runs:
            client.set_flow_run_state(run.id, Crashed(message=_GONE), force=True)
    return len(runs)


def living_runs() -> set[str]:
    """Return the ids of flow runs that have a process on this machine (Linux; elsewhere none is known)."""
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            content = environment.read_bytes()
        except OSError:  # another user's, or gone
            continue
        for entry in content.split(b"\0"):
            if entry.startswith(b"PREFECT__FLOW_RUN_ID="):
                found.add(os.fsdecode(entry.partition(b"=")[2]))
    return found
