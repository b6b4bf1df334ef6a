import type { Absence, Temporary } from '../../../core/domain/oncall/schedule/schedule.ts'
import { isRefusal, type Refusal } from '../../../core/domain/refusal.ts'
import {
  addAbsence,
  addOverride,
  addTemporary,
  type NewOverride,
  withdraw,
} from '../../../core/store/oncall/changes.ts'
import { type OnCallEntry, onCallRoles } from '../../../core/store/oncall/read.ts'
import {
  addOnCallRole,
  changeOnCallRole,
  type NewOnCallRole,
  type RoleChange,
  removeOnCallRole,
} from '../../../core/store/oncall/roles.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { type Answer, answer, code } from '../../framework/answer.ts'
import { tellAffected } from './preview.ts'

/** A change of schedules that waits for its author's `!confirm`. `version`: of the schedule that the preview was made from. */
export type OnCallProposal =
  | { do: 'role.add'; role: NewOnCallRole }
  | { do: 'role.change'; key: string; change: RoleChange; version: number }
  | { do: 'role.remove'; key: string }
  | { do: 'override'; key: string; override: NewOverride; version: number }
  | { do: 'temporary'; key: string; temporary: Omit<Temporary, 'id'>; version: number }
  | { do: 'absence'; absence: Omit<Absence, 'id'>; zone: string }
  | { do: 'withdraw'; id: string }

/** `own`: about nobody but its author, who needs no keeper's role for it. */
export type OnCallChangeProposal = { kind: 'oncall'; proposal: OnCallProposal; summary: string; own: boolean }

const makeIt = async (tx: Tx, p: OnCallProposal, by: string): Promise<{ id?: string } | Refusal> => {
  switch (p.do) {
    case 'role.add':
      return made(await addOnCallRole(tx, p.role, { by }))
    case 'role.change':
      return made(await changeOnCallRole(tx, p.key, p.change, { by, version: p.version }))
    case 'role.remove':
      return made(await removeOnCallRole(tx, p.key, by))
    case 'override': {
      const done = await addOverride(tx, p.key, p.override, { by, version: p.version })
      return isRefusal(done) ? done : { id: done.made.id }
    }
    case 'temporary': {
      const done = await addTemporary(tx, p.key, p.temporary, { by, version: p.version })
      return isRefusal(done) ? done : { id: done.made.id }
    }
    case 'absence': {
      const done = await addAbsence(tx, p.absence, { by, zone: p.zone })
      return isRefusal(done) ? done : { id: done.id }
    }
    case 'withdraw':
      return made(await withdraw(tx, p.id, by))
  }
}

const made = <T>(done: T | Refusal): { id?: string } | Refusal => (isRefusal(done) ? done : {})

/** An absence changes schedules without a version of theirs. */
const same = (a: OnCallEntry, b: OnCallEntry): boolean =>
  a.role.version === b.role.version && JSON.stringify(a.schedule.absences) === JSON.stringify(b.schedule.absences)

/** Makes the change; whoever is on or off duty by it is told. A refusal leaves everything as it was. */
export const applyOnCall = async (
  tx: Tx,
  { proposal, summary }: OnCallChangeProposal,
  by: string,
): Promise<Answer | Refusal> => {
  const before = new Map<string, OnCallEntry>((await onCallRoles(tx)).map(e => [e.role.key, e]))
  const done = await makeIt(tx, proposal, by)
  if (isRefusal(done)) return done
  const told = new Set<string>()
  for (const after of await onCallRoles(tx)) {
    const was = before.get(after.role.key)
    if (!was || same(was, after)) continue
    const key = `${after.role.key}:${after.role.version}:${tx.now}`
    const about = { name: after.role.name, by }
    for (const person of await tellAffected(tx, key, about, was.schedule, after.schedule)) told.add(person)
  }
  return answer(
    `Done: ${summary}.`,
    ...(told.size > 0 ? [`I am telling ${[...told].join(', ')}.`] : []),
    ...(done.id ? ['To take it back:', code(`!oncall undo ${done.id}`)] : []),
  )
}
