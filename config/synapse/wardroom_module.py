"""The Synapse module of Wardroom: no local client writes words into an encrypted room in clear, and none invites
somebody without a clinical role into a care room.

Synapse itself accepts a plaintext message in an encrypted room. Here every event without a state key that a local
user (appservice users included) sends into an encrypted room must be encrypted, or be one of the few kinds that the
protocol leaves in clear; those are bounded so that they cannot carry words. Events of other homeservers pass, since
refusing them would split the room: they raise an alert elsewhere. To be loaded on every worker that creates events.

A care room is one that a service user @r_... has made. Whom its members may invite stands in the account data
of @r_staff, which only Wardroom's application service can write; Synapse keeps it in its cache, so that a check costs
nothing and needs no further secret. Wardroom renews it every few minutes: a list that is missing or too old lets nobody in.
"""

import json
import re
import time
from typing import Any
from urllib.parse import quote

from twisted.web.resource import Resource

from synapse.api.errors import Codes, FederationDeniedError, HttpResponseException, RequestSendFailed, SynapseError
from synapse.event_auth import get_named_level, get_user_power_level
from synapse.events.utils import prune_event
from synapse.federation.sender.transaction_manager import TransactionManager
from synapse.module_api import DirectServeJsonResource, ModuleApi
from synapse.storage.databases.main.events_worker import EventRedactBehaviour
from synapse.util.async_helpers import concurrently_execute
from synapse.util.json import json_encoder

MEGOLM = "m.megolm.v1.aes-sha2"

# Call membership and ringing carry keys and ids, no words.
SIGNALLING = (
    "m.call.",
    "m.rtc.",
    "org.matrix.msc3401.call.",
    "org.matrix.msc4075.rtc.",
    "org.matrix.msc4143.rtc.",
    "org.matrix.msc4310.rtc.",
)

# What would show text beside the ciphertext.
CLEAR_TEXT_KEYS = ("body", "formatted_body", "m.text", "org.matrix.msc1767.text", "m.new_content", "msgtype", "url")

# What clients show as somebody's words; as room state it would be in clear for ever.
WORDS = ("m.room.message", "m.room.encrypted", "m.sticker", "m.reaction", "m.poll.", "org.matrix.msc3381.poll.")

REASON_CODE = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}")
MAX_REACTION = 64
MAX_REACTION_LETTERS = 3


OWNER = re.compile(r"@r_(?!unit_|staff:)")
STAFF_TYPE = "org.wardroom.staff"


def _refuse(sentence: str) -> None:
    raise SynapseError(403, sentence, Codes.FORBIDDEN)


def _check_encrypted(content: dict[str, Any]) -> None:
    if content.get("algorithm") != MEGOLM or not isinstance(content.get("ciphertext"), str):
        _refuse("An encrypted message without ciphertext is refused.")
    if any(key in content for key in CLEAR_TEXT_KEYS):
        _refuse("An encrypted message that also carries text in clear is refused.")


def _check_reaction(content: dict[str, Any]) -> None:
    relation = content.get("m.relates_to")
    key = relation.get("key") if isinstance(relation, dict) else None
    if not isinstance(key, str) or len(key) > MAX_REACTION or sum(c.isalpha() for c in key) > MAX_REACTION_LETTERS:
        _refuse("Reactions are not encrypted and must not carry words: use an emoji, or write a message.")
    extra = set(content) - {"m.relates_to"}
    if extra or set(relation) - {"rel_type", "event_id", "key"}:
        _refuse("Reactions are not encrypted and must carry nothing but their key.")


def _check_redaction(content: dict[str, Any]) -> None:
    reason = content.get("reason")
    if reason is not None and not (isinstance(reason, str) and REASON_CODE.fullmatch(reason)):
        _refuse("The reason of a removal is not encrypted: remove it without one, or explain in a message.")


CHECKS = {
    "m.room.encrypted": _check_encrypted,
    "m.reaction": _check_reaction,
    "m.room.redaction": _check_redaction,
}


# What is seen to here; the other modules of this folder add theirs.
GUARANTEES = ["no_clear_text", "staff_only_invitations", "destroys_content"]


