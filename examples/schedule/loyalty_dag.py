"""Airflow: the report of one dataset, every night. Put it into the folder of DAGs, with the project's path put right.

It only calls the command, so that Airflow's environment and the project's stay apart.
"""

from datetime import datetime, timedelta

from airflow.models.dag import DAG
from airflow.operators.bash import BashOperator

PROJECT = "/srv/loyalty"
DATASET = "my-shop"

with DAG(
    dag_id="loyalty_report",
    description=f"Report on the customers of {DATASET}",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["loyalty"],
):
    BashOperator(
        task_id="report",
        cwd=PROJECT,
        # `data_interval_end` is the day of the run, so that a night that is run again reports on its own day.
        bash_command=(
            f".venv/bin/loyalty report {DATASET} --as-of {{{{ data_interval_end | ds }}}} --wait 3600 --keep 90"
        ),
        append_env=True,
        retries=2,
        retry_delay=timedelta(minutes=30),
        execution_timeout=timedelta(hours=13),
        # 3 is a refusal, of data that is too old say: the task is skipped, and not tried again at once.
        skip_on_exit_code=3,
    )
