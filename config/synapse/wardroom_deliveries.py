"""The Synapse module that sees to it that Wardroom's services get every event.

Synapse keeps a transaction that it could not deliver in its database, and a recoverer sends what is kept until nothing
is left. Two ways leave one behind that nobody sends any more: it is stored while the service counts as down, at the
moment in which the recoverer has found nothing and ends; or Synapse is killed while it delivers, and starts with the
service counted as up. What is kept would then wait for the next time that the service goes away. Here the oldest kept
transaction of each service is looked at every few seconds: one that is still there at the next look, while no
recoverer is at work, gets one.

And behind a delivery that takes long, events wait in memory only, while the database says already that they were
passed on: a Synapse that is killed then has lost them for the service. So after each start the events of the last two
minutes before it are passed on once more.

What comes twice is harmless: Wardroom knows events by their ids. To be loaded on the worker that notifies application
services (`notify_appservices_from_worker`).
"""

import logging
from typing import Any

from synapse.module_api import ModuleApi

from wardroom_module import GUARANTEES, Records

logger = logging.getLogger(__name__)

LOOK_MS = 3000

# Of those before a start, at most so many are passed on again, and so far back (`again_seconds` in the configuration).
AGAIN_EVENTS = 5000
AGAIN_SECONDS = 120


class WardroomDeliveries:
    @staticmethod
    def parse_config(config: dict[str, Any]) -> dict[str, Any]:
        again = config.get("again_seconds", AGAIN_SECONDS)
        if not isinstance(again, int) or again < 0:
            raise ValueError("again_seconds is a whole number of seconds, 0 or more")
        return {"again_seconds": again}

    def __init__(self, config: dict[str, Any], api: ModuleApi):
        self._hs = api._hs
        self._again_ms: int = config["again_seconds"] * 1000
        self._oldest: dict[str, int | None] = {}
        self._passed_on_again = False
        GUARANTEES.append("delivers_everything")
        if self._hs.config.worker.should_notify_appservices:
            api.looping_background_call(self._look, LOOK_MS, desc="wardroom_deliveries", run_on_all_instances=True)

    def _services(self) -> list[Any]:
        return [s for s in self._hs.get_datastores().main.get_app_services() if s.id in Records.services]

    async def _pass_on_again(self) -> None:
        store = self._hs.get_datastores().main

        def latest(txn: Any) -> list[tuple[str, int]]:
            txn.execute(
                "SELECT event_id, received_ts FROM events ORDER BY stream_ordering DESC LIMIT ?", (AGAIN_EVENTS,)
            )
            return list(txn.fetchall())

        rows = await store.db_pool.runInteraction("wardroom_latest", latest)
        if not rows:
            return
        since = max(received for _, received in rows) - self._again_ms
        events = await store.get_events_as_list([event for event, received in reversed(rows) if received > since])
        scheduler = self._hs.get_application_service_scheduler()
        for service in self._services():
            wanted = [e for e in events if await service.is_interested_in_event(e.event_id, e, store)]
            scheduler.enqueue_for_appservice(service, events=wanted)

    async def _look(self) -> None:
        store = self._hs.get_datastores().main
        if not self._passed_on_again:
            await self._pass_on_again()
            self._passed_on_again = True
        controller = self._hs.get_application_service_scheduler().txn_ctrl
        for service in self._services():
            oldest = await store.db_pool.simple_select_one_onecol(
                "application_services_txns", {"as_id": service.id}, "MIN(txn_id)", allow_none=True
            )
            left = oldest is not None and oldest == self._oldest.get(service.id)
            self._oldest[service.id] = oldest
            if left and service.id not in controller.recoverers:
                logger.warning("A transaction for %s was left behind: it is sent again", service.id)
                await controller._on_txn_fail(service)
