import type { Content, Item, Staged } from '../../shared/conversation/item.ts'

/** A message on its way; `id` is its Matrix transaction id, so that a repetition is the same message for the homeserver. */
export type Outgoing = {
  id: string
  at: number
  state: 'waiting' | 'sending' | 'failed' | 'sent'
  eventId: string | null
  text: string | null
  staged: Staged | null
}

export type OutgoingEvent =
  | { type: 'add'; id: string; at: number; text: string }
  | { type: 'add'; id: string; at: number; staged: Staged }
  | { type: 'begin' | 'fail' | 'retry' | 'discard'; id: string }
  | { type: 'sent'; id: string; eventId: string }
  | { type: 'retry-all' }

/** The queue of messages being sent, oldest first. Pure; one is sent at a time, so that they arrive in the order in which they were written. */
export const queued = (queue: Outgoing[], event: OutgoingEvent): Outgoing[] => {
  const change = (id: string, to: Partial<Outgoing>) => queue.map(one => (one.id === id ? { ...one, ...to } : one))
  switch (event.type) {
    case 'add': {
      const body = 'text' in event ? { text: event.text, staged: null } : { text: null, staged: event.staged }
      return [...queue, { id: event.id, at: event.at, state: 'waiting', eventId: null, ...body }]
    }
    case 'begin':
      return change(event.id, { state: 'sending' })
    case 'fail':
      return change(event.id, { state: 'failed' })
    case 'sent':
      return change(event.id, { state: 'sent', eventId: event.eventId })
    case 'retry':
      return change(event.id, { state: 'waiting' })
    case 'retry-all':
      return queue.map(one => (one.state === 'failed' ? { ...one, state: 'waiting' } : one))
    case 'discard':
      return queue.filter(one => one.id !== event.id)
  }
}

/** The next message to send, or null while one is on its way or nothing waits. */
export const nextToSend = (queue: Outgoing[]): Outgoing | null =>
  queue.some(one => one.state === 'sending') ? null : (queue.find(one => one.state === 'waiting') ?? null)

/** What the list shows of the queue: everything that the room's own timeline does not show yet. */
export const outgoingItems = (queue: Outgoing[], known: Set<string>, me: string): Item[] =>
  queue
    .filter(one => one.eventId === null || !known.has(one.eventId))
    .map(one => ({
      id: one.eventId ?? one.id,
      key: one.id,
      sender: me,
      at: one.at,
      content: contentOf(one),
      mark: one.state === 'failed' ? 'failed' : one.state === 'sent' ? 'sent' : 'sending',
    }))

const contentOf = ({ id, text, staged }: Outgoing): Content => {
  if (!staged) return { kind: 'text', body: text ?? '' }
  const { name, width, height, seconds } = staged
  return {
    kind: staged.kind,
    media: { id, name, mime: staged.blob.type, bytes: staged.blob.size, width, height, seconds },
  }
}
