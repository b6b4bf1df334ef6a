import type { Phase } from './paging/page.ts'
import { isHigher, type Priority } from './paging/priority.ts'

/** The page that the messages of a chat with a role made last. `sameDuty`: somebody is on duty now who was when it was made. */
export type ChatPage = { phase: Phase; priority: Priority; sameDuty: boolean }

/** A message in a chat with a role. `said`: the priority in front of its words; `guest`: written by somebody whom the role brought in; `edit`: it corrects an earlier one. */
export type ChatMessage = { said: Priority | null; guest: boolean; edit: boolean }

/** `page`: whoever is on duty is called. `add`: the words go onto the cards of the page that is being answered, raised where `raise` says so. `converse`: whoever is in the room reads it. */
export type ChatStep = { do: 'page' } | { do: 'add'; raise: Priority | null } | { do: 'converse' }

/** A message without a priority in front is urgent, as with `!page`. */
export const unsaid: Priority = 'urgent'

/**
 * What a message in a chat with a role does. Until somebody has the page, further words belong to it: whoever is called reads them on the card and is not called
 * twice. Then it is a conversation, until the duty changes or the page is over; a priority in front of the words always calls. What nobody took, and what
 * is new after everybody was called in vain, is a page of its own.
 */
export const chatStep = (message: ChatMessage, page: ChatPage | null): ChatStep => {
  if (message.guest) return { do: 'converse' }
  const over = page === null || page.phase === 'resolved' || page.phase === 'exhausted'
  if (over) return message.edit ? { do: 'converse' } : { do: 'page' }
  if (page.phase === 'accepted') {
    if (message.edit) return { do: 'converse' }
    return message.said !== null || !page.sameDuty ? { do: 'page' } : { do: 'converse' }
  }
  const wanted = message.said ?? (message.edit ? page.priority : unsaid)
  return { do: 'add', raise: isHigher(wanted, page.priority) ? wanted : null }
}
