"""Follow a run to its end; stop it safely when its person or its time limit says so."""

import getpass
import signal

from holdfast.cli.approve import request_of
from holdfast.cli.border import say_error
from holdfast.cli.progress import Asked, Progress
from holdfast.clients.airflow_rest import AirflowRest, AirflowUnreachable
from holdfast.errors import HoldfastError, SpecError, Stopped
from holdfast.model.run import EntryKind
from holdfast.ports.bundle import Ports
from holdfast.steps.stop import stop

SETTLE_SECONDS = 180.0
"""How long a stopped run may take to revert, seal and report."""
SILENT_SECONDS = 120.0
"""How long Airflow may not answer; its faults end by themselves long before."""
_POLL_SECONDS = 0.5


class TimeLimit(HoldfastError):
    """The run took longer than the caller allowed; it was stopped."""

    exit_code = 7


class Follower:
    """One run, watched from a terminal."""

    def __init__(self, ports: Ports, airflow: AirflowRest, asked: Asked) -> None:
        self._ports, self._airflow, self._asked = ports, airflow, asked
        self._deadline = ports.clock.boottime() + asked.timeout.total_seconds()
        self._why: HoldfastError | None = None
        self._silent_since: float | None = None
        self._is_same: bool | None = None

    def to_the_end(self) -> HoldfastError | None:
        """Wait until Airflow says the run has ended; give back why it was stopped, if it was."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)  # as Ctrl-C: a run is not left alone
        with Progress(self._ports, self._asked) as progress:
            is_ended = False
            while not is_ended:
                try:
                    is_ended = self._has_ended()
                    progress.show()
                    self._look()
                    self._ports.clock.sleep(0.0 if is_ended else _POLL_SECONDS)
                except KeyboardInterrupt:
                    self._stop(Stopped("stopped by Ctrl-C or a signal"))
        return self._why

    def _has_ended(self) -> bool:
        try:
            state = self._airflow.run(self._asked.dag_id, self._asked.dag_run_id).state
        except AirflowUnreachable as error:
            self._missed(error)
            return False
        self._silent_since = None
        return state in ("success", "failed")

    def _missed(self, error: AirflowUnreachable) -> None:
        now = self._ports.clock.boottime()
        if self._silent_since is None:
            self._silent_since = now
            say_error("Airflow does not answer; a fault ends with its lease; waiting")
        if now - self._silent_since > SILENT_SECONDS:
            raise error

    def _look(self) -> None:
        """End what took too long, and what is not the file that was asked for."""
        if self._is_same is None:
            self._is_same = self._compare()
            if self._is_same is False:
                where = str(self._asked.loaded.path)
                self._stop(SpecError("Airflow runs another version of this suite", where=where,
                                     hint="put the file where Airflow's experiments are"))
        if self._ports.clock.boottime() > self._deadline:
            limit = self._asked.timeout.total_seconds()
            self._stop(TimeLimit(f"stopped: the time limit of {limit:g} s is over"))

    def _compare(self) -> bool | None:
        """Whether the run planned the very file that was asked for; None while not known."""
        for entry in self._ports.books.read(self._asked.run_id, EntryKind.SUITE):
            return entry.data.get("digest") == self._asked.loaded.digest
        return None

    def _stop(self, why: HoldfastError) -> None:
        """Stop the faults and let the run end by itself; the second time, do not wait for it."""
        if self._why is not None:
            self._airflow.mark_failed(self._asked.dag_id, self._asked.dag_run_id)
            say_error("left before the run had ended; holdfast status")
            raise self._why
        self._why = why
        say_error(f"{why}; waiting for the revert and the report (Ctrl-C to leave)")
        stop(self._ports, getpass.getuser(), str(why), run_id=self._asked.run_id)
        self._take_back_the_request()
        self._deadline = self._ports.clock.boottime() + SETTLE_SECONDS

    def _take_back_the_request(self) -> None:
        """A run that waits for an approval would otherwise do so to the end of its wait."""
        try:
            if (waiting := request_of(self._airflow, self._asked.run_id)) is not None:
                self._airflow.answer(waiting, "Reject", {"why": "stopped by who triggered it"})
        except HoldfastError as error:
            say_error(f"the request for an approval stays: {error}")
