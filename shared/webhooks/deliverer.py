"""Makes one attempt to deliver one event, and decides what follows."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from shared.errors import Conflict, NotFound
from shared.webhooks.model import (
    DELIVERIES_KEPT,
    Answer,
    Delivery,
    DeliveryStatus,
    Endpoint,
    after_attempt,
    is_overdue,
    is_ready,
)
from shared.webhooks.port import DeliveryQueue, DeliveryStore, EndpointStore
from shared.webhooks.sender import Sender

_log = logging.getLogger(__name__)

REST_SECONDS = 30.0
"""How long an endpoint that did not answer at all is not called by this instance: waiting for it costs a worker."""

MAX_SWEPT = 5000

GONE = 410
"""An endpoint that answers so wants no more events: Standard Webhooks."""


class Deliverer:
    """Delivers events, at least once each. `monotonic` is a clock in seconds."""

    def __init__(
        self,
        *,
        endpoints: EndpointStore,
        deliveries: DeliveryStore,
        queue: DeliveryQueue,
        sender: Sender,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._queue = queue
        self._sender = sender
        self._clock = clock
        self._monotonic = monotonic
        self._resting: dict[str, float] = {}

    def attempt(self, endpoint_id: str, delivery_id: str, attempt: int) -> Delivery | None:
        """Make an attempt, unless the delivery has ended or has had it; `attempt` is the number of those before.

        The next attempt is queued before the delivery is changed. A crash in between repeats this attempt; in the other
        order it would lose the next one.
        """
        try:
            endpoint = self._endpoints.get(endpoint_id)
        except NotFound:
            # Deleted while the event was handed on: nobody else would delete the delivery.
            self._deliveries.forget(endpoint_id)
            return None
        try:
            delivery = self._deliveries.get(endpoint_id, delivery_id)
        except NotFound:
            return None
        if delivery.status is not DeliveryStatus.PENDING or delivery.attempts > attempt:
            return None
        if not is_ready(endpoint):
            return self._ended(delivery.with_changes(status=DeliveryStatus.CANCELED, next_attempt_at=None))
        answer = self._answer(endpoint, delivery)
        after = after_attempt(delivery, answer, self._clock())
        if answer.status == GONE and not self._has_moved(endpoint):
            after = after.with_changes(status=DeliveryStatus.CANCELED, next_attempt_at=None)
        if after.next_attempt_at is not None:
            delay = int((after.next_attempt_at - self._clock()).total_seconds()) + 1
            self._queue.send(endpoint_id, delivery_id, after.attempts, delay)
        self._note(endpoint, answer, after)
        return self._ended(after)

    def sweep(self) -> int:
        """Forget old deliveries and queue those again whose message was lost; returns how many were queued."""
        queued, now = 0, self._clock()
        for endpoint in self._endpoints.all():
            self._deliveries.forget(endpoint.id, now - DELIVERIES_KEPT)
            for delivery in self._deliveries.recent(endpoint.id, MAX_SWEPT):
                if is_overdue(delivery, now):
                    self._queue.send(endpoint.id, delivery.id, delivery.attempts)
                    queued += 1
        return queued

    def _answer(self, endpoint: Endpoint, delivery: Delivery) -> Answer:
        """The endpoint's answer. One that did not answer a moment ago is not asked, so that it blocks no worker."""
        if self._monotonic() < self._resting.get(endpoint.id, 0.0):
            return Answer(fault="resting")
        answer = self._sender.send(endpoint, delivery.event_id, delivery.body)
        if answer.status == 0:
            self._resting[endpoint.id] = self._monotonic() + REST_SECONDS
        return answer

    def _has_moved(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint has got another URL since it was read: then the event goes there."""
        try:
            return self._endpoints.get(endpoint.id).url != endpoint.url
        except NotFound:
            return False

    def _ended(self, delivery: Delivery) -> Delivery:
        """Store the delivery. Another worker that had the same message may have been faster; both have sent it."""
        with suppress(Conflict):
            self._deliveries.replace(delivery)
        return delivery

    def _note(self, endpoint: Endpoint, answer: Answer, delivery: Delivery) -> None:
        """Note on the endpoint that it works again, fails, or wants no more events; mostly there is nothing to note.

        What a URL answers says nothing about the one that the endpoint may have got meanwhile.
        """
        failed = delivery.status is DeliveryStatus.FAILED
        if failed:
            _log.error("webhook delivery given up", extra={"endpoint": endpoint.id, "answer": answer.status})
        if answer.is_success and endpoint.failing_since is None and not endpoint.failed_deliveries:
            return
        if not answer.is_success and endpoint.failing_since is not None and not failed and answer.status != GONE:
            return
        with suppress(NotFound):
            self._endpoints.change(
                endpoint.id,
                lambda found: _noted(found, answer, failed, self._clock()) if found.url == endpoint.url else found,
            )


def _noted(endpoint: Endpoint, answer: Answer, failed: bool, now: datetime) -> Endpoint:
    if answer.is_success:
        return endpoint.with_changes(failing_since=None, failed_deliveries=0)
    noted = endpoint.with_changes(
        failing_since=endpoint.failing_since or now, failed_deliveries=endpoint.failed_deliveries + failed
    )
    return noted.with_changes(enabled=False, disabled_reason="gone") if answer.status == GONE else noted
