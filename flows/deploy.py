"""The deployments of a configuration: what the Prefect server schedules and offers as forms."""

import asyncio
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.types.entrypoint import EntrypointType

from flows.automations import announce_failures
from flows.backfill import backfill
from flows.config import Config, load_config
from flows.curate import curate
from flows.explore import explore
from flows.forget import forget
from flows.forms import form, menus_of
from flows.links import slug
from flows.nightly import nightly
from flows.render import report

FLOWS = (nightly, explore, backfill, curate, forget, report)
AT_ONCE = {"nightly": 1, "backfill": 1, "explore": 2}
"""Runs of a deployment at a time. More wait: CANCEL_NEW would cancel every later night behind a dead run."""
TAG = "kikitori"
SCHEDULE = "nightly"


def deployments_of(config_path: str | Path) -> list[RunnerDeployment]:
    """Return the deployments of one configuration, named like its file."""
    path = Path(config_path).resolve()
    config = load_config(path)
    menus = menus_of(config, config.out)
    found = []
    for flow in FLOWS:
        limit = AT_ONCE.get(flow.name)
        deployment = RunnerDeployment.from_flow(
            flow,
            name=slug(path),
            parameters={"config_path": str(path)},
            description=(flow.fn.__doc__ or "").partition("\n")[0],
            tags=[TAG],
            version=version("kikitori"),
            concurrency_limit=limit and ConcurrencyLimitConfig(
                limit=limit, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
            ),
            entrypoint_type=EntrypointType.MODULE_PATH,
        )  # fmt: skip
        deployment._parameter_openapi_schema = form(flow, menus.get(flow.name, {}))
        deployment.schedules = list(_schedules(config)) if flow is nightly else []
        found.append(deployment)
    return found


async def register(config_path: str | Path, pool: str) -> None:
    """Register the deployments and who hears of failures, for the workers of a pool, made where it is missing."""
    async with get_client() as client:
        with suppress(ObjectAlreadyExists):
            await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        ids = []
        for deployment in deployments_of(config_path):
            ids.append(await deployment.aapply(work_pool_name=pool))
            await drop_schedule(ids[-1], deployment)
    await asyncio.to_thread(announce_failures, config_path, ids)


async def drop_schedule(deployment_id: UUID, deployment: RunnerDeployment) -> None:
    """Delete our schedule from the server where the file has none; the server keeps what an update does not name.

    Schedules that people made in the UI stay.
    """
    wanted = {schedule.slug for schedule in deployment.schedules or []}
    async with get_client() as client:
        for schedule in (await client.read_deployment(deployment_id)).schedules:
            if schedule.slug == SCHEDULE and schedule.slug not in wanted:
                await client.delete_deployment_schedule(deployment_id, schedule.id)


def delete_others(served: set[UUID]) -> None:
    """Delete the deployments that an earlier ``kikitori serve`` of this server had and this one has not."""
    with get_client(sync_client=True) as client:
        for deployment in client.read_deployments():
            if TAG in deployment.tags and deployment.id not in served:
                client.delete_deployment(deployment.id)


def _schedules(config: Config) -> list[DeploymentScheduleCreate]:
    if not config.schedule.cron:
        return []
    cron = CronSchedule(cron=config.schedule.cron, timezone=config.timezone)
    return [DeploymentScheduleCreate(schedule=cron, slug=SCHEDULE)]
