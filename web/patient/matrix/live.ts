import { ClientEvent, MatrixEventEvent, type Room, RoomEvent, SyncState } from 'matrix-js-sdk'
import type { Item, Staged, Talk } from '../../shared/conversation/item.ts'
import { withReadMarks } from '../../shared/conversation/view-model.ts'
import type { Connection } from './connect.ts'
import { mediaCache } from './media.ts'
import { outgoingItems } from './outgoing.ts'
import { sender } from './sender.ts'
import { itemOf } from './timeline.ts'
import { unreadable } from './unreadable.ts'

const enough = 15
const page = 30

export type LiveDeps = {
  me: string
  roomId: string
  /** What media calls carry. */
  bearer: string
  /** Messages with one of these content keys are not shown. */
  hidden: string[]
  /** Show reactions, i.e. the bridge's marks, beside a message. */
  reactions: boolean
  onTalk: (talk: Talk) => void
  /** A message could not be decrypted in time; `false` or a rejection makes it be reported again. */
  onUnreadable: (eventId: string) => Promise<unknown>
}

/** One room of a connected client, alive. */
export type Live = {
  /** What was there when it opened. */
  first: Item[]
  sendText: (text: string) => void
  sendMedia: (staged: Staged) => void
  retry: (id: string) => void
  discard: (id: string) => void
  resend: () => void
  older: () => void
  seen: (id: string) => void
  loadMedia: (id: string) => Promise<string>
  /** Waits until nothing is on its way, at most `timeout` ms. */
  settled: (timeout: number) => Promise<void>
  drop: () => void
}

/** Follows one room: tells of every change, and carries out what the person does. */
export const liveRoom = async ({ client }: Connection, deps: LiveDeps): Promise<Live> => {
  const { me, roomId } = deps
  const room = client.getRoom(roomId)
  if (!room) throw new Error('the room is not known')
  let stopped = false
  let older: 'idle' | 'loading' = 'idle'
  let connected = true
  let drawn = false

  const media = mediaCache(client, deps.bearer)
  const lost = unreadable(me, id => {
    changed()
    deps.onUnreadable(id).catch(() => lost.again(id))
  })
  const out = sender(client, roomId, media, () => changed())

  const snapshot = () => {
    const events = room.getLiveTimeline().getEvents()
    const reading = {
      me,
      gaveUp: lost.gaveUp,
      find: (id: string) => room.findEventById(id),
      hidden: deps.hidden,
    }
    const items = events
      .map(event => itemOf(event, reading))
      .filter(item => item !== null)
      .map(item => (deps.reactions ? { ...item, reactions: reactionsOf(room, item.id) } : item))
    lost.note(events)
    const order = events.map(event => event.getId() ?? '')
    const all = [...items, ...outgoingItems(out.queue(), new Set(order), me)]
    return { items: withReadMarks(all, order, receiptsOf(room), me), hasOlder: hasOlder(room) }
  }
  const tell = (): Item[] => {
    const { items, hasOlder: more } = snapshot()
    deps.onTalk({
      me,
      items,
      older: older === 'loading' ? 'loading' : more ? 'some' : 'none',
      connection: connected ? 'ok' : 'reconnecting',
    })
    return items
  }
  // Many events arrive at once: one drawing for all of them.
  const changed = () => {
    if (drawn || stopped) return
    drawn = true
    setTimeout(() => {
      drawn = false
      if (!stopped) tell()
    }, 15)
  }

  const loadOlder = async () => {
    if (older === 'loading' || !hasOlder(room)) return
    older = 'loading'
    changed()
    try {
      await client.scrollback(room, page)
    } finally {
      older = 'idle'
      changed()
    }
  }

  const synced = (state: SyncState) => {
    const now = state === SyncState.Syncing || state === SyncState.Prepared || state === SyncState.Catchup
    if (now && !connected) out.retryAll()
    if (now !== connected) changed()
    connected = now
  }
  client.on(ClientEvent.Sync, synced)
  for (const event of [RoomEvent.Timeline, RoomEvent.Redaction, RoomEvent.Receipt, RoomEvent.LocalEchoUpdated] as const)
    room.on(event, changed)
  client.on(MatrixEventEvent.Decrypted, changed)
  client.on(MatrixEventEvent.Replaced, changed)

  // Reactions and receipts fill a page quickly: fetch until there is something to read.
  for (let tries = 0; tries < 4 && snapshot().items.length < enough && hasOlder(room); tries++)
    await client.scrollback(room, page)
  await Promise.all(
    room
      .getLiveTimeline()
      .getEvents()
      .map(event => event.getDecryptionPromise()),
  )
  const first = tell()

  let seenId = ''
  const seen = (id: string) => {
    const event = room.findEventById(id)
    if (!event || seenId === id || event.isDecryptionFailure()) return
    seenId = id
    client.sendReadReceipt(event).catch(() => {
      seenId = ''
    })
  }
  const drop = () => {
    if (stopped) return
    stopped = true
    lost.stop()
    client.removeAllListeners()
    client.stopClient()
    media.forget()
  }

  return {
    first,
    sendText: text => out.addText(text),
    sendMedia: staged => out.addMedia(staged),
    retry: out.retry,
    discard: out.discard,
    resend: () => {
      client.retryImmediately()
      out.retryAll()
    },
    older: () => void loadOlder().catch(() => undefined),
    seen,
    loadMedia: id => media.load(id, room.findEventById(id)),
    settled: out.settled,
    drop,
  }
}

const hasOlder = (room: Room): boolean => room.getLiveTimeline().getPaginationToken('b' as never) !== null

const receiptsOf = (room: Room): Record<string, string> =>
  Object.fromEntries(
    room.getJoinedMembers().flatMap(({ userId }) => {
      // Only receipts that were sent: the bridge's reactions would otherwise count as reading.
      const upTo = room.getEventReadUpTo(userId, true)
      return upTo ? [[userId, upTo]] : []
    }),
  )

const reactionsOf = (room: Room, id: string): string[] =>
  (room.relations.getChildEventsForEvent(id, 'm.annotation', 'm.reaction')?.getSortedAnnotationsByKey() ?? [])
    .filter(([, events]) => events.size > 0)
    .map(([key]) => key)
