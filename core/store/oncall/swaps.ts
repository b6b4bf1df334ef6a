import { newId } from '../../domain/ids.ts'
import { isOn } from '../../domain/oncall/schedule/check-change.ts'
import { shifts } from '../../domain/oncall/schedule/shifts.ts'
import {
  answerSwap,
  lapseSwap,
  lapsesAt,
  proposeSwap,
  type Swap,
  type SwapStep,
} from '../../domain/oncall/schedule/swap.ts'
import type { Shift } from '../../domain/oncall/shift.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { worldZones } from '../../oncall/zones.ts'
import type { Tx } from '../tx.ts'
import { insertOverrides } from './changes.ts'
import { checkContext } from './directory.ts'
import { lockOnCall, noteChange } from './history.ts'
import type { OnCallEntry } from './read.ts'
import { unchanged } from './roles.ts'

type Row = { swap: Swap }

/** Whose word a proposal waits for. */
const askedOf = (s: Swap): string => (s.consents.includes(s.gives.person) ? s.partner : s.gives.person)

const save = async (tx: Tx, swap: Swap): Promise<void> => {
  const row = { state: swap.state, asked: askedOf(swap), lapses_at: lapsesAt(swap), swap: JSON.stringify(swap) }
  await tx
    .sql('oncall_swap')
    .insert({ id: swap.id, role: swap.schedule, ...row })
    .onConflict('id')
    .merge(row)
}

const noted = (tx: Tx, swap: Swap, by: string) =>
  tx.audit({
    actor: { kind: 'user', id: by },
    action: 'oncall.swap',
    object: { kind: 'oncall', id: swap.schedule },
    outcome: 'done',
    detail: { what: swap.state, about: swap.id, gives: swap.gives.person, partner: swap.partner },
  })

/** Proposals that wait for this person's word, or that they made, the soonest first; what has lapsed is not among them. */
export const openSwaps = async (tx: Pick<Tx, 'sql' | 'now'>, person: string): Promise<Swap[]> =>
  (
    (await tx
      .sql('oncall_swap')
      .where({ state: 'proposed' })
      .where('lapses_at', '>', tx.now)
      .where(q => q.where({ asked: person }).orWhereRaw(`swap->>'proposedBy' = ?`, [person]))
      .orderBy('lapses_at')) as Row[]
  ).map(r => r.swap)

/** The whole duty of a person that a time falls into, or the next one after it (within 60 days); undefined where there is none. */
export const dutyAt = (entry: OnCallEntry, person: string, at: number): Shift | undefined => {
  const dayMs = 86_400_000
  const around = shifts(entry.schedule, at - 45 * dayMs, at + 60 * dayMs, worldZones)
  const mine = around.filter(s => isOn(s, person) && s.why.by !== 'fallback')
  const joined: Shift[] = []
  for (const s of mine) {
    const last = joined.at(-1)
    if (last && last.to === s.from) last.to = s.to
    else joined.push({ person, from: s.from, to: s.to })
  }
  return joined.find(s => s.to > at)
}

export type Proposal = Pick<Swap, 'gives' | 'partner' | 'takes' | 'proposedBy'>

/** Would it be taken? The proposal as it would be stored; nothing is changed. */
export const trySwap = async (tx: Tx, entry: OnCallEntry, proposal: Proposal): Promise<Swap | Refusal> => {
  const id = newId<string>('sw', tx.deps.random)
  const step = proposeSwap({ ...proposal, id }, entry.schedule, await checkContext(tx))
  return isRefusal(step) ? step : step.swap
}

/** Stores a proposal. Refuses what `proposeSwap` refuses, and more than 20 open ones of one person. */
export const addSwap = async (tx: Tx, key: string, proposal: Proposal): Promise<Swap | Refusal> => {
  await lockOnCall(tx)
  const entry = await unchanged(tx, key)
  if (isRefusal(entry)) return entry
  if ((await openSwaps(tx, proposal.proposedBy)).length >= 20)
    return refuse('too-many', 'You have 20 open swaps already; withdraw some first.')
  const swap = await trySwap(tx, entry, proposal)
  if (isRefusal(swap)) return swap
  await save(tx, swap)
  await noted(tx, swap, proposal.proposedBy)
  return swap
}

/** One of the two answers; the second consent puts its overrides in force in the same transaction. */
export const answerOpenSwap = async (
  tx: Tx,
  id: string,
  answer: { by: string; consents: boolean },
): Promise<(SwapStep & { entry: OnCallEntry }) | Refusal> => {
  await lockOnCall(tx)
  const row: Row | undefined = await tx.sql('oncall_swap').where({ id }).first()
  const nobodys = refuse('unknown-swap', `There is no swap ${id} that waits for you.`)
  if (!row || ![row.swap.gives.person, row.swap.partner, row.swap.proposedBy].includes(answer.by)) return nobodys
  const entry = await unchanged(tx, row.swap.schedule)
  if (isRefusal(entry)) return entry
  const step = answerSwap(row.swap, answer, entry.schedule, await checkContext(tx))
  if (isRefusal(step)) return step
  await save(tx, step.swap)
  await insertOverrides(tx, entry.role.key, step.overrides, answer.by)
  if (step.swap.state === 'in-force')
    await noteChange(tx, {
      role: entry.role.key,
      kind: 'swap',
      about: id,
      before: null,
      after: step.swap,
      by: answer.by,
    })
  await noted(tx, step.swap, answer.by)
  return { ...step, entry }
}

/** Settles the proposals whose time has passed; returns them, so that the two can be told. */
export const lapseSwaps = async (tx: Tx, limit = 100): Promise<Swap[]> => {
  const rows: Row[] = await tx
    .sql('oncall_swap')
    .where({ state: 'proposed' })
    .where('lapses_at', '<=', tx.now)
    .orderBy('lapses_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
  const lapsed = rows.map(r => lapseSwap(r.swap, tx.now).swap)
  for (const swap of lapsed) {
    await save(tx, swap)
    await tx.audit({
      actor: { kind: 'service', id: 'oncall' },
      action: 'oncall.swap',
      object: { kind: 'oncall', id: swap.schedule },
      outcome: 'done',
      detail: { what: swap.state, about: swap.id },
    })
  }
  return lapsed
}
