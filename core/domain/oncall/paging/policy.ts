import { minutes } from '../../clock.ts'
import type { Priority } from './priority.ts'

/** Whom a step calls. `user` names a person by Matrix user id; a role or a rotation means whoever is on duty when the step begins. */
export type Target =
  | { kind: 'user'; user: string }
  | { kind: 'role'; role: string }
  | { kind: 'rotation'; rotation: string }

/** One step of an escalation policy (row 38). */
export type PolicyStep = {
  targets: readonly Target[]
  /** `all`: everybody at once. `first`: one person after another, in the order of the targets, each for `waitMs`. */
  ask: 'all' | 'first'
  /** How long an answer is waited for before the next person or step, in ms. */
  waitMs: number
  /** How often the whole step is done again before the next one; 0 for once. */
  repeat: number
}

/** Who is called when nobody has accepted: one person, or a telephone line by its name in the settings (`switchboard`). */
export type Fallback = { kind: 'user'; user: string } | { kind: 'line'; line: string }

/** What is done for pages of one priority. */
export type Plan = {
  steps: readonly PolicyStep[]
  /** How many people must accept. */
  acks: number
  fallback: Fallback
}

export type EscalationPolicy = { name: string; plans: Readonly<Record<Priority, Plan>> }

/** How long somebody to whom an accepted page is handed over has to accept it; until then it stays with the one who hands it over. */
export const handoverMs = minutes(5)

/** How long the sender has to answer the misdirection guard before a page goes to everybody that it named. */
export const guardMs: Readonly<Record<Exclude<Priority, 'stat'>, number>> = { routine: minutes(10), urgent: minutes(1) }

/** How long a person who is the fallback is waited for, at the least, before the sender hears that they have not answered either. */
export const fallbackMs: Readonly<Record<Priority, number>> = {
  routine: minutes(30),
  urgent: minutes(5),
  stat: minutes(2),
}

/** `role cardiology`, `@ann:clinic.example`. */
export const targetWords = (t: Target | Fallback): string => {
  switch (t.kind) {
    case 'user':
      return t.user
    case 'role':
      return `role ${t.role}`
    case 'rotation':
      return `rotation ${t.rotation}`
    case 'line':
      return t.line
  }
}

export const targetKey = (t: Target): string =>
  t.kind === 'user' ? `user ${t.user}` : t.kind === 'role' ? `role ${t.role}` : `rotation ${t.rotation}`
