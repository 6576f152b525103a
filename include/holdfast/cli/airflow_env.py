"""The environment of Airflow under `holdfast up`: one machine, one port, SQLite, loopback."""

import base64
import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.settings import Settings

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("airflow", "api-server"),
    # without the flag both listen on every address of the machine to serve logs
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
    "janitor": ("holdfast", "sweep", "--every", "10s"),
    "metrics": ("holdfast", "metrics", "--serve", "PORT"),
}
PEOPLE = {"admin": "admin", "sre": "user", "approver": "user"}
"""Who may log in, and their role. `sre` triggers runs; what has much impact another approves."""


@dataclass(frozen=True, slots=True)
class Lab:
    """Where Airflow's files are in this deployment."""

    settings: Settings

    @property
    def folder(self) -> Path:
        """AIRFLOW_HOME."""
        return self.settings.home / "airflow"

    @property
    def run_dir(self) -> Path:
        """Pid files."""
        return self.folder / "run"

    @property
    def log_dir(self) -> Path:
        """Output of the processes."""
        return self.folder / "logs"

    @property
    def spec(self) -> Path:
        """What the supervisor runs; holds secrets, mode 0600."""
        return self.folder / "processes.json"

    @property
    def passwords(self) -> Path:
        """Name to password of the people who may log in, mode 0600."""
        return self.folder / "passwords.json"

    @property
    def target(self) -> Path:
        """What the shop's Prometheus reads to find our own metrics."""
        return self.settings.home / "shop" / "targets" / "holdfast.json"

    def prepare(self, port: int) -> Mapping[str, str]:
        """Write passwords, secrets and the supervisor's specification; return the environment."""
        for folder in (self.folder, self.run_dir, self.log_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = json.loads(self.passwords.read_text()) if self.passwords.exists() else {}
        fresh = {who: secrets.token_urlsafe(9) for who in PEOPLE}
        write_private(self.passwords, fresh | known)
        environment, metrics = self._environment(port), free_port()
        write_private(
            self.spec,
            {
                "run_dir": str(self.run_dir),
                "log_dir": str(self.log_dir),
                "processes": [
                    {
                        "name": n,
                        "argv": [str(_bin() / a[0]), *_words(a[1:], metrics)],
                        "env": environment,
                        "cwd": "/",
                    }
                    for n, a in COMMANDS.items()
                ],
            },
        )
        self.announce()
        return environment

    def metrics_port(self) -> int:
        """Where the supervisor that was prepared last serves our own metrics."""
        processes = json.loads(self.spec.read_text())["processes"]
        return int(next(p["argv"][-1] for p in processes if p["name"] == "metrics"))

    def announce(self) -> None:
        """Tell the shop's Prometheus where our own metrics are, if there is a shop."""
        if self.target.parent.is_dir():
            labels = {"job": "holdfast", "__scrape_interval__": "5s"}
            group = {"targets": [f"127.0.0.1:{self.metrics_port()}"], "labels": labels}
            write_private(self.target, [group])

    def _secrets(self) -> Mapping[str, str]:
        file = self.folder / "secrets.json"
        if not file.exists():
            write_private(
                file,
                {
                    "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
                    "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
                    "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
                },
            )
        found: Mapping[str, str] = json.loads(file.read_text())
        return found

    def _environment(self, port: int) -> Mapping[str, str]:
        home, root = self.settings.home, self.settings.experiments.parent
        url = f"http://127.0.0.1:{port}"
        return {
            "PATH": f"{_bin()}:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(Path.home()),
            "LANG": "C.UTF-8",
            "SPT_NOENV": "1",  # process titles must not overwrite the environment: see lab._belongs
            "AIRFLOW_HOME": str(self.folder),
            "HOLDFAST_HOME": str(home),
            "HOLDFAST_EXPERIMENTS": str(self.settings.experiments),
            "HOLDFAST_COMMANDS": ",".join(f"{n}={p}" for n, p in self.settings.commands.items()),
            "HOLDFAST_STORE": self.settings.store,
            "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
                f"{p}:{r}" for p, r in PEOPLE.items()
            ),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.passwords),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.folder}/airflow.db",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            # One that is back before its predecessor counts as dead looks for its tasks again then.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            # the first answers of a cold API server take longer than the 5 s it is given
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
            "AIRFLOW__TRIGGERER__CAPACITY": "200",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
            "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
                {"connections_file_path": str(self.settings.connections)}
            ),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **self._secrets(),
        }


def _words(argv: Sequence[str], metrics: int) -> list[str]:
    return [str(metrics) if word == "PORT" else word for word in argv]


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_private(file: Path, content: object) -> None:
    """Write JSON that only its owner may read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out, indent=1)


def _bin() -> Path:
    return Path(sys.executable).parent
