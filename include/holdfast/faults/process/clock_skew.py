"""Let a service live at another time: its clock is wrong from its next start on.

libfaketime answers in the kernel's place inside the service's processes; the host's clock is never
touched. It is felt from process start only, so the service is killed at the beginning and at the
end, and its own supervisor must start it with what the environment file says.

Only the time of day is wrong: a monotonic clock that jumped would hang every wait with a limit. For
that libfaketime 0.9.10 pays with `clock_nanosleep` until an absolute time, which fails with EINVAL
(Python's own `time.sleep` since 3.11; `asyncio`, locks and queues are well). A service that does
not stay up with it is said so when the fault begins.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from holdfast.clients import processes
from holdfast.errors import FaultError
from holdfast.faults._selector import number
from holdfast.faults.process import _environment, _kill, _own, _trees
from holdfast.faults.process._kill import Root
from holdfast.faults.process._trees import Trees
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1",
              "/usr/local/lib/faketime/libfaketime.so.1")
_SHARED = Path("/dev/shm")  # noqa: S108 - where Linux keeps named shared memory
_PATIENCE, _STEADY = 8.0, 1.0


class ClockSkewDriver:
    """Marked lines in the environment file, and a restart to make them felt."""

    effect = Effect.HELD
    address = "process"
    params: Mapping[str, Setting] = {
        "skew": Setting("duration", 86400.0, "how far the clock goes wrong",
                        low=1.0, high=366 * 86400.0),
        "back": Setting("flag", False, "the clock is slow, not fast"),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The one process whose environment file it is."""
        _one_root(fault)
        _environment.file_of(fault)
        _library(fault.service)
        return _trees.targets(fault)

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the file, its process and the lines to add; refused beside another preload."""
        _one_root(fault)
        file, library = _environment.file_of(fault), _library(fault.service)
        taken = {"LD_PRELOAD", "FAKETIME"} & _environment.names(file)
        if taken:
            text = f"its environment file already sets {min(taken)}"
            raise FaultError(text, target=fault.service)
        sign = "-" if fault.params.get("back") else "+"
        trees = _trees.armed(fault, f"clock-skew/{lease_id}")
        return Recipe(lease_id, fault.type, {
            **trees.as_undo(), "roots": _kill.roots(fault), "file": str(file),
            "values": {
                _own.MARK: lease_id,
                "LD_PRELOAD": library,
                "FAKETIME": f"{sign}{round(number(fault, 'skew', 86400.0))}s",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # time-outs must last as long as ever
                "NO_FAKE_STAT": "1",  # files keep their own times
            },
        })

    def inject(self, recipe: Recipe) -> None:
        """Add the lines, restart, and see that the new process has them."""
        (root,) = _kill.roots_of(recipe.undo)
        file = Path(str(recipe.undo["file"]))
        values: Mapping[str, str] = recipe.undo["values"]  # type: ignore[assignment]
        _environment.add(file, recipe.lease_id, values)
        if not _bears(root, recipe.lease_id):
            _kill.kill_named(root.file, Trees.of(recipe.undo).notes)
        if not _kill.wait_until(lambda: _bears(root, recipe.lease_id), _PATIENCE):
            text = f"was not started again with what {file} says; does its supervisor read it?"
            raise FaultError(text, target=str(root.file))
        pid = root.file.read_text()
        if _kill.wait_until(lambda: not _bears(root, recipe.lease_id), _STEADY):
            text = f"process {pid.strip()} did not stay up with libfaketime, see its log"
            raise FaultError(text, target=str(root.file))
        skewed = _trees.named_by(root.file)
        if skewed:
            Trees.of(recipe.undo).note(skewed)

    def revert(self, recipe: Recipe) -> None:
        """Take the lines away, restart whoever was started with them, and wait for the service."""
        (root,) = _kill.roots_of(recipe.undo)
        trees = Trees.of(recipe.undo)
        _environment.remove(Path(str(recipe.undo["file"])), recipe.lease_id)
        _kill.finish(trees)
        if _bears(root, recipe.lease_id):
            _kill.kill_named(root.file, trees.notes)
        for file in _shared(trees):
            file.unlink(missing_ok=True)
        if not root.is_there and trees.is_of_this_boot:
            _kill.wait_back([root], _PATIENCE)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Lines of the lease in the file, and whoever psutil sees with its mark."""
        file = str(recipe.undo["file"])
        with suppress(FileNotFoundError):
            if recipe.lease_id in Path(file).read_text():
                return [f"lines of the lease are in {file}"]
        trees = Trees.of(recipe.undo)
        left = _kill.outlived(trees) + [f"{file} is left of libfaketime" for file in _shared(trees)]
        left += [f"process {pid} has the skewed clock" for pid in _own.marked(recipe.lease_id)]
        return left + [text for root in _kill.roots_of(recipe.undo)
                       if (text := _kill.not_back(root))]


def _one_root(fault: Fault) -> None:
    found = _trees.roots(fault)
    if len(found) != 1:
        text = f"one environment file is one process's, but {len(found)} pid files match"
        raise FaultError(text, target=fault.service)


def _library(service: str) -> str:
    for pattern in _LIBRARIES:
        found = sorted(Path("/").glob(pattern.lstrip("/")))
        if found:
            return str(found[0])
    text = "libfaketime is not installed on this host: apt-get install libfaketime"
    raise FaultError(text, target=service)


def _shared(trees: Trees) -> list[Path]:
    """The shared memory that libfaketime makes for a process and a killed one leaves behind."""
    names = [name for pid, _ in trees.noted()
             for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}")]
    return [file for name in sorted(names) if (file := _SHARED / name).exists()]


def _bears(root: Root, lease_id: str) -> bool:
    """Whether the process that runs now was started with the mark."""
    process = _trees.named_by(root.file)
    values = processes.environment(process.pid) if process else {}
    return values.get(_own.MARK) == lease_id


DRIVER: FaultDriver = ClockSkewDriver()
