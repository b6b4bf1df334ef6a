import { ClientEvent, type MatrixEvent, MatrixEventEvent, type Room, RoomEvent, SyncState } from 'matrix-js-sdk'
import type { Item, Staged } from '../../shared/conversation/item.ts'
import { withReadMarks } from '../../shared/conversation/view-model.ts'
import type { Conversation, OpenDeps } from '../port.ts'
import { type Connection, flushBackup } from './connect.ts'
import { draftKeeper } from './draft.ts'
import type { DraftSeal } from './draft-seal.ts'
import { mediaCache } from './media.ts'
import { outgoingItems } from './outgoing.ts'
import { sender } from './sender.ts'
import { itemOf } from './timeline.ts'
import { unreadable } from './unreadable.ts'

const enough = 15
const page = 30

/** The open conversation over a connected client: tells the page of every change, and carries out what the person does. */
export const liveConversation = async (
  connection: Connection,
  seal: DraftSeal,
  deps: OpenDeps,
): Promise<Conversation> => {
  const { client } = connection
  const { session, api } = deps
  const room = client.getRoom(session.roomId)
  if (!room) throw new Error('the room is not known')
  let stopped = false
  let older: 'idle' | 'loading' = 'idle'
  let connected = true
  let drawn = false

  const media = mediaCache(client, session)
  const draft = draftKeeper(client, seal)
  const lost = unreadable(session.userId, id => {
    changed()
    api.undecryptable(session, id).catch(() => lost.again(id))
  })
  const out = sender(client, session.roomId, media, () => changed())

  const snapshot = () => {
    const events = room.getLiveTimeline().getEvents()
    const reading = {
      me: session.userId,
      gaveUp: lost.gaveUp,
      find: (id: string) => room.findEventById(id),
      hidden: ['io.wardroom.card'],
    }
    const items = events.map(event => itemOf(event, reading)).filter(item => item !== null)
    lost.note(events)
    const order = events.map(event => event.getId() ?? '')
    const all = [...items, ...outgoingItems(out.queue(), new Set(order), session.userId)]
    return {
      me: session.userId,
      items: withReadMarks(all, order, receiptsOf(room), session.userId),
      hasOlder: hasOlder(room),
    }
  }
  const tell = (): Item[] => {
    const { me, items, hasOlder: more } = snapshot()
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
  const saved = await draft.load().catch(() => '')
  if (saved !== '') deps.onDraft(saved)
  if (first.some(item => item.mark === 'received' && item.content.kind !== 'opening'))
    api.step(session, 'decrypted').catch(() => undefined)

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
    draft.stop()
    client.removeAllListeners()
    client.stopClient()
    media.forget()
  }

  return {
    sendText: text => out.addText(text),
    sendMedia: (staged: Staged) => out.addMedia(staged),
    retry: out.retry,
    discard: out.discard,
    resend: () => {
      client.retryImmediately()
      out.retryAll()
    },
    older: () => void loadOlder().catch(() => undefined),
    seen,
    loadMedia: id => media.load(id, room.findEventById(id)),
    saveDraft: draft.save,
    close: async text => {
      await out.settled(5_000)
      await draft.flush(text).catch(() => console.error('the draft was not saved'))
      await flushBackup(connection, 4_000).catch(() => console.error('the key backup was not flushed'))
      drop()
    },
    drop,
  }
}

const hasOlder = (room: Room): boolean => room.getLiveTimeline().getPaginationToken('b' as never) !== null

const receiptsOf = (room: Room): Record<string, string> =>
  Object.fromEntries(
    room.getJoinedMembers().flatMap(({ userId }) => {
      const upTo = room.getEventReadUpTo(userId)
      return upTo ? [[userId, upTo]] : []
    }),
  )

export type { MatrixEvent }
