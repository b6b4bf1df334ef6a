import { randomBytes } from 'node:crypto'
import {
  ClientEvent,
  createClient,
  EventType,
  type MatrixClient,
  type MatrixError,
  type MatrixEvent,
  MemoryCryptoStore,
  MemoryStore,
  type Room,
  type UIAuthCallback,
} from 'matrix-js-sdk'
import {
  AllDevicesIsolationMode,
  DecryptionFailureCode,
  EventShieldColour,
  OnlySignedDevicesIsolationMode,
} from 'matrix-js-sdk/lib/crypto-api/index.js'
import { stopSdkClient, tameTimeouts } from '../../core/matrix/sdk-client.ts'
import { decryptAttachment, type EncryptedFile, encryptAttachment } from './attachment.ts'
import { eventually } from './eventually.ts'
import { tellOfKeys } from './key-traffic.ts'
import { sdkLogger } from './quiet-logger.ts'
import { stack } from './stack.ts'

/** One event as this clinician's client shows it. */
export type Seen = {
  eventId: string
  roomId: string
  sender: string
  /** The decrypted type; `m.room.encrypted` while it cannot be read. */
  type: string
  stateKey: string | undefined
  content: Record<string, unknown>
  body: string
  html: string | undefined
  /** Was it encrypted on the wire? */
  encrypted: boolean
  /** Why it cannot be decrypted, as js-sdk's code; undefined when it can. */
  failure: string | undefined
  redacted: boolean
  /** The thread's root, and what a reaction or edit is about. */
  thread: string | undefined
  relatesTo: string | undefined
  reaction: string | undefined
  event: MatrixEvent
}

/** What stands between this client and the homeserver: `offline` fails every call; `delay` holds a call back (ms). */
export type Network = { offline: boolean; delay: (path: string) => number }

export type Account = { url: string; userId: string; accessToken: string; deviceId: string; password?: string }

export type ClinicianOptions = {
  /** Excludes devices that their owner has not signed, as Element does from 2026 on and `config/element` sets (default true). */
  onlySigned?: boolean
  /** False: never sets up cross-signing, so that its device is unsigned. */
  signed?: boolean
  /** A recovery key of the same account: this device signs itself with the existing identity. */
  recoveryKey?: Uint8Array
  /** Joins whatever it is invited to (default true). */
  autoJoin?: boolean
  displayName?: string
  /** Keeps the timelines from before a gap, as Element does. */
  timelineSupport?: boolean
  /** Told of every call that carries keys. */
  traffic?: (line: string) => void
}

type Wait = { timeout?: number; what?: string }

/** A real Matrix client as a clinician uses one: cross-signing, secret storage, key backup, memory stores. */
export type Clinician = {
  readonly client: MatrixClient
  readonly userId: string
  readonly deviceId: string
  readonly accessToken: string
  /** For further logins; empty when unknown. */
  readonly password: string
  /** The secret storage key: signs a second device of this account. Empty when `signed` was false. */
  readonly recoveryKey: Uint8Array
  readonly network: Network
  /** Sends text encrypted; waits until the room is known as encrypted, and throws if it is not. Gives the event id. */
  send(roomId: string, text: string, options?: { thread?: string; replyTo?: string }): Promise<string>
  sendContent(roomId: string, type: string, content: Record<string, unknown>): Promise<string>
  /** Sends in clear past the client's encryption, as a careless bot would; the homeserver's status and answer. */
  sendPlaintext(roomId: string, text: string): Promise<{ status: number; eventId: string | undefined }>
  sendImage(roomId: string, bytes: Uint8Array<ArrayBuffer>, info: { name: string; mimetype: string }): Promise<string>
  /** The bytes of an encrypted attachment, checked and decrypted. */
  download(seen: Seen): Promise<Uint8Array<ArrayBuffer>>
  react(roomId: string, eventId: string, key: string): Promise<string>
  redact(roomId: string, eventId: string): Promise<void>
  read(roomId: string, eventId: string): Promise<void>
  createRoom(options?: { name?: string; invite?: string[]; direct?: boolean }): Promise<string>
  /** An encrypted direct chat with one user; resolves when that user has joined. */
  direct(userId: string, wait?: Wait): Promise<string>
  /** Invites and shares the room's earlier keys with the guest (MSC4268). */
  invite(roomId: string, userId: string): Promise<void>
  /** Waits for the invitation where needed, joins, and waits until the room is known. */
  join(roomId: string, wait?: Wait): Promise<void>
  room(roomId: string): Promise<Room>
  /** Everything received so far, oldest first, as it looks now. */
  seen(roomId?: string): Seen[]
  /** The first event, past or to come, that satisfies the predicate (60 s). */
  waitFor(predicate: (seen: Seen) => boolean, wait?: Wait): Promise<Seen>
  /** What a client would show beside the message: `none`, or a warning in `grey` or `red`. */
  shield(seen: Seen): Promise<'none' | 'grey' | 'red'>
  /** Replaces this account's cross-signing identity, as a person who lost everything does. */
  resetIdentity(): Promise<void>
  stop(): Promise<void>
}

