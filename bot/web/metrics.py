"""What is counted, in Prometheus' own types; the pumps know only the method names (`pipeline.ports.Meter`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

#: From "at once" to "the next morning", in seconds.
WAITS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 14400, 43200)


class Metrics:
    """The service's meter, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._polls = Counter("tagwire_polls", "Polls of feeds.", ["result"], registry=self.registry)
        self._articles = Counter("tagwire_articles", "Articles stored.", ["change"], registry=self.registry)
        self._alerts = Counter("tagwire_alerts_queued", "Alerts queued.", registry=self.registry)
        self._deliveries = Counter(
            "tagwire_deliveries", "Calls for rows of the outbox.", ["outcome"], registry=self.registry
        )
        self._waits = Histogram("tagwire_queued_seconds", "From queued to sent.", buckets=WAITS, registry=self.registry)
        self._spans = {
            name: Histogram(f"tagwire_alert_{name}_seconds", said, buckets=WAITS, registry=self.registry)
            for name, said in (
                ("seen_to_queued", "From seeing an article to queueing its alerts."),
                ("seen_to_sent", "From seeing an article to its alert's arrival."),
                ("published_to_sent", "From a newsroom's publication, as it dates it, to the alert's arrival."),
            )
        }
        self._queue = Gauge("tagwire_outbox_rows", "Rows of the outbox.", ["state"], registry=self.registry)

    def polled(self, result: str) -> None:
        """A feed was asked."""
        self._polls.labels(result).inc()

    def stored(self, new: int, changed: int, alerts: int) -> None:
        """A poll was committed."""
        self._articles.labels("new").inc(new)
        self._articles.labels("changed").inc(changed)
        self._alerts.inc(alerts)

    def delivered(self, fate: str, queued_for_s: float) -> None:
        """A row of the outbox was tried."""
        self._deliveries.labels(fate).inc()
        if fate == "sent":
            self._waits.observe(max(0.0, queued_for_s))

    def alerted(self, *, seen_to_queued_s: float, seen_to_sent_s: float, published_to_sent_s: float) -> None:
        """An alert arrived."""
        spans = (seen_to_queued_s, seen_to_sent_s, published_to_sent_s)
        for histogram, span in zip(self._spans.values(), spans, strict=True):
            histogram.observe(max(0.0, span))

    def queue(self, rows: Mapping[str, int]) -> None:
        """The outbox holds so many rows in each state."""
        for state, number in rows.items():
            self._queue.labels(state).set(number)
