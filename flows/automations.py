"""The automations of a deployment on the Prefect server: who hears of it when a night fails, or does not begin.

The server watches, so that also a run whose process was killed is told.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from flows.config import load_config
from flows.links import slug
from flows.notify import announced_block
from flows.outcome import INCOMPLETE

STATES = ("Failed", "Crashed", "TimedOut", "Late", INCOMPLETE)
"""States somebody should hear of."""

_SUBJECT = "kikitori: {{ flow_run.name }} — {{ flow_run.state.name }}"
_BODY = "{{ deployment.name }}: {{ flow_run.name }} — {{ flow_run.state.name }}\n{{ flow_run | ui_url }}"


def announce_failures(config_path: str | Path, deployments: Sequence[UUID]) -> None:
    """Have the server tell of runs that failed, crashed or are late; without [notify], have it tell no more.

    Parameters
    ----------
    config_path : str or Path
        The deployment's configuration; the automation and a webhook's block bear its short name.
    deployments : sequence of UUID
        The deployments of the configuration on the server.

    Raises
    ------
    NotifyError
        If the server has no block of the configured name.
    """
    config, title = load_config(config_path), f"kikitori-{slug(config_path)}"
    with get_client(sync_client=True) as client:
        if config.notify is None:
            _withdraw(client, title)
            return
        wanted = AutomationCore(
            name=title,
            description="Tells of nights that failed, crashed or are late.",
            trigger=EventTrigger(
                expect={f"prefect.flow-run.{state}" for state in STATES},
                match_related={
                    "prefect.resource.id": [f"prefect.deployment.{deployment}" for deployment in deployments],
                    "prefect.resource.role": "deployment",
                },
                for_each={"prefect.resource.id"},
                posture=Posture.Reactive,
            ),
            actions=[
                SendNotification(block_document_id=announced_block(config.notify, title), subject=_SUBJECT, body=_BODY)
            ],
        )
        _withdraw(client, title)
        client.create_automation(wanted)


def _withdraw(client: SyncPrefectClient, title: str) -> None:
    for automation in client.read_automations_by_name(title):
        client.delete_automation(automation.id)
