"""What the proxy does to connections: toxics, in the shape of Toxiproxy's."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

STREAMS = ("downstream", "upstream")
KINDS: Mapping[str, Mapping[str, float]] = {
    "latency": {"latency": 0, "jitter": 0},
    "bandwidth": {"rate": 1},
    "slow_close": {"delay": 0},
    "timeout": {"timeout": 0},
    "reset_peer": {"timeout": 0},
    "loss": {"probability": 0, "timeout": 200, "connect": 1000},
    "answer": {"status": 503, "probability": 1},
    "refuse": {},
}
"""Every kind with its attributes and what they are when left out: milliseconds, and for `rate`
thousand bytes a second. `loss`, `answer` and `refuse` are this proxy's own."""

_MOST_LOSSES = 6  # of one piece in a row: Linux gives a connection up after as many SYNs


class BadToxic(ValueError):
    """The request does not describe a toxic this proxy has."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Data on its way; `opens` and `ends` are the first and the last of a direction.

    `luck` (-1..1) and `fate` (0..1) are drawn once, so that waiting twice changes nothing.
    """

    data: bytes
    arrived: float
    luck: float = 0.0
    fate: float = 1.0
    opens: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Toxic:
    """A harm to one direction of some connections: `toxicity` is the share of them it hits."""

    name: str
    kind: str
    stream: str
    toxicity: float
    attributes: Mapping[str, float]

    @classmethod
    def parse(cls, body: object) -> "Toxic":
        """Read Toxiproxy's JSON; BadToxic says what is wrong with it."""
        if not isinstance(body, Mapping):
            raise BadToxic("expected a JSON object")
        kind, stream = str(body.get("type")), str(body.get("stream", "downstream"))
        if kind not in KINDS:
            raise BadToxic(f"unknown type {kind!r}; known: {', '.join(KINDS)}")
        if stream not in STREAMS:
            raise BadToxic(f"unknown stream {stream!r}; known: {', '.join(STREAMS)}")
        attributes = _attributes(kind, body.get("attributes") or {})
        try:
            toxicity = float(body.get("toxicity", 1.0))
        except (TypeError, ValueError) as error:
            raise BadToxic(f"toxicity is not a number: {error}") from error
        if not 0 <= toxicity <= 1:
            raise BadToxic("toxicity must lie in 0..1")
        return cls(str(body.get("name") or f"{kind}_{stream}"), kind, stream, toxicity, attributes)

    def as_json(self) -> dict[str, object]:
        """Toxiproxy's JSON."""
        return {
            "name": self.name,
            "type": self.kind,
            "stream": self.stream,
            "toxicity": self.toxicity,
            "attributes": dict(self.attributes),
        }

    def seconds(self, piece: Piece) -> float:
        """How much later a piece arrives because of this; infinite until the toxic is gone."""
        at = self.attributes
        if self.kind == "timeout":
            return math.inf
        if self.kind == "loss":
            return self._stall(piece)
        if piece.opens:
            return 0.0
        if self.kind == "latency":
            return max(0.0, at["latency"] + piece.luck * at["jitter"]) / 1000
        if self.kind == "slow_close" and piece.ends:
            return at["delay"] / 1000
        return 0.0

    @property
    def rate(self) -> float:
        """Bytes a second that may pass; infinite unless this narrows the path."""
        return self.attributes["rate"] * 1000 if self.kind == "bandwidth" else math.inf

    def cuts_after(self) -> float | None:
        """Seconds after which it ends a connection it hits; None if it lets it live."""
        wait = self.attributes.get("timeout", 0) / 1000
        if self.kind == "reset_peer":
            return wait
        return wait if self.kind == "timeout" and wait > 0 else None

    def _stall(self, piece: Piece) -> float:
        """What TCP's retransmissions cost (RFC 6298): the time-out, doubled at each further loss.

        The first is 1 s for a connection's opening; for data Linux waits 200 ms at least.
        """
        probability = self.attributes["probability"]
        if piece.fate >= probability:
            return 0.0
        losses = _MOST_LOSSES if probability >= 1 else math.log(piece.fate) / math.log(probability)
        first = self.attributes["connect" if piece.opens else "timeout"]
        return float(first * (2 ** min(int(losses), _MOST_LOSSES) - 1) / 1000)


def _attributes(kind: str, given: object) -> dict[str, float]:
    try:
        values = dict(KINDS[kind]) | {k: float(v) for k, v in dict(given).items()}  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise BadToxic(f"not a number: {error}") from error
    unknown = sorted(values.keys() - KINDS[kind].keys())
    if unknown:
        raise BadToxic(f"{kind} has no {unknown[0]!r}; known: {', '.join(KINDS[kind]) or 'none'}")
    if not all(0 <= v < math.inf for v in values.values()) or values.get("probability", 0) > 1:
        raise BadToxic("attributes must not be negative, a probability lies in 0..1")
    if values.get("rate", 1) <= 0:
        raise BadToxic("a rate of nothing is a timeout")
    return values


@dataclass(slots=True)
class Toxics:
    """The toxics of one proxy now; whoever holds back data waits for `changed`."""

    active: dict[str, Toxic] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    delayed_bytes: dict[str, int] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, toxic: Toxic, now: float = 0.0) -> None:
        """Begin to hurt; `now` is the loop's time."""
        self.active[toxic.name] = toxic
        self.since[toxic.name] = now
        self.delayed_bytes.setdefault(toxic.name, 0)
        self._tell()

    def remove(self, name: str) -> bool:
        """Stop; False when there was no such toxic."""
        found = self.active.pop(name, None) is not None
        self._tell()
        return found

    def hitting(self, stream: str, lot: float) -> list[Toxic]:
        """The toxics that hit this direction of a connection that drew this lot (0..1)."""
        return [t for t in self.of(lot) if t.stream == stream]

    def of(self, lot: float, *kinds: str) -> list[Toxic]:
        """Those that hit a connection that drew this lot, of these kinds or of any."""
        return [
            t for t in self.active.values() if lot < t.toxicity and (not kinds or t.kind in kinds)
        ]

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
