"""What an API process is put together from."""

from dataclasses import dataclass

from shop.api.audit import Audit
from shop.api.collector import Collector
from shop.api.figures import Figures
from shop.api.payment_figures import PaymentFigures
from shop.api.payments import Payments
from shop.api.pool import Pool
from shop.settled import API_ROLE, HOST, Settled


@dataclass(frozen=True, slots=True)
class Parts:
    """One process's way to the database, to payments, and to those who watch."""

    name: str
    pool: Pool
    payments: Payments
    collector: Collector
    figures: Figures
    audit: Audit
    falls_back: bool = True  # an order whose payment failed is taken all the same

    @classmethod
    def of(cls, shop: Settled, name: str) -> "Parts":
        """Put together the parts of one process of a shop; connects to nothing yet."""
        conninfo = shop.conninfo(shop.ports["proxy"], name, user=API_ROLE)
        pool = Pool(conninfo, checks=shop.has("pool-check"))
        figures = Figures(pool, shop.has)
        url = f"http://{HOST}:{shop.ports['payment-proxy']}"
        payments = Payments(url, PaymentFigures(figures.registry), shop.has)
        audit = Audit(shop.places.audit, name)
        collector = Collector(pool, payments)
        return cls(name, pool, payments, collector, figures, audit, shop.has("fallback"))

    @property
    def breaker(self) -> str:
        """What the storefront says of the way to payments."""
        return self.payments.breaker.state.label if self.payments.breaker else "none"
