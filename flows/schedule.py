"""The Prefect schedule: judge the fleet and book its visits, each at its own interval.

The jobs are the ordinary functions of `flows.jobs`; this module only says when they run, so that everything also works
without a Prefect server. Two runs of a job at once do no harm: the database decides.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from prefect import flow, serve, task
from prefect.logging import get_run_logger

from config.logs import configure_logs
from config.settings import load_settings
from flows.jobs import book_visits, judge_fleet, stack_from_settings

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

RETRIES = 2
RETRY_AFTER_S = 5


@task(retries=RETRIES, retry_delay_seconds=RETRY_AFTER_S)
def judge() -> str:
    """Judge what has arrived, and open tickets for what is sure enough."""
    return str(judge_fleet(stack_from_settings(), go_on=True))


@task(retries=RETRIES, retry_delay_seconds=RETRY_AFTER_S)
def book() -> str:
    """Send what waits for the booking desk."""
    return str(book_visits(stack_from_settings()))


@flow(name="diagnose-fleet")
def diagnose_fleet() -> None:
    """Findings, alerts and tickets from the samples that have arrived."""
    configure_logs(load_settings().log_level)  # each run is a process of its own
    get_run_logger().info(judge())


@flow(name="push-tickets")
def push_tickets() -> None:
    """Appointments from the booking desk for the visits that wait for one."""
    get_run_logger().info(book())


def serve_schedule(diagnose_every: timedelta, push_every: timedelta) -> None:
    """Run both flows at their intervals until the process is stopped; needs the Prefect server's address."""
    flows = ((diagnose_fleet, diagnose_every), (push_tickets, push_every))
    deployments = [
        scheduled.to_deployment(name="schedule", interval=every, concurrency_limit=1) for scheduled, every in flows
    ]
    serve(*cast("list[RunnerDeployment]", deployments))  # Prefect types the awaitable twin of the same call
