import type { Actor } from './event.ts'

/** The payload of `audit.export` and `audit.verify` (queue `audit`): who asked, and the thread in which the answer goes (job `bot.say`). */
export type LogJob = { by: Actor; room: string; thread: string }