class Guarantees(Resource):
    """Tells Wardroom at its start which modules are loaded, by what they see to."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        request.setHeader(b"Content-Type", b"application/json")
        return json.dumps({"guarantees": GUARANTEES}).encode()


# Of one call; a call is answered once everything in it is gone.
MAX_DESTROY = 500


class Records(DirectServeJsonResource):
    """What Wardroom's own deletion, recall and legal hold do with events' content. Only its application services may ask."""

    isLeaf = True
    services: tuple[str, ...] = ("wardroom-bots", "wardroom-ghosts")

    def __init__(self, api: ModuleApi):
        super().__init__()
        self._api = api

    async def _events(self, request: Any) -> list[str]:
        return await self._list(request, "events")

    async def _body(self, request: Any) -> dict[str, Any]:
        requester = await self._api.get_user_by_req(request)
        if requester.app_service_id not in self.services:
            _refuse("Only Wardroom's services may do this.")
        try:
            body = json.loads(request.content.read(1024 * 1024))
        except ValueError:
            body = None
        return body if isinstance(body, dict) else {}

    async def _list(self, request: Any, name: str, kind: type = str) -> list[Any]:
        found = (await self._body(request)).get(name)
        if not isinstance(found, list) or len(found) > MAX_DESTROY or not all(isinstance(e, kind) for e in found):
            raise SynapseError(400, f"{name} is a list of at most {MAX_DESTROY}", Codes.BAD_JSON)
        return found


class Copy(Records):
    """Gives events as they are stored, also what a client has removed and the homeserver has not pruned yet, so that a
    hold can keep it."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        store = self._api._hs.get_datastores().main
        copies: dict[str, Any] = {}
        for event_id in await self._events(request):
            event = await store.get_event(
                event_id, redact_behaviour=EventRedactBehaviour.as_is, allow_none=True
            )
            if event is None or event.is_state():
                continue
            copies[event_id] = event.get_pdu_json()
        return 200, {"events": copies}


# Events of one page of a room.
MAX_PAGE = 200
# What a sender's server says of the time may lie ahead: nothing was sent later than it came, or it would be in no export.
SENT = "LEAST(origin_server_ts, COALESCE(received_ts, origin_server_ts))"


class Room(Records):
    """Gives the events of a room in the order in which they came, as they are stored, for an export that two people have
    approved: who removed one is said beside it. Only for the bots, to whom every room's events are delivered anyway: the
    bridge sees its own rooms alone."""

    services = ("wardroom-bots",)

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        body = await self._body(request)
        room = body.get("room")
        if not isinstance(room, str):
            raise SynapseError(400, "room is missing", Codes.BAD_JSON)
        conditions = ["room_id = ?", "NOT outlier", "rejection_reason IS NULL"]
        values: list[Any] = [room]
        for name, condition, kind in (
            ("after", "stream_ordering > ?", int),
            ("since", f"{SENT} >= ?", int),
            ("until", f"{SENT} < ?", int),
            ("sender", "sender = ?", str),
            ("type", "type = ?", str),
        ):
            value = body.get(name)
            if value is None:
                continue
            if not isinstance(value, kind):
                raise SynapseError(400, f"{name} is of the wrong kind", Codes.BAD_JSON)
            conditions.append(condition)
            values.append(value)

        def page(txn: Any) -> list[tuple[str, int]]:
            txn.execute(
                f"SELECT event_id, stream_ordering FROM events WHERE {' AND '.join(conditions)}"
                " ORDER BY stream_ordering LIMIT ?",
                (*values, MAX_PAGE),
            )
            return list(txn)

        store = self._api._hs.get_datastores().main
        rows = await store.db_pool.runInteraction("wardroom_room", page)
        ids = [event_id for event_id, _ in rows]
        stored = await store.get_events(ids, redact_behaviour=EventRedactBehaviour.as_is)
        shown = await store.get_events(ids, redact_behaviour=EventRedactBehaviour.redact)
        events = []
        for event_id in ids:
            event = stored.get(event_id)
            if event is None:
                continue
            by = shown[event_id].internal_metadata.redacted_by if event_id in shown else None
            because = await store.get_event(by, allow_none=True) if by else None
            events.append(
                {
                    "id": event_id,
                    "event": event.get_pdu_json(),
                    "unseen": event.internal_metadata.is_soft_failed(),
                    "removed": because
                    and {
                        "event": because.event_id,
                        "by": because.sender,
                        "at": because.origin_server_ts,
                        "reason": because.content.get("reason"),
                    },
                }
            )
        return 200, {"events": events, "next": rows[-1][1] if len(rows) == MAX_PAGE else None}


# Private to Synapse, and what makes one transaction out of many. A later one may lack them: then each event has its own.
PRUNES = ("invalidate_get_event_cache_after_txn", "_send_invalidation_to_replication_bulk")


