"""A node on a small disk of its own, which only its own processes see.

The disk is an image file mounted by a loop device in a private mount namespace: nothing of it is
in the host's mount table, and with the last process of the node the mount is gone. What is on it
stays for the next one.
"""

import ctypes
import os
import subprocess
from pathlib import Path

from shop import processes
from shop.binaries import program
from shop.errors import ShopError
from shop.places import Places
from shop.postgres import rights

NODE = "b"
_BYTES = 768 << 20  # twice what a node keeps at most, and less than a fault refuses to fill
_NEW_NAMESPACE = 0x00020000  # CLONE_NEWNS
_LIMIT_SECONDS = 30
_TRIAL = 'mount -o loop "$0" "$1"'


def image(places: Places, node: str) -> Path:
    """The file that holds the disk; it is there when the node has one."""
    return places.data(f"{node}.img")


def prepare(places: Places) -> None:
    """Make the disk, and try to mount it; ShopError says why that cannot be done here."""
    if os.geteuid() != 0:
        raise ShopError("--small-disk mounts a file system: only root may do that")
    file, folder = image(places, NODE), places.data(NODE)
    folder.mkdir()
    with file.open("wb") as disk:
        disk.truncate(_BYTES)
    _run(program("mkfs.ext4"), "-q", "-F", "-m", "0", str(file))
    _run("unshare", "-m", "--propagation", "private", "sh", "-c", _TRIAL, str(file), str(folder))


def enter(places: Places, node: str) -> None:
    """Go where the node's disk is mounted: to a server that still runs there, else mount it."""
    file, folder = image(places, node), places.data(node)
    if not file.exists():
        return
    # Two mounts of one image at a time would each write what the other does not know of.
    for server in processes.inside(folder):
        with Path(f"/proc/{server.pid}/ns/mnt").open("rb") as namespace:
            _call("setns", namespace.fileno(), _NEW_NAMESPACE)
        return
    _call("unshare", _NEW_NAMESPACE)
    _run("mount", "--make-rprivate", "/")
    _run("mount", "-o", "loop,noatime", str(file), str(folder))
    lost = folder / "lost+found"
    if lost.exists():
        lost.rmdir()  # a data directory must be empty when it is made
    rights.hand_over([folder])
    folder.chmod(0o700)


def _call(name: str, *values: int) -> None:
    """A function of the C library that Python 3.11 has no word for."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*values) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _run(*command: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=_LIMIT_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        raise ShopError(f"no small disk can be mounted here: {said}")
