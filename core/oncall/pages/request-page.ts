import type { Actor } from '../../domain/audit/event.ts'
import { hours, type Instant, minutes } from '../../domain/clock.ts'
import { newId } from '../../domain/ids.ts'
import { admit, admitAll, type BudgetRules, budgetDefaults, type Load } from '../../domain/oncall/admission/budget.ts'
import { correlationKey, dedupe, dedupeDefaults } from '../../domain/oncall/admission/dedupe.ts'
import { guardFor } from '../../domain/oncall/admission/misdirection.ts'
import { createPage } from '../../domain/oncall/paging/escalation.ts'
import type { Guard, Page } from '../../domain/oncall/paging/page.ts'
import { type Plan, type Target, targetKey } from '../../domain/oncall/paging/policy.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { interruptionsSince } from '../../store/oncall/page-contacts.ts'
import {
  addToContent,
  claimCorrelation,
  claimRef,
  earlierPages,
  insertPage,
  openContent,
  type PageContent,
} from '../../store/oncall/pages.ts'
import { readSettings } from '../../store/staff/settings.ts'
import type { Tx } from '../../store/tx.ts'
import { commitTurns } from './commit-turns.ts'
import type { Duty } from './duty.ts'
import { answerPage, onlyWhatGoes, pager } from './engine.ts'
import { isPerson, lookUp } from './look-up.ts'

/** Somebody or something wants a page. `sender`: a user id, or `source:<id>`; `key`: the source's own for what it is about. */
export type PageRequest = {
  target: Exclude<Target, { kind: 'rotation' }>
  priority: Priority
  sender: string
  actor: Actor
  content: PageContent
  what: string
  where?: string
  key?: string
  roomId?: string
  eventId?: string
  patientId?: string
  /** The care team of the patient whom the page is about: one who is not in it is asked about first. */
  team?: readonly string[]
}

export type Requested = {
  id: string
  ref: string
  phase: Page['phase']
  priority: Priority
  joined: 'duplicate' | 'storm' | null
  count: number
  guard: Guard | null
  startAt: Instant | null
}

/** How a page to one person escalates: they are called twice, then the clinic's line. */
const personalWait: Readonly<Record<Priority, number>> = { routine: minutes(30), urgent: minutes(5), stat: minutes(2) }
const personalPlan = (user: string, priority: Priority): Plan => ({
  steps: [{ targets: [{ kind: 'user', user }], ask: 'all', waitMs: personalWait[priority], repeat: 1 }],
  acks: 1,
  fallback: { kind: 'line', line: 'switchboard' },
})

const planOf = async (tx: Tx, duty: Duty, { target, priority }: PageRequest): Promise<Plan | Refusal> => {
  if (target.kind === 'user') return personalPlan(target.user, priority)
  const role = await duty.role(tx, target.role)
  return role ? role.policy.plans[priority] : refuse('unknown-role', `There is no on-call role ${target.role}.`)
}

type Duties = { on: ReadonlySet<string>; inSchedule: boolean; standIns: readonly string[] }

/** Whether a person has a duty now, and who has the duties that could be theirs. */
const dutiesOf = async (tx: Tx, duty: Duty, user: string): Promise<Duties> => {
  const on = new Set<string>()
  const standIns: string[] = []
  let inSchedule = false
  for (const key of await duty.roles(tx)) {
    const role = await duty.role(tx, key)
    if (!role) continue
    const now = role.on(tx.now).filter(isPerson)
    for (const p of now) on.add(p)
    if (!role.has(user)) continue
    inSchedule = true
    standIns.push(...now)
  }
  return { on, inSchedule, standIns: [...new Set(standIns)].filter(p => p !== user) }
}

/** The misdirection guard for a page to a person; one to a role needs none: it is whoever is on duty. */
const guardOf = async (tx: Tx, duty: Duty, r: PageRequest): Promise<Guard | null> => {
  if (r.target.kind !== 'user') return null
  const { user } = r.target
  const duties = await dutiesOf(tx, duty, user)
  const namesakes = await duty.namesakes(tx, user)
  const team = r.team?.filter(p => p !== user) ?? []
  const absent = new Set<string>()
  for (const p of [user, ...namesakes, ...duties.standIns, ...team]) if (await duty.isAbsent(tx, p)) absent.add(p)
  // Whoever has a duty now before those who have none; of a team all may be right.
  const others =
    r.team?.includes(user) === false ? team.toSorted((a, b) => Number(duties.on.has(b)) - Number(duties.on.has(a))) : []
  const standIns = [
    ...duties.standIns.filter(p => team.includes(p)),
    ...others,
    ...duties.standIns.filter(p => !team.includes(p)),
  ]
  const found = guardFor([user], {
    onShift: p => (duties.on.has(p) ? true : p === user && duties.inSchedule ? false : undefined),
    isAbsent: p => absent.has(p),
    ...(r.team ? { onTeam: p => r.team?.includes(p) === true } : {}),
    namesakes: p => (p === user ? namesakes : []),
    standIns: () => standIns,
  })
  return found ?? null
}

