import { hours, type Instant, seconds } from '../clock.ts'

/**
 * How far the request to remove an event is at another homeserver that was in its room. `unasked`: nobody of ours may remove there, or it is not ours to ask;
 * `asked`: sent, without a sign of it yet; `reached`: it has the request; `away`: it did not answer when it was asked whether it has it.
 */
export const serverStates = ['unasked', 'asked', 'reached', 'away'] as const
export type ServerState = (typeof serverStates)[number]

export type OtherServer = { server: string; state: ServerState; since: Instant }

/** What a server answered when it was asked for the removal itself. */
export type ServerAnswer = 'there' | 'missing' | 'away' | 'denied'

/** A server's next state. That it does not have the request, or may not be asked by our own list, leaves it at `asked`. */
export const stateAfter = (answer: ServerAnswer): ServerState =>
  answer === 'there' ? 'reached' : answer === 'away' ? 'away' : 'asked'

/** When a server is asked next: soon at first, every hour in the end. */
export const nextLook = (askedAt: Instant, now: Instant): Instant =>
  now + Math.min(Math.max((now - askedAt) / 4, seconds(5)), hours(1))

/** Whether the request is sent once more where it is missing: the homeserver itself has had its time. */
export const sendAgain = (askedAt: Instant, now: Instant): boolean => now - askedAt >= seconds(10)

const minute = (at: Instant) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** What can honestly be said of one server, as half a sentence that begins with its name. */
export const otherServerWords = ({ server, state, since }: OtherServer): string => {
  switch (state) {
    case 'reached':
      return `${server} was asked and has taken the request (${minute(since)}); what it does with it is not in our hands`
    case 'asked':
      return `${server} was asked; there is no sign yet that it has taken the request`
    case 'away':
      return `${server} was asked and is not reached yet, since ${minute(since)}; it gets the request when it is back`
    case 'unasked':
      return `${server} was not asked`
  }
}

/** The homeserver of a Matrix user. */
export const homeserverOf = (user: string): string => user.slice(user.indexOf(':') + 1)

/**
 * Whether we ask for an event's removal in its room, so that it goes at the other hospitals as well. What our own people wrote, what somebody recalled, and
 * everything in a room that was made here: yes. Else our rules decide about our copy only; the other hospital has its own.
 */
export const asksOthers = (
  event: { sender: string; recalled: boolean },
  room: { ours: boolean },
  ourServer: string,
): boolean => room.ours || event.recalled || homeserverOf(event.sender) === ourServer
