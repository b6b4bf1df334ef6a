import type { Tx } from '../../core/store/tx.ts'
import type { Answer } from './answer.ts'
import { render } from './render.ts'

/** Whom the bot speaks to: a person's direct chat (opened where there is none) or a room. */
export type To = { user: string } | { room: string }

/** The payload of the job `bot.say`, queue `bots`: anybody may queue one with `text` alone. */
export type SayJob = { to: To; text: string; html?: string; thread?: string }
/** `bot.react` */
export type ReactJob = { room: string; event: string; key: string }
/** `bot.redact`: where it cannot, `to` is told. */
export type RedactJob = { room: string; event: string; thread: string }

export const laneOf = (to: To): string => ('room' in to ? to.room : to.user)

/** Queues an answer as an encrypted message; `key` makes it happen once. */
export const say = async (tx: Tx, key: string, to: To, a: Answer, thread?: string): Promise<void> => {
  const job: SayJob = { to, ...render(a), thread }
  await tx.enqueue({ queue: 'bots', kind: 'bot.say', key, lane: laneOf(to), payload: job, patient: a.patient })
}