const signedByOwner = (client: MatrixClient, userId: string, deviceId: string): Promise<true> =>
  eventually(
    async () => {
      const crypto = client.getCrypto()
      await crypto?.userHasCrossSigningKeys(userId, true)
      return (await crypto?.getDeviceVerificationStatus(userId, deviceId))?.signedByOwner === true || undefined
    },
    { what: 'the signature of the own device' },
  ) as Promise<true>

const view = (room: Room | null, first: MatrixEvent): Seen => {
  const ev = room?.findEventById(first.getId() ?? '') ?? first
  const content = ev.getContent() as Record<string, unknown>
  // Relations stand in clear beside the ciphertext.
  const wire = { ...content, ...(ev.getWireContent() as Record<string, unknown>) }
  const relation = (wire['m.relates_to'] ?? {}) as { rel_type?: string; event_id?: string; key?: string }
  return {
    eventId: ev.getId() ?? '',
    roomId: ev.getRoomId() ?? '',
    sender: ev.getSender() ?? '',
    type: ev.isDecryptionFailure() ? EventType.RoomMessageEncrypted : ev.getType(),
    stateKey: ev.getStateKey(),
    content,
    body: typeof content.body === 'string' ? content.body : '',
    html: typeof content.formatted_body === 'string' ? content.formatted_body : undefined,
    encrypted: ev.isEncrypted(),
    failure: ev.isDecryptionFailure() ? (ev.decryptionFailureReason ?? DecryptionFailureCode.UNKNOWN_ERROR) : undefined,
    redacted: ev.isRedacted(),
    thread: relation.rel_type === 'm.thread' ? relation.event_id : undefined,
    relatesTo: relation.event_id,
    reaction: relation.rel_type === 'm.annotation' ? relation.key : undefined,
    event: ev,
  }
}

