import type { RawRoomEvent } from '../../matrix/bot/decrypt.ts'
import type { Homeserver } from '../../matrix/homeserver.ts'

/** An event as the homeserver stores it (a PDU of the federation), with what its signatures are over. */
export type Pdu = Omit<RawRoomEvent, 'event_id'> & Record<string, unknown> & { state_key?: string }

export type StoredEvent = {
  id: string
  event: Pdu
  /** It reached this server too late to be shown to anybody (soft-failed). */
  unseen: boolean
  removed: { event: string; by: string; at: number; reason: string | null } | null
}

export type StoredQuery = { room: string; since?: number; until: number; sender?: string; type?: string }

/** The events of a room in the order in which they came, also removed ones as far as they are stored: a page at a time, from the homeserver's module. */
export async function* storedEvents(homeserver: Homeserver, q: StoredQuery): AsyncGenerator<StoredEvent> {
  let after: number | null = null
  do {
    const page: { events: StoredEvent[]; next: number | null } = await homeserver.request(
      'POST',
      '/_synapse/client/wardroom_room',
      { body: { ...q, ...(after === null ? {} : { after }) }, timeoutMs: 120_000 },
    )
    yield* page.events
    after = page.next
  } while (after !== null)
}

/** What the homeserver has now of these events; an event that is gone or is room state is missing. */
export const storedCopies = async (homeserver: Homeserver, events: readonly string[]): Promise<Map<string, Pdu>> => {
  const answer = await homeserver.request<{ events: Record<string, Pdu> }>('POST', '/_synapse/client/wardroom_copy', {
    body: { events },
    timeoutMs: 120_000,
  })
  return new Map(Object.entries(answer.events))
}
