import type { MatrixEvent } from 'matrix-js-sdk'

const grace = 8_000

/**
 * Keeps track of messages that cannot be decrypted: a key may be a moment late, so each gets 8 s; then the patient sees that it could not be opened, and
 * `giveUp` asks the room to send it again. Nothing is ever silently missing.
 */
export const unreadable = (me: string, giveUp: (eventId: string) => void) => {
  const since = new Map<string, { timer: ReturnType<typeof setTimeout>; over: boolean }>()
  const wait = (event: MatrixEvent, id: string) => {
    const timer = setTimeout(() => {
      const entry = since.get(id)
      if (!entry || !event.isDecryptionFailure()) return
      entry.over = true
      giveUp(id)
    }, grace)
    since.set(id, { timer, over: false })
  }
  return {
    note: (events: MatrixEvent[]): void => {
      for (const event of events) {
        const id = event.getId()
        if (!id || event.getSender() === me) continue
        if (event.isDecryptionFailure()) {
          if (!since.has(id)) wait(event, id)
        } else if (since.has(id)) {
          clearTimeout(since.get(id)!.timer)
          since.delete(id)
        }
      }
    },
    gaveUp: (id: string): boolean => since.get(id)?.over ?? false,
    /** The report did not get through: it is made again with the next change. */
    again: (id: string): void => {
      since.delete(id)
    },
    stop: (): void => {
      for (const { timer } of since.values()) clearTimeout(timer)
      since.clear()
    },
  }
}