/** Signs in with an existing account; for a homeserver that the test or demo started itself. */
export const openClinician = async (account: Account, options: ClinicianOptions = {}): Promise<Clinician> => {
  const { url, userId, deviceId, accessToken } = account
  const { onlySigned = true, signed = true, autoJoin = true } = options
  const network: Network = { offline: false, delay: () => 0 }
  const secrets = { keyId: '', key: options.recoveryKey ?? new Uint8Array() }

  const fetchFn: typeof fetch = async (input, init) => {
    const path = new URL(input instanceof Request ? input.url : String(input)).pathname
    const wait = network.delay(path)
    if (wait > 0) await new Promise(done => setTimeout(done, wait))
    if (network.offline) throw new TypeError('the network is off')
    const response = await fetch(input, init)
    if (options.traffic) await tellOfKeys(options.traffic, input, init, response)
    // A long poll that was under way brings nothing any more either.
    if (network.offline && path.endsWith('/sync')) throw new TypeError('the network is off')
    return response
  }
  const client = createClient({
    baseUrl: url,
    userId,
    deviceId,
    accessToken,
    fetchFn,
    logger: sdkLogger(),
    store: new MemoryStore({}),
    cryptoStore: new MemoryCryptoStore(),
    disableVoip: true,
    timelineSupport: options.timelineSupport,
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) => {
        const keyId = Object.keys(keys).find(k => k === secrets.keyId) ?? Object.keys(keys)[0]
        return keyId && secrets.key.length > 0 ? [keyId, new Uint8Array(secrets.key)] : null
      },
      cacheSecretStorageKey: (keyId, _info, key) => {
        secrets.keyId = keyId
        secrets.key = key
      },
    },
  })
  tameTimeouts(client)

  const log: MatrixEvent[] = []
  /** As a person who taps again when the homeserver did not answer; a refusal stands. */
  const tapJoin = async (roomId: string, tries = 5): Promise<void> => {
    try {
      await client.joinRoom(roomId)
    } catch (e) {
      if ((e as MatrixError).httpStatus === 403 || tries === 1) return
      await new Promise(done => setTimeout(done, 300))
      if (client.clientRunning) await tapJoin(roomId, tries - 1)
    }
  }
  client.on(ClientEvent.Event, ev => {
    log.push(ev)
    const isMyInvite =
      ev.getType() === EventType.RoomMember && ev.getStateKey() === userId && ev.getContent().membership === 'invite'
    if (autoJoin && isMyInvite) void tapJoin(ev.getRoomId() ?? '')
  })

  await client.initRustCrypto({ useIndexedDB: false })
  const crypto = client.getCrypto()
  if (!crypto)
    throw new Error('the crypto library did not start')
    // It looks for verification requests, with a timer of five minutes for each event that cannot be read.
  ;(crypto as unknown as { onLiveEventFromSync: () => Promise<void> }).onLiveEventFromSync = async () => undefined
  crypto.setDeviceIsolationMode(onlySigned ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false))
  const synced = new Promise<void>((resolve, reject) => {
    client.on(ClientEvent.Sync, (state, _old, data) => {
      if (state === 'PREPARED') resolve()
      if (state === 'ERROR') reject(data?.error ?? new Error('the first sync failed'))
    })
  })
  // As the bots' client: Synapse can leave a sync asleep until its wait ends.
  await client.startClient({ initialSyncLimit: 100, lazyLoadMembers: false, pollTimeout: 5000 })
  await synced

  // The first upload of an account needs no proof; replacing an identity asks for the password.
  const authUploadDeviceSigningKeys: UIAuthCallback<void> = async make => {
    try {
      return await make(null)
    } catch (e) {
      const session = (e as MatrixError).data?.session
      if (typeof session !== 'string' || !account.password) throw e
      const identifier = { type: 'm.id.user', user: userId }
      return make({ type: 'm.login.password', identifier, password: account.password, session })
    }
  }
  if (signed) {
    if (options.recoveryKey) {
      await crypto.userHasCrossSigningKeys(userId, true)
      await crypto.bootstrapCrossSigning({})
      await signedByOwner(client, userId, deviceId)
      await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
      await crypto.checkKeyBackupAndEnable()
    } else {
      await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys })
      await crypto.bootstrapSecretStorage({
        createSecretStorageKey: () => crypto.createRecoveryKeyFromPassphrase(),
        setupNewSecretStorage: true,
        setupNewKeyBackup: true,
      })
      await signedByOwner(client, userId, deviceId)
    }
  }
  if (options.displayName) await client.setDisplayName(options.displayName)

  const room = (roomId: string, { timeout = 60_000 }: Wait = {}) =>
    eventually(
      () => {
        const r = client.getRoom(roomId)
        return r?.getMyMembership() === 'join' ? r : undefined
      },
      { timeout, what: `${userId} in ${roomId}` },
    )
  const encryptedRoom = async (roomId: string) => {
    await room(roomId)
    await eventually(() => crypto.isEncryptionEnabledInRoom(roomId), { what: `encryption in ${roomId}` })
  }
  const sendContent = async (roomId: string, type: string, content: Record<string, unknown>) => {
    await encryptedRoom(roomId)
    const { event_id } = await client.sendEvent(roomId, type as EventType.RoomMessage, content as never)
    return event_id
  }
  const relation = ({ thread, replyTo }: { thread?: string; replyTo?: string }) =>
    thread
      ? { rel_type: 'm.thread', event_id: thread, is_falling_back: true, 'm.in_reply_to': { event_id: thread } }
      : replyTo
        ? { 'm.in_reply_to': { event_id: replyTo } }
        : undefined
  const seen = (roomId?: string) =>
    log
      .filter(ev => roomId === undefined || ev.getRoomId() === roomId)
      .map(ev => view(client.getRoom(ev.getRoomId() ?? ''), ev))

  const createRoom: Clinician['createRoom'] = async ({ name, invite = [], direct = false } = {}) => {
    const { room_id } = await client.createRoom({
      name,
      invite,
      is_direct: direct,
      preset: (direct ? 'trusted_private_chat' : 'private_chat') as never,
      initial_state: [
        { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
      ] as never,
    })
    await encryptedRoom(room_id)
    return room_id
  }

  return {
    client,
    userId,
    deviceId,
    accessToken,
    password: account.password ?? '',
    get recoveryKey() {
      return secrets.key
    },
    network,
    send: (roomId, text, o = {}) => {
      const related = relation(o)
      return sendContent(roomId, 'm.room.message', {
        msgtype: 'm.text',
        body: text,
        ...(related ? { 'm.relates_to': related } : {}),
      })
    },
    sendContent,
    sendPlaintext: async (roomId, text) => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${randomBytes(8).toString('hex')}`
      const response = await fetch(url + path, {
        method: 'PUT',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ msgtype: 'm.text', body: text }),
      })
      const answer = (await response.json()) as { event_id?: string }
      return { status: response.status, eventId: answer.event_id }
    },
    sendImage: async (roomId, bytes, { name, mimetype }) => {
      const { data, file } = await encryptAttachment(bytes)
      const { content_uri } = await client.uploadContent(new Blob([data]), {
        type: 'application/octet-stream',
        includeFilename: false,
      })
      return sendContent(roomId, 'm.room.message', {
        msgtype: 'm.image',
        body: name,
        info: { mimetype, size: bytes.length },
        file: { ...file, url: content_uri },
      })
    },
    download: async ({ content }) => {
      const file = content.file as EncryptedFile
      const media = client.mxcUrlToHttp(file.url, undefined, undefined, undefined, true, true, true)
      const response = await fetch(media ?? '', { headers: { authorization: `Bearer ${accessToken}` } })
      if (!response.ok) throw new Error(`the attachment answered ${response.status}`)
      return decryptAttachment(new Uint8Array(await response.arrayBuffer()), file)
    },
    react: async (roomId, eventId, key) => {
      const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key } }
      const { event_id } = await client.sendEvent(roomId, EventType.Reaction, content as never)
      return event_id
    },
    redact: async (roomId, eventId) => {
      await client.redactEvent(roomId, eventId)
    },
    read: async (roomId, eventId) => {
      const ev = (await room(roomId)).findEventById(eventId)
      if (!ev) throw new Error(`${eventId} is not known to ${userId}`)
      await client.sendReadReceipt(ev)
    },
    createRoom,
    direct: async (other, wait) => {
      const roomId = await createRoom({ invite: [other], direct: true })
      await eventually(() => client.getRoom(roomId)?.getMember(other)?.membership === 'join', {
        timeout: wait?.timeout ?? 60_000,
        what: `${other} joining the direct chat`,
      })
      return roomId
    },
    invite: async (roomId, guest) => {
      await encryptedRoom(roomId)
      await client.invite(roomId, guest)
    },
    join: async (roomId, wait) => {
      await eventually(() => client.getRoom(roomId) !== null, {
        timeout: wait?.timeout ?? 60_000,
        what: `the invitation of ${userId}`,
      })
      await client.joinRoom(roomId)
      await room(roomId, wait)
    },
    room,
    seen,
    waitFor: (predicate, { timeout = 60_000, what = 'an event' } = {}) =>
      eventually(() => seen().find(predicate), { timeout, what: `${what}, awaited by ${userId}` }),
    shield: async ({ event }) => {
      const info = await crypto.getEncryptionInfoForEvent(event)
      if (!info) return 'red'
      return info.shieldColour === EventShieldColour.NONE
        ? 'none'
        : info.shieldColour === EventShieldColour.GREY
          ? 'grey'
          : 'red'
    },
    resetIdentity: async () => {
      await crypto.bootstrapCrossSigning({ setupNewCrossSigning: true, authUploadDeviceSigningKeys })
      await signedByOwner(client, userId, deviceId)
    },
    stop: async () => {
      stopSdkClient(client)
    },
  }
}

/** A new account on this process's test homeserver with a running client; several get separate accounts. Stop it in the test's `after`. */
export const clinician = async (localpart: string, options: ClinicianOptions = {}): Promise<Clinician> => {
  const { synapse } = await stack()
  const account = await synapse.registerUser(`${localpart}-${randomBytes(3).toString('hex')}`)
  return openClinician({ url: synapse.url, ...account }, { displayName: localpart, ...options })
}

/** A further login of the same account. */
export const logIn = async (url: string, userId: string, password: string): Promise<Account> => {
  const response = await fetch(`${url}/_matrix/client/v3/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password }),
  })
  const answer = (await response.json()) as { access_token: string; device_id: string; error?: string }
  if (!response.ok) throw new Error(`${userId} could not log in: ${answer.error ?? response.status}`)
  return { url, userId, accessToken: answer.access_token, deviceId: answer.device_id, password }
}

/** Another device of the same person: signed with the first one's recovery key unless `signed` is false. */
export const anotherDevice = async (first: Clinician, options: ClinicianOptions = {}): Promise<Clinician> => {
  const account = await logIn(first.client.getHomeserverUrl(), first.userId, first.password)
  const recoveryKey = options.signed === false ? undefined : first.recoveryKey
  return openClinician(account, { ...options, recoveryKey })
}
