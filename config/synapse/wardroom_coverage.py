"""The second part of Wardroom's Synapse module: adds the records bot, visibly, to rooms of the staff's own making, where
the clinic's policy says that records of them are kept, and destroys files.

Which rooms stands in the account data of @wardroom_policy, which only Wardroom's application service can write. A new
room gets the bot while it is being made, as one of those whom its creator invites, so that nothing is said in it that
the records lack: clients share their keys with whoever is invited, and Wardroom joins when it is told of the invitation.
(A hook on each new event could do that here; for it Synapse would load a room's state with every event.) The bot is
named as a functional member (io.element.functional_members), so that a direct chat still looks like one. Care rooms and
every other room of Wardroom's own users are never touched.
"""

import json
import os
import re
import shutil
import time
from typing import Any

from synapse.api.errors import Codes, SynapseError
from synapse.module_api import ModuleApi

from wardroom_module import GUARANTEES, Records

POLICY_USER = "wardroom_policy"
POLICY_TYPE = "org.wardroom.records"
FUNCTIONAL = "io.element.functional_members"

OURS = re.compile(r"@(wardroom(_.*)?|_wardroom.*|role_.*|[pr]_.*):")
ROOM_VERSIONS = {str(n) for n in range(1, 12)}

# Rooms of one call to Cover, between two of which a change of the policy is heeded, and files of one call to DestroyMedia.
MAX_ROOMS = 50
MAX_FILES = 200


def _covers(coverage: Any, direct: bool) -> bool:
    return coverage == "staff_and_direct" or (coverage == "staff" and not direct)


def _level(content: Any, key: str, otherwise: int) -> int:
    value = content.get(key, otherwise)
    return value if isinstance(value, int) else otherwise


