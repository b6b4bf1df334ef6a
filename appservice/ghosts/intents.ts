import { AppServiceRegistration, Bridge, type Intent, Logger } from 'matrix-appservice-bridge'
import type { Registration } from '../../config/registration.ts'
import type { RoomId, UserId } from '../../core/domain/ids.ts'
import { type Homeserver, MatrixRefusal } from '../../core/matrix/homeserver.ts'

/**
 * Our users at the homeserver that never listen: ghosts and the owners of care rooms. Registration, room creation and state go through the bridge
 * library's intents; what must be idempotent (a transaction id) or encrypted goes through `Homeserver` or core/matrix. Words never go through an
 * intent: the library would send them in plaintext.
 */
export interface Ghosts {
  ensure(user: UserId): Promise<void>
  createRoom(owner: UserId, options: Record<string, unknown>): Promise<RoomId>
  /** Invites; somebody who is in the room already is no error. */
  invite(owner: UserId, room: RoomId, user: string): Promise<void>
  join(user: UserId, room: RoomId): Promise<void>
  setState(owner: UserId, room: RoomId, type: string, content: Record<string, unknown>, key?: string): Promise<void>
  /** Rooms that this user is in now: how a repeated enrolment finds the room that an earlier try made. */
  roomsOf(user: UserId): Promise<RoomId[]>
  /** Uploads a picture that is no secret; its mxc address. */
  upload(owner: UserId, bytes: Uint8Array, type: string, name: string): Promise<string>
  readonly serverName: string
  stop(): Promise<void>
}

export type GhostsOptions = { homeserver: Homeserver; registration: Registration; serverName: string }

const refuseListener = () => {
  throw new Error('events come through the inbox, never through the bridge library')
}

/** Opens the bridge library without its listener, stores or encryption. */
export const openGhosts = async ({ homeserver, registration, serverName }: GhostsOptions): Promise<Ghosts> => {
  Logger.configure({ console: 'off' })
  const loaded = AppServiceRegistration.fromObject(
    registration as unknown as Parameters<typeof AppServiceRegistration.fromObject>[0],
  )
  if (!loaded) throw new Error('the ghosts registration is not complete')
  const bridge = new Bridge({
    homeserverUrl: homeserver.url,
    domain: serverName,
    registration: loaded,
    disableStores: true,
    logRequestOutcome: false,
    intentOptions: { clients: { dontJoin: true, dontCheckPowerLevel: true, enablePresence: false } },
    controller: { onEvent: refuseListener },
  })
  await bridge.initialise()
  const intent = (user: UserId): Intent => bridge.getIntent(user)
  const already = (e: unknown) =>
    e instanceof MatrixRefusal && e.errcode === 'M_FORBIDDEN' && /already (in|invited)|is already/.test(e.message)
  return {
    serverName,
    stop: () => bridge.close(),
    ensure: async user => {
      await intent(user).ensureRegistered()
    },
    createRoom: async (owner, options) =>
      (await intent(owner).createRoom({ createAsClient: true, options })).room_id as RoomId,
    invite: async (owner, room, user) => {
      try {
        await homeserver.request('POST', `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/invite`, {
          userId: owner,
          body: { user_id: user },
        })
      } catch (e) {
        if (!already(e)) throw e
      }
    },
    join: async (user, room) => {
      await homeserver.request('POST', `/_matrix/client/v3/join/${encodeURIComponent(room)}`, {
        userId: user,
        body: {},
      })
    },
    setState: async (owner, room, type, content, key = '') => {
      await intent(owner).sendStateEvent(room, type, key, content)
    },
    upload: (owner, bytes, type, name) => intent(owner).uploadContent(Buffer.from(bytes), { type, name }),
    roomsOf: async user =>
      (await homeserver.request<{ joined_rooms: RoomId[] }>('GET', '/_matrix/client/v3/joined_rooms', { userId: user }))
        .joined_rooms,
  }
}
