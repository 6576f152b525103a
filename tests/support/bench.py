"""One lease whose keeper is in hand, over the real stores."""

from holdfast.model.lease import Renewal
from holdfast.steps.finish import estate_of
from support.keeping import FakeClock, FlakyLeases, KeepersInHand, TrickyDriver
from support.leases import a_fault, a_lease, file_ports

ID = "lease-1"


class Bench:
    """One lease with a keeper in hand."""

    def __init__(self, home) -> None:
        self.clock, self.driver = FakeClock(), TrickyDriver()
        self.keepers = KeepersInHand(home / "stops.jsonl")
        self.ports = file_ports(
            home, clock=self.clock, leases=FlakyLeases(home / "live.db"), keepers=self.keepers,
            drivers={"noop": self.driver},
        )
        self.keepers.estate = estate_of(self.ports)
        self.clock.on_sleep = self._others_go_on

    def open(self, journal: bool = True, **changes) -> None:
        lease = a_lease(opened_at=self.clock.now().isoformat(), **changes)
        self.ports.leases.open(lease)
        fault = a_fault(self.ports.settings.home)
        if journal:
            self.ports.journals.create(lease, fault, self.driver.arm(fault, lease.id))

    def arm(self, **changes) -> None:
        self.open(**changes)
        self.keepers.start(ID)

    def activate(self) -> None:
        self.arm()
        for _ in range(5):
            self.ports.leases.renew([Renewal(ID)])
            self.clock.sleep(0.1)
        assert self.driver.marks

    def orphan(self) -> None:
        self.activate()
        self.keepers.kill(ID)

    @property
    def state(self):
        return self.ports.journals.open(ID).lines()[-1].state

    @property
    def row(self):
        return self.ports.leases.read(ID)

    def _others_go_on(self, _passed) -> None:
        for keeper in self.keepers.kept.values():
            if keeper.is_alive and not keeper.frozen:
                keeper.turn(0.1)

    def close(self) -> None:
        for keeper in self.keepers.kept.values():
            keeper.kill()
        self.ports.leases.close()
