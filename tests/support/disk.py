"""A small file system that only the processes of one mount namespace see."""

import os
import subprocess
import time
from pathlib import Path

NAME = "disk"
SIZE = "24m"


class Disk:
    """A tmpfs on a folder, in a namespace of its own."""

    def __init__(self, home: Path) -> None:
        self.folder = home / NAME
        self._holder: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        rights = [] if os.geteuid() == 0 else ["-U", "-r"]
        mount = f'mount -t tmpfs -o size={SIZE} none "$0" && cd "$0" && exec sleep 100000'
        self._holder = subprocess.Popen(
            ["unshare", *rights, "-m", "--propagation", "private", "sh", "-c", mount,
             str(self.folder)], start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while not self._is_mounted():
            assert self._holder.poll() is None, "no file system can be mounted here"
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()

    @property
    def view(self) -> Path:
        assert self._holder is not None
        return Path(f"/proc/{self._holder.pid}/root{self.folder}")

    def can_be_written(self) -> bool:
        file = self.view / "probe"
        try:
            file.write_bytes(bytes(65536))
        except OSError:
            return False
        finally:
            file.unlink(missing_ok=True)
        return True

    def _is_mounted(self) -> bool:
        try:
            return self.view.stat().st_dev != self.view.parent.stat().st_dev
        except OSError:
            return False
