"""A real Prometheus that scrapes one exporter."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def prometheus(
    folder: Path, exporter_port: int
) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """Scrape every 250 ms; the process is ended by its own id."""
    port = free_port()
    config = {"global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"},
              "scrape_configs": [{"job_name": "shop", "static_configs": [
                  {"targets": [f"127.0.0.1:{exporter_port}"]}]}]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen([
            "prometheus", f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
        ], stdout=log, stderr=log)
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
