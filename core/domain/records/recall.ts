import { hours, type Instant } from '../clock.ts'
import { type Refusal, refuse } from '../refusal.ts'
import type { Role } from '../roles.ts'

/** The reaction that recalls a message: a waste basket, with or without the sign that asks for its colours. */
export const recallReaction = '🗑️'

export const isRecallReaction = (key: unknown): boolean =>
  typeof key === 'string' && key.replace('\ufe0f', '') === recallReaction.replace('\ufe0f', '')

export const recallTells = ['sender', 'sender_and_supervisors'] as const

/** May this person recall a message of `sender`, and why not: its sender within the window, a supervisor or a compliance officer at any time. */
export const mayRecall = (
  who: { userId: string; roles: readonly Role[] },
  message: { sender: string; sentAt: Instant },
  { now, windowHours }: { now: Instant; windowHours: number },
): Refusal | undefined => {
  if (who.roles.includes('supervisor') || who.roles.includes('compliance')) return undefined
  if (message.sender !== who.userId)
    return refuse('not-yours', 'Only its sender, a supervisor or a compliance officer may recall a message.')
  return now - message.sentAt <= hours(windowHours)
    ? undefined
    : refuse('too-late', `You can recall a message for ${windowHours} hours after sending it; a supervisor still can.`)
}