class Destroy(Records):
    """Destroys events' content in this homeserver's database and caches; state is never touched."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        store = self._api._hs.get_datastores().main
        ids = await self._events(request)
        found = await store.get_events(ids)
        answer = {e: "missing" if e not in found else "state" if found[e].is_state() else "destroyed" for e in ids}
        # In one order everywhere, so that two calls do not wait for each other.
        doomed = sorted(e for e in answer if answer[e] == "destroyed")
        together = all(hasattr(store, name) for name in PRUNES)
        if not together:
            await concurrently_execute(store.expire_event, doomed, 5)
        pruned = [json_encoder.encode(prune_event(found[e]).get_pdu_json()) for e in doomed] if together else []

        def prune(txn: Any) -> None:
            """As `expire_event` does with each: the stored JSON, and the event in every worker's cache."""
            store.db_pool.simple_update_many_txn(
                txn, "event_json", ["event_id"], [[e] for e in doomed], ["json"], [[text] for text in pruned]
            )
            for event_id in doomed:
                store.invalidate_get_event_cache_after_txn(txn, event_id)
            store._send_invalidation_to_replication_bulk(txn, "_get_event_cache", [(e,) for e in doomed])

        def destroy(txn: Any) -> None:
            if together:
                prune(txn)
            for table in ("event_search", "event_push_actions_staging", "event_expiry"):
                store.db_pool.simple_delete_many_txn(txn, table, "event_id", doomed, {})
            # Its indices begin with the room.
            store.db_pool.simple_delete_many_batch_txn(
                txn, "event_push_actions", ("room_id", "event_id"), [(found[e].room_id, e) for e in doomed]
            )

        if doomed:
            await store.db_pool.runInteraction("wardroom_destroy", destroy)
        return 200, {"events": answer}


class Rooms(Records):
    """Which other homeservers are in each of these rooms now, and whether the room was made here."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        store = self._api._hs.get_datastores().main
        answer: dict[str, Any] = {}
        for room_id in await self._list(request, "rooms"):
            hosts = await store.get_current_hosts_in_room(room_id)
            state = await self._api.get_room_state(room_id, [("m.room.create", "")])
            create = state.get(("m.room.create", ""))
            answer[room_id] = {
                "servers": sorted(h for h in hosts if h != self._api.server_name),
                "ours": create is None or self._api.is_mine(create.sender),
            }
        return 200, {"server": self._api.server_name, "rooms": answer}


class Traces(Records):
    """Of each event: whether this homeserver holds it to be removed (a removal by somebody who may not is only an event,
    and changes nothing), and the reactions to it."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        store = self._api._hs.get_datastores().main
        answer: dict[str, Any] = {}
        for event_id in await self._events(request):
            event = await store.get_event(event_id, allow_none=True)
            if event is None:
                continue
            rows = await store.db_pool.simple_select_list(
                "event_relations",
                {"relates_to_id": event_id, "relation_type": "m.annotation"},
                ("event_id",),
                desc="wardroom_traces",
            )
            removed = event.internal_metadata.redacted_by is not None
            answer[event_id] = {"removed": removed, "reactions": [row[0] for row in rows]}
        return 200, {"events": answer}


# A homeserver that does not answer within this time counts as away.
SERVER_TIMEOUT_MS = 10_000


