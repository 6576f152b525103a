"""Which node ought to be the primary: one small file, written by `up`, then by the controller."""

from dataclasses import asdict, dataclass

from shop.files import read_json, write_json
from shop.places import Places


@dataclass(frozen=True, slots=True)
class Cluster:
    """The decision in force; each later one has a higher epoch."""

    primary: str
    epoch: int

    @classmethod
    def read(cls, places: Places) -> "Cluster":
        """Read the decision; a new shop begins with node a."""
        entry = read_json(places.cluster)
        return cls(**entry) if entry else cls("a", 1)

    def write(self, places: Places) -> None:
        """Make this the decision."""
        write_json(places.cluster, asdict(self))

    def after(self, primary: str) -> "Cluster":
        """The next decision."""
        return Cluster(primary, self.epoch + 1)