class Cover(Records):
    """Goes through the encrypted rooms in which a bot is not, in their order, and adds it where a member of this
    homeserver may: says of each what became of it."""

    async def _body(self, request: Any) -> dict[str, Any]:
        requester = await self._api.get_user_by_req(request)
        if requester.app_service_id != "wardroom-bots":
            raise SynapseError(403, "Only Wardroom's services may do this.", Codes.FORBIDDEN)
        try:
            body = json.loads(request.content.read(64 * 1024))
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("after"), str) or not isinstance(body.get("bot"), str):
            raise SynapseError(400, "bot, coverage and after are needed", Codes.BAD_JSON)
        if not OURS.match(body["bot"]) or not self._api.is_mine(body["bot"]):
            raise SynapseError(400, "bot is one of Wardroom's own users", Codes.BAD_JSON)
        return body

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        body = await self._body(request)
        store = self._api._hs.get_datastores().main
        rows = await store.db_pool.execute(
            "wardroom_rooms",
            """SELECT s.room_id, r.creator FROM current_state_events s JOIN rooms r ON r.room_id = s.room_id
               WHERE s.type = 'm.room.encryption' AND s.state_key = '' AND s.room_id > ? AND NOT EXISTS (
                 SELECT 1 FROM local_current_membership m
                 WHERE m.room_id = s.room_id AND m.user_id = ? AND m.membership = 'join')
               ORDER BY s.room_id LIMIT ?""",
            body["after"],
            body["bot"],
            MAX_ROOMS,
        )
        rooms = []
        for room_id, creator in rows:
            if creator and OURS.match(creator):
                continue
            found = await self._room(room_id, body["bot"], body.get("coverage"))
            if found is not None:
                rooms.append({"room": room_id, **found})
        return 200, {"rooms": rooms, "next": rows[-1][0] if len(rows) == MAX_ROOMS else None}

    async def _is_direct(self, room_id: str, people: list[str]) -> bool:
        if len(people) > 2:
            return False
        for user in people:
            if self._api.is_mine(user):
                chats = await self._api.account_data_manager.get_global(user, "m.direct") or {}
                if any(room_id in rooms for rooms in chats.values() if isinstance(rooms, (list, tuple))):
                    return True
        return False

    async def _room(self, room_id: str, bot: str, coverage: Any) -> dict[str, str] | None:
        state = await self._api.get_room_state(
            room_id,
            [
                ("m.room.create", ""),
                ("m.room.power_levels", ""),
                ("m.room.member", None),
                ("m.room.tombstone", ""),
                (FUNCTIONAL, ""),
            ],
        )
        create = state.get(("m.room.create", ""))
        if create is None or create.content.get("type") is not None or ("m.room.tombstone", "") in state:
            return None
        members = {key[1]: e.membership for key, e in state.items() if key[0] == "m.room.member"}
        there = [user for user, membership in members.items() if membership in ("join", "invite") and user != bot]
        local = [user for user in there if members[user] == "join" and self._api.is_mine(user)]
        if len(there) < 2 or not local or any(OURS.match(user) and self._api.is_mine(user) for user in there):
            return None
        direct = await self._is_direct(room_id, there)
        kind = "direct" if direct else "staff"
        if not _covers(coverage, direct):
            return None
        if members.get(bot) == "ban":
            return {"class": kind, "state": "impossible", "reason": "banned"}
        power = state.get(("m.room.power_levels", ""))
        levels = power.content if power is not None else {"users": {create.sender: 100}}
        users = levels.get("users", {})
        # In rooms from version 12 on, those who made the room stand above all levels.
        makers = {create.sender, *create.content.get("additional_creators", ())}
        above = create.room_version.msc4289_creator_power_enabled

        def level(user: str) -> int:
            return 10**9 if above and user in makers else _level(users, user, _level(levels, "users_default", 0))

        host = max(local, key=level)
        state_level = _level(levels, "state_default", 50)
        event_levels = levels.get("events", {})
        if level(host) < _level(levels, "invite", 0):
            return {"class": kind, "state": "impossible", "reason": "nobody_may_invite"}
        if direct and level(host) < _level(event_levels, FUNCTIONAL, state_level):
            return {"class": kind, "state": "impossible", "reason": "nobody_may_name_it"}
        try:
            if members.get(bot) != "invite":
                await self._api.update_room_membership(host, bot, room_id, "invite")
            await self._name(host, room_id, bot, state.get((FUNCTIONAL, "")), level(host), event_levels, state_level)
            await self._empower(host, room_id, bot, levels, level(host), event_levels)
            await self._api.update_room_membership(bot, bot, room_id, "join")
        except SynapseError as e:
            return {"class": kind, "state": "impossible", "reason": f"refused_{e.code}"}
        return {"class": kind, "state": "covered"}

    async def _name(
        self, host: str, room_id: str, bot: str, named: Any, level: int, events: Any, otherwise: int
    ) -> None:
        content = dict(named.content) if named is not None else {}
        members = [user for user in content.get("service_members", ()) if isinstance(user, str)]
        if bot in members or level < _level(events, FUNCTIONAL, otherwise):
            return
        await self._api.create_and_send_event_into_room(
            {
                "type": FUNCTIONAL,
                "state_key": "",
                "room_id": room_id,
                "sender": host,
                "content": {**content, "service_members": [*members, bot]},
            }
        )

    async def _empower(self, host: str, room_id: str, bot: str, levels: Any, level: int, events: Any) -> None:
        """Lets the bot remove what has to go, where somebody can."""
        needed = _level(levels, "redact", 50)
        users = dict(levels.get("users", {}))
        if level < needed or level < _level(events, "m.room.power_levels", 100) or _level(users, bot, 0) >= needed:
            return
        await self._api.create_and_send_event_into_room(
            {
                "type": "m.room.power_levels",
                "state_key": "",
                "room_id": room_id,
                "sender": host,
                "content": {**levels, "users": {**users, bot: needed}},
            }
        )