class Servers(Records):
    """Whether other homeservers have these removals. It asks them for the event itself, because what was handed over
    proves nothing: after an outage Synapse sends only the newest event of a room. Who answers again after an outage also
    gets what waits for it. With `again` a removal that is missing there is sent once more."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        wanted = await self._list(request, "requests", dict)
        by_server: dict[str, list[dict[str, Any]]] = {}
        for one in wanted:
            by_server.setdefault(str(one.get("server")), []).append(one)
        answer: dict[str, dict[str, str]] = {}

        async def ask(server: str) -> None:
            answer[server] = {}
            for one in by_server[server]:
                if "away" in answer[server].values():
                    state = "away"
                else:
                    state = await self._ask(server, str(one.get("event")), one.get("again") is True)
                answer[server][str(one.get("event"))] = state

        await concurrently_execute(ask, list(by_server), 10)
        return 200, {"servers": answer}

    async def _ask(self, server: str, event_id: str, again: bool) -> str:
        hs = self._api._hs
        path = f"/_matrix/federation/v1/event/{quote(event_id, safe='')}"
        try:
            body = await hs.get_federation_http_client().get_json(
                server, path, timeout=SERVER_TIMEOUT_MS, ignore_backoff=True
            )
        except HttpResponseException as e:
            if e.code >= 500:
                return "away"
        except FederationDeniedError:
            return "denied"
        except RequestSendFailed:
            return "away"
        else:
            pdus = body.get("pdus")
            if isinstance(pdus, list) and pdus and pdus[0].get("type") == "m.room.redaction":
                return "there"
        event = await hs.get_datastores().main.get_event(event_id, allow_none=True) if again else None
        if event is not None:
            self._api.run_as_background_process("wardroom_ask_again", self._again, server, event, bg_start_span=False)
        return "missing"

    async def _again(self, server: str, event: Any) -> None:
        try:
            await TransactionManager(self._api._hs).send_new_transaction(server, [event], [])
        except (HttpResponseException, RequestSendFailed):
            pass  # it is asked for again, and the answer then says so


class Standing(Records):
    """Of each of these users: whether they are in the room now, and whether they may remove others' messages there."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        users = await self._list(request, "users")
        room_id = request.args.get(b"room", [b""])[0].decode("utf-8", "replace")
        wanted = [("m.room.create", ""), ("m.room.power_levels", ""), *(("m.room.member", user) for user in users)]
        state = await self._api.get_room_state(room_id, wanted)
        answer: dict[str, Any] = {}
        for user in users:
            member = state.get(("m.room.member", user))
            powerful = ("m.room.create", "") in state and (
                get_user_power_level(user, state) >= get_named_level(state, "redact", 50)
            )
            answer[user] = {"member": member is not None and member.membership == "join", "redact": powerful}
        return 200, {"users": answer}


class WardroomModule:
    @staticmethod
    def parse_config(config: dict[str, Any]) -> dict[str, Any]:
        return config or {}

    def __init__(self, config: dict[str, Any], api: ModuleApi):
        self._api = api
        if api._hs.config.experimental.msc4222_enabled:
            GUARANTEES.append("tells_latest_state")
        api.register_third_party_rules_callbacks(check_event_allowed=self.check_event_allowed)
        api.register_web_resource("/_synapse/client/wardroom", Guarantees())
        api.register_web_resource("/_synapse/client/wardroom_destroy", Destroy(api))
        api.register_web_resource("/_synapse/client/wardroom_copy", Copy(api))
        api.register_web_resource("/_synapse/client/wardroom_standing", Standing(api))
        api.register_web_resource("/_synapse/client/wardroom_room", Room(api))
        api.register_web_resource("/_synapse/client/wardroom_rooms", Rooms(api))
        api.register_web_resource("/_synapse/client/wardroom_traces", Traces(api))
        api.register_web_resource("/_synapse/client/wardroom_servers", Servers(api))

    async def _check_invitation(self, event: Any, state: Any) -> None:
        create = state.get(("m.room.create", ""))
        if create is None or not OWNER.match(create.sender) or event.sender == create.sender:
            return
        staff = await self._api.account_data_manager.get_global(f"@r_staff:{self._api.server_name}", STAFF_TYPE)
        if staff is None or staff.get("until", 0) < time.time() * 1000:
            _refuse(
                "Wardroom does not answer, so nobody can tell who belongs to the clinic's staff: nobody can be invited"
                " to a patient's room now. Try again in a few minutes, or tell your administrator."
            )
        if event.state_key not in staff.get("users", ()):
            _refuse(
                f"{event.state_key} has no clinical role, and only staff with one can be invited to a patient's room."
                " An administrator grants it: !role grant USER clinician."
            )

    async def check_event_allowed(self, event: Any, state: Any) -> tuple[bool, None]:
        if event.type == "m.room.member" and event.membership == "invite" and self._api.is_mine(event.sender):
            await self._check_invitation(event, state)
        if ("m.room.encryption", "") not in state or not self._api.is_mine(event.sender):
            return True, None
        if event.is_state():
            if event.type == "m.room.encryption" and event.content.get("algorithm") != MEGOLM:
                _refuse("Encryption cannot be taken out of a room.")
            if event.type.startswith(WORDS):
                _refuse("Room state is not encrypted and must not carry messages.")
            return True, None
        check = CHECKS.get(event.type)
        if check is not None:
            check(dict(event.content))
        elif not event.type.startswith(SIGNALLING):
            _refuse("This room is encrypted: your client tried to send in clear, and the message was not accepted.")
        return True, None
