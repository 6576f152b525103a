"""What the proxy does to the bytes: toxics, in the shape of Toxiproxy's."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

STREAMS = ("downstream", "upstream")


class BadToxic(ValueError):
    """The request does not describe a toxic this proxy has."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """A delay on one direction of some connections: `toxicity` is the share of them it hits."""

    name: str
    stream: str
    toxicity: float
    latency_ms: float
    jitter_ms: float

    @classmethod
    def parse(cls, body: object) -> "Toxic":
        """Read Toxiproxy's JSON; BadToxic says what is wrong with it."""
        if not isinstance(body, Mapping):
            raise BadToxic("expected a JSON object")
        kind, stream = body.get("type"), body.get("stream", "downstream")
        attributes = body.get("attributes") or {}
        if kind != "latency":
            raise BadToxic(f"unknown type {kind!r}; known: latency")
        if stream not in STREAMS:
            raise BadToxic(f"unknown stream {stream!r}; known: {', '.join(STREAMS)}")
        try:
            toxic = cls(
                name=str(body.get("name") or f"latency_{stream}"),
                stream=stream,
                toxicity=float(body.get("toxicity", 1.0)),
                latency_ms=float(attributes.get("latency", 0)),
                jitter_ms=float(attributes.get("jitter", 0)),
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise BadToxic(f"not a number: {error}") from error
        if not (0 <= toxic.toxicity <= 1 and toxic.latency_ms >= 0 and toxic.jitter_ms >= 0):
            raise BadToxic("toxicity must lie in 0..1, latency and jitter must not be negative")
        return toxic

    def as_json(self) -> dict[str, object]:
        """Toxiproxy's JSON."""
        return {
            "name": self.name,
            "type": "latency",
            "stream": self.stream,
            "toxicity": self.toxicity,
            "attributes": {"latency": self.latency_ms, "jitter": self.jitter_ms},
        }

    def seconds(self, luck: float) -> float:
        """The delay of one piece of data; `luck` in -1..1 picks from the jitter."""
        return max(0.0, self.latency_ms + luck * self.jitter_ms) / 1000


@dataclass(slots=True)
class Toxics:
    """The toxics of one proxy now; whoever holds back data waits for `changed`."""

    active: dict[str, Toxic] = field(default_factory=dict)
    delayed_bytes: dict[str, int] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, toxic: Toxic) -> None:
        """Begin to hurt."""
        self.active[toxic.name] = toxic
        self.delayed_bytes.setdefault(toxic.name, 0)
        self._tell()

    def remove(self, name: str) -> bool:
        """Stop; False when there was no such toxic."""
        found = self.active.pop(name, None) is not None
        self._tell()
        return found

    def hitting(self, stream: str, lot: float) -> list[Toxic]:
        """The toxics that hit this direction of a connection that drew this lot (0..1)."""
        return [t for t in self.active.values() if t.stream == stream and lot < t.toxicity]

    def metrics(self) -> str:
        """Prometheus' text format; a toxic that is gone stays in it as inactive."""
        lines = ["# TYPE shop_proxy_toxic_active gauge"]
        lines += [
            f'shop_proxy_toxic_active{{toxic="{_label(name)}"}} {int(name in self.active)}'
            for name in self.delayed_bytes
        ]
        lines += ["# TYPE shop_proxy_delayed_bytes_total counter"]
        lines += [
            f'shop_proxy_delayed_bytes_total{{toxic="{_label(name)}"}} {count}'
            for name, count in self.delayed_bytes.items()
        ]
        return "\n".join(lines) + "\n"

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
