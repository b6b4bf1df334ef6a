import { EventStatus, EventType, type MatrixClient } from 'matrix-js-sdk'
import type { Staged } from '../../shared/conversation/item.ts'
import type { MediaCache } from './media.ts'
import { nextToSend, type Outgoing, type OutgoingEvent, queued } from './outgoing.ts'
import type { MessageContent } from './timeline.ts'

/**
 * Sends the queue, one message after the other. A repetition keeps its transaction id: when the first try did arrive and only its answer was lost, the
 * homeserver answers with the same event.
 */
export const sender = (client: MatrixClient, roomId: string, media: MediaCache, changed: () => void) => {
  let queue: Outgoing[] = []
  const uploaded = new Map<string, MessageContent>()

  const put = (event: OutgoingEvent): void => {
    queue = queued(queue, event)
    changed()
    const next = nextToSend(queue)
    if (next) void send(next)
  }
  const contentOf = async (one: Outgoing): Promise<MessageContent> => {
    if (!one.staged) return { msgtype: 'm.text', body: one.text ?? '' }
    const content = uploaded.get(one.id) ?? (await media.upload(one.staged))
    uploaded.set(one.id, content)
    return content
  }
  const send = async (one: Outgoing): Promise<void> => {
    queue = queued(queue, { type: 'begin', id: one.id })
    try {
      const content = await contentOf(one)
      const { event_id: eventId } = await client.sendEvent(roomId, EventType.RoomMessage, content as never, one.id)
      if (one.staged) media.keep(eventId, one.staged.url)
      put({ type: 'sent', id: one.id, eventId })
    } catch {
      forgetEcho(one.id)
      put({ type: 'fail', id: one.id })
    }
  }
  /** The SDK keeps a failed message in the timeline; our queue shows it already. */
  const forgetEcho = (txnId: string): void => {
    const echo = client
      .getRoom(roomId)
      ?.getLiveTimeline()
      .getEvents()
      .find(event => event.getTxnId() === txnId && event.status === EventStatus.NOT_SENT)
    if (echo) client.cancelPendingEvent(echo)
  }
  const id = () => `w${crypto.randomUUID().replace(/-/g, '')}`

  return {
    queue: () => queue,
    addText: (text: string): void => put({ type: 'add', id: id(), at: Date.now(), text }),
    addMedia: (staged: Staged): void => {
      const txnId = id()
      media.keep(txnId, staged.url)
      put({ type: 'add', id: txnId, at: Date.now(), staged })
    },
    retry: (txnId: string): void => put({ type: 'retry', id: txnId }),
    discard: (txnId: string): void => put({ type: 'discard', id: txnId }),
    retryAll: (): void => put({ type: 'retry-all' }),
    /** Resolves when nothing is on its way any more, at the latest after `timeout` ms. */
    settled: async (timeout: number): Promise<void> => {
      const end = performance.now() + timeout
      const busy = () => queue.some(one => one.state === 'waiting' || one.state === 'sending')
      while (busy() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 30))
    },
  }
}
