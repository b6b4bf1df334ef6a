import { type Instant, minutes, seconds } from '../../../core/domain/clock.ts'
import { createPage, type NewPage } from '../../../core/domain/oncall/paging/escalation.ts'
import { onEvent } from '../../../core/domain/oncall/paging/events.ts'
import type { Rung } from '../../../core/domain/oncall/paging/ladder.ts'
import type { Page, PageEffect, PageEvent, PagingPorts, Turn } from '../../../core/domain/oncall/paging/page.ts'
import type { Plan, PolicyStep, Target } from '../../../core/domain/oncall/paging/policy.ts'
import { isRefusal, type Refusal } from '../../../core/domain/refusal.ts'

export const begin: Instant = Date.UTC(2026, 0, 5, 12)

/** Chat, an SMS a minute later, a call two minutes after that. */
export const rungs: readonly Rung[] = [
  { way: 'matrix', waitMs: minutes(1) },
  { way: 'sms', waitMs: minutes(2) },
  { way: 'voice', waitMs: 0 },
]

type Ward = {
  duty?: Readonly<Record<string, readonly string[]>>
  quiet?: Readonly<Record<string, Instant>>
  rungs?: Readonly<Record<string, readonly Rung[]>>
}
/** A ward by plain objects: who is on duty for a role or rotation, whose do-not-disturb ends when, whose ladder is another. */
export const ward = ({ duty = {}, quiet = {}, rungs: own = {} }: Ward = {}): PagingPorts => ({
  people: t => (t.kind === 'user' ? [t.user] : (duty[t.kind === 'role' ? t.role : t.rotation] ?? [])),
  contact: (person, at) => {
    const until = quiet[person]
    return { rungs: own[person] ?? rungs, quietUntil: until !== undefined && until > at ? until : null }
  },
})

export const user = (name: string): Target => ({ kind: 'user', user: name })
export const role = (name: string): Target => ({ kind: 'role', role: name })
export const step = (targets: readonly Target[], more: Partial<PolicyStep> = {}): PolicyStep => ({
  targets,
  ask: 'all',
  waitMs: minutes(5),
  repeat: 0,
  ...more,
})
export const plan = (steps: readonly PolicyStep[], more: Partial<Plan> = {}): Plan => ({
  steps,
  acks: 1,
  fallback: { kind: 'line', line: 'switchboard' },
  ...more,
})

export const newPage = (p: Plan, more: Partial<NewPage> = {}): NewPage => ({
  id: 'pg_1',
  ref: '7Q4K',
  priority: 'urgent',
  sender: 'sue',
  plan: p,
  ...more,
})
export const create = (p: Plan, ports: PagingPorts = ward(), more: Partial<NewPage> = {}): Turn =>
  createPage(newPage(p, more), begin, ports)

/** The turn of an event that must not be refused. */
export const happens = (page: Page, event: PageEvent, now: Instant, ports: PagingPorts = ward()): Turn => {
  const turn: Turn | Refusal = onEvent(page, event, now, ports)
  if (isRefusal(turn)) throw new Error(`refused: ${turn.code}`)
  return turn
}

const inWords = (e: PageEffect): string => {
  switch (e.do) {
    case 'send':
      return `${e.way} ${e.person}`
    case 'call_line':
      return `call ${e.line}`
    case 'tell':
      return `sender ${e.news.kind}`
    case 'confirm':
      return `confirm ${e.person} ${e.answer}`
    case 'stand_down':
      return `stand down ${e.people.join(' ')}`
    case 'update':
      return `update ${e.people.join(' ')} ×${e.count}`
  }
}
/** `sms ann`, `call switchboard`, `sender accepted`, one for each effect. */
export const shown = (effects: readonly PageEffect[]): string[] => effects.map(inWords)

export const at = (ms: number): Instant => begin + ms
export { minutes, seconds }