class Members(Records):
    """Who was ever in each of these rooms: whoever may have passed on a file that they saw there."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        store = self._api._hs.get_datastores().main
        answer: dict[str, list[str]] = {}
        for room_id in await self._list(request, "rooms"):
            rows = await store.db_pool.execute(
                "wardroom_members",
                "SELECT DISTINCT user_id FROM room_memberships WHERE room_id = ? AND membership = 'join'",
                room_id,
            )
            answer[room_id] = sorted(user for (user,) in rows)
        return 200, {"rooms": answer}


class DestroyMedia(Records):
    """Destroys files (`server/id`) with their thumbnails, in the media store and in the database: this homeserver's own,
    and its copies of other homeservers'."""

    async def _async_render_POST(self, request: Any) -> tuple[int, dict[str, Any]]:
        media = self._api._hs.get_media_repository()
        store = self._api._hs.get_datastores().main
        answer: dict[str, str] = {}
        for mxc in (await self._list(request, "media"))[:MAX_FILES]:
            server, _, media_id = mxc.partition("/")
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", media_id):
                answer[mxc] = "missing"
            elif self._api.server_name == server:
                known = await store.get_local_media(media_id)
                gone, _count = await media.delete_local_media_ids([media_id]) if known else ([], 0)
                answer[mxc] = "destroyed" if gone else ("failed" if known else "missing")
            else:
                answer[mxc] = await self._remote(media, store, server, media_id)
        return 200, {"media": answer}

    async def _remote(self, media: Any, store: Any, server: str, media_id: str) -> str:
        cached = await store.get_cached_remote_media(server, media_id)
        if cached is None:
            return "missing"
        async with media.remote_media_linearizer.queue((server, media_id)):
            try:
                os.remove(media.filepaths.remote_media_filepath(server, cached.filesystem_id))
            except FileNotFoundError:
                pass
            shutil.rmtree(media.filepaths.remote_media_thumbnail_dir(server, cached.filesystem_id), ignore_errors=True)
            await store.delete_remote_media(server, media_id)
        return "destroyed"


class WardroomCoverage:
    @staticmethod
    def parse_config(config: dict[str, Any]) -> dict[str, Any]:
        return config or {}

    def __init__(self, config: dict[str, Any], api: ModuleApi):
        self._api = api
        GUARANTEES.append("covers_rooms")
        api.register_third_party_rules_callbacks(on_create_room=self.on_create_room)
        api.register_web_resource("/_synapse/client/wardroom_cover", Cover(api))
        api.register_web_resource("/_synapse/client/wardroom_members", Members(api))
        api.register_web_resource("/_synapse/client/wardroom_destroy_media", DestroyMedia(api))

    async def _policy(self) -> tuple[str, str] | None:
        """The bot and the coverage, while a policy is in force."""
        owner = f"@{POLICY_USER}:{self._api.server_name}"
        policy = await self._api.account_data_manager.get_global(owner, POLICY_TYPE)
        if policy is None or policy.get("until", 0) < time.time() * 1000:
            return None
        bot, coverage = policy.get("bot"), policy.get("coverage")
        if not isinstance(bot, str) or coverage not in ("staff", "staff_and_direct"):
            return None
        return bot, coverage

    async def on_create_room(self, requester: Any, config: dict[str, Any], is_admin: bool) -> None:
        creator = requester.user.to_string()
        if requester.app_service_id is not None or OURS.match(creator):
            return
        policy = await self._policy()
        invited = config.get("invite", [])
        made = config.get("creation_content", {})
        if (
            policy is None
            or not isinstance(invited, list)
            or not isinstance(made, dict)
            or made.get("type") is not None
            # Whoever is invited to a trusted chat of a later version becomes one of its makers for good: such a room
            # gets the bot by the next look at all rooms.
            or config.get("room_version", "11") not in ROOM_VERSIONS
            or any(isinstance(user, str) and OURS.match(user) and self._api.is_mine(user) for user in invited)
        ):
            return
        bot, coverage = policy
        if not _covers(coverage, config.get("is_direct") is True):
            return
        config["invite"] = [*invited, bot]
        state = config.get("initial_state", [])
        if isinstance(state, list):
            others = [s for s in state if not (isinstance(s, dict) and s.get("type") == FUNCTIONAL)]
            config["initial_state"] = [
                *others,
                {"type": FUNCTIONAL, "state_key": "", "content": {"service_members": [bot]}},
            ]
        if config.get("preset") != "trusted_private_chat":
            override = config.get("power_level_content_override") or {}
            if isinstance(override, dict):
                users = {creator: 100, **(override.get("users") or {})}
                needed = _level(override, "redact", 50)
                config["power_level_content_override"] = {**override, "users": {**users, bot: needed}}
