"""What a node counts, as Prometheus reads it: made when it is asked for, at a cost that does not grow with the store.

Labels have few values: the node itself, states, kinds, HTTP statuses, and channels as the directory names them. Other
parties, messages and persons are never labels.
"""

import platform
from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from eessi_sim import __version__
from eessi_sim.measures import Histogram
from eessi_sim.simulation.operations import Figures, Operations

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class _Collected(Collector):
    """What was gathered for one answer."""

    def __init__(self, figures: Sequence[Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily(
            "eessi_build",
            "Version of the program and of Python.",
            value={"version": __version__, "python": platform.python_version()},
        )
        yield from _messages(self._figures)
        yield from _queues(self._figures)
        yield from _work(self._figures)


async def exposition(nodes: Iterable[Operations]) -> bytes:
    """Return the numbers of the nodes of this process in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([await node.figures() for node in nodes]))
    return generate_latest(registry)


def _messages(nodes: Sequence[Figures]) -> Iterable[Metric]:
    messages = GaugeMetricFamily(
        "eessi_messages", "Messages that the node keeps.", labels=["node", "direction", "kind", "state"]
    )
    dead = GaugeMetricFamily(
        "eessi_dead_letters", "Messages that could not go on.", labels=["node", "direction"]
    )
    kept = GaugeMetricFamily(
        "eessi_kept", "Cases and documents that the node keeps.", labels=["node", "what"]
    )
    for node in nodes:
        for count in node.counts.messages:
            messages.add_metric([node.party, count.direction, count.kind, count.state], count.number)
        for direction, number in node.dead_letters.items():
            dead.add_metric([node.party, direction], number)
        kept.add_metric([node.party, "cases"], node.counts.cases)
        kept.add_metric([node.party, "documents"], node.counts.documents)
    return messages, dead, kept


def _queues(nodes: Sequence[Figures]) -> Iterable[Metric]:
    depth = GaugeMetricFamily("eessi_queue_messages", "Messages that wait.", labels=["node", "queue"])
    age = GaugeMetricFamily(
        "eessi_queue_oldest_seconds", "Age of the oldest message that waits.", labels=["node", "queue"]
    )
    parked = GaugeMetricFamily(
        "eessi_channel_messages", "Messages that wait to be fetched.", labels=["node", "channel"]
    )
    parked_age = GaugeMetricFamily(
        "eessi_channel_oldest_seconds",
        "Age of the oldest message that waits to be fetched.",
        labels=["node", "channel"],
    )
    alarms = GaugeMetricFamily("eessi_alarms", "Alarms that stand.", labels=["node", "alarm"])
    for node in nodes:
        for queue in node.queues:
            depth.add_metric([node.party, queue.name], queue.number)
            age.add_metric([node.party, queue.name], queue.age(node.at))
        for channel in node.channels:
            parked.add_metric([node.party, channel.name], channel.number)
            parked_age.add_metric([node.party, channel.name], channel.age(node.at))
        for alarm, number in node.alarms.items():
            alarms.add_metric([node.party, alarm], number)
    return depth, age, parked, parked_age, alarms


def _work(nodes: Sequence[Figures]) -> Iterable[Metric]:
    answers = CounterMetricFamily("eessi_http_answers", "Answers to AS4 requests.", labels=["node", "status"])
    attempts = CounterMetricFamily(
        "eessi_send_attempts", "Attempts to send a message.", labels=["node", "result"]
    )
    under_way = GaugeMetricFamily(
        "eessi_worker_items", "Items that a worker is working on.", labels=["node", "worker"]
    )
    receipts = HistogramMetricFamily(
        "eessi_receipt_seconds",
        "From the acceptance of a message by the next hop to the receipt of its receiver.",
        labels=["node"],
    )
    commits = HistogramMetricFamily(
        "eessi_commit_units", "Units of work that became durable together.", labels=["node"]
    )
    ready = GaugeMetricFamily("eessi_ready", "Whether the node takes new work.", labels=["node"])
    for node in nodes:
        for status, number in sorted(node.measures.answers.items()):
            answers.add_metric([node.party, str(status)], number)
        for result, number in sorted(node.measures.attempts.items()):
            attempts.add_metric([node.party, result], number)
        for worker, number in node.under_way.items():
            under_way.add_metric([node.party, worker], number)
        receipts.add_metric(
            [node.party], _buckets(node.measures.receipt_seconds), node.measures.receipt_seconds.sum
        )
        if node.group_sizes is not None:
            commits.add_metric([node.party], _buckets(node.group_sizes), node.group_sizes.sum)
        ready.add_metric([node.party], int(node.is_ready))
    return answers, attempts, under_way, receipts, commits, ready


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Return the classes as Prometheus wants them: each with all that is smaller."""
    total, buckets = 0, []
    for bound, number in zip((*histogram.bounds, float("inf")), histogram.numbers, strict=True):
        total += number
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return buckets