/** The clinic's interruption budget. */
const budgetRules = async (tx: Tx): Promise<BudgetRules> => {
  const s = await readSettings(tx.sql)
  const digestMs = minutes(s['oncall.digest_minutes'])
  const longestHoldMs = Math.max(budgetDefaults.longestHoldMs, digestMs)
  return { ...budgetDefaults, perShift: s['oncall.budget'], burst: s['oncall.burst'], digestMs, longestHoldMs }
}

/** When the page may interrupt, and whom beyond their budget. */
const admission = async (tx: Tx, duty: Duty, r: PageRequest, people: readonly string[]) => {
  const over = new Set<string>()
  if (people.length === 0) return { startAt: null, over }
  const had = await interruptionsSince(tx.sql, people, tx.now - hours(12))
  const role = r.target.kind === 'role' ? await duty.role(tx, r.target.role) : undefined
  const rules = await budgetRules(tx)
  const shiftEndsAt = role?.endsAt(tx.now) ?? null
  const admissions = people.map(p => {
    const load: Load = { interruptions: had.filter(i => i.person === p), shiftEndsAt }
    const a = admit(r.priority, load, rules, tx.now)
    if (a.over) over.add(p)
    return a
  })
  const at = admitAll(admissions, tx.now)
  return { startAt: at > tx.now ? at : null, over }
}

/** What a page that joins another says beside it stands on the card: another patient's alarm in a storm, or a value that has become worse. */
const addWords = async (tx: Tx, page: string, { text, link }: PageContent): Promise<void> => {
  const shown = await openContent(tx.deps, tx.sql, page)
  const all = [shown?.text, shown?.link].join('\n')
  const news = [text, link].filter(words => words !== undefined && !all.includes(words))
  if (news.length > 0) await addToContent(tx, page, [text, ...(link ? [link] : [])].join(' '))
}

/** One more of an earlier page: counted, and raised where the newcomer is more urgent. */
const join = async (
  tx: Tx,
  duty: Duty,
  r: PageRequest,
  plan: Plan,
  earlier: { page: string; because: 'duplicate' | 'storm'; raise: boolean },
): Promise<Requested | Refusal> => {
  const joined = await answerPage(tx, duty, earlier.page, { kind: 'again', by: r.sender }, r.actor)
  if (isRefusal(joined)) return joined
  const raise = { kind: 'raise', by: r.sender, priority: r.priority, plan } as const
  const raised = earlier.raise ? await answerPage(tx, duty, earlier.page, raise, r.actor) : joined
  if (isRefusal(raised)) return raised
  await addWords(tx, earlier.page, r.content)
  const { id, ref, phase, priority, count } = raised.page
  return { id, ref, phase, priority, count, joined: earlier.because, guard: null, startAt: null }
}

/**
 * A page, or one more of an earlier page (dedupe, storms), in the caller's transaction: held where its people have had their fill, asked about where the guard
 * doubts. Refuses with `unknown-role`.
 */
export const requestPage = async (tx: Tx, duty: Duty, r: PageRequest): Promise<Requested | Refusal> => {
  const plan = await planOf(tx, duty, r)
  if (isRefusal(plan)) return plan
  const target = targetKey(r.target)
  const source = r.sender
  const words = correlationKey({
    source,
    target,
    ...(r.key === undefined ? {} : { key: r.key }),
    what: r.what,
    ...(r.where === undefined ? {} : { where: r.where }),
    priority: r.priority,
  })
  const origin = { source, target, correlation: tx.deps.seal.lookup('page.correlation', words) }
  await claimCorrelation(tx, origin)
  const earlier = await earlierPages(tx, origin, dedupeDefaults)
  const same = dedupe({ key: origin.correlation, priority: r.priority }, earlier, dedupeDefaults, tx.now)
  if (same.do === 'join') {
    const joined = await join(tx, duty, r, plan, same)
    // Resolved while we waited for it: then it is a page of its own.
    if (!(isRefusal(joined) && joined.code === 'closed')) return joined
  }

  const guard = await guardOf(tx, duty, r)
  const ports = await lookUp(tx, duty, { plan, people: guard ? [...guard.intended, ...guard.right] : [] })
  const first = (plan.steps[0]?.targets ?? []).flatMap(t => ports.people(t, tx.now))
  const { startAt, over } = await admission(tx, duty, r, first)
  const id = newId<string>('pg', tx.deps.random)
  const ref = await claimRef(tx)
  const created = createPage({ id, ref, priority: r.priority, sender: r.sender, plan, guard, startAt }, tx.now, ports)
  const turn = onlyWhatGoes(created, tx.now, ports)
  await insertPage(
    tx,
    turn.page,
    { ...origin, roomId: r.roomId, eventId: r.eventId, patientId: r.patientId },
    r.content,
  )
  await tx.audit({
    actor: r.actor,
    action: 'page.create',
    object: { kind: 'page', id: ref },
    outcome: 'done',
    patient: r.patientId,
    room: r.roomId,
    detail: { priority: r.priority, role: r.target.kind === 'role' ? r.target.role : 'a person' },
  })
  const stored = { version: 0, target, ...(r.patientId ? { patientId: r.patientId } : {}) }
  await commitTurns(tx, [{ stored, turn, actor: pager, ports, overBudget: p => over.has(p) }])
  const { phase, priority, count } = turn.page
  return { id, ref, phase, priority, count, joined: null, guard: turn.page.guard, startAt: turn.page.startAt }
}
