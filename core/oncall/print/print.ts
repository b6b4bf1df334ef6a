import { days, minutes } from '../../domain/clock.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import { type PrintedPerson, type PrintedRole, printedPage } from '../../domain/oncall/print/page.ts'
import { shifts } from '../../domain/oncall/schedule/shifts.ts'
import { showPhone } from '../../phone.ts'
import { staffOf } from '../../store/oncall/directory.ts'
import { onCallPerson } from '../../store/oncall/people.ts'
import { type OnCallEntry, onCallRoles } from '../../store/oncall/read.ts'
import { readSettings } from '../../store/staff/settings.ts'
import { type StoreDeps, type Tx, transact } from '../../store/tx.ts'
import { clinicDuty } from '../pages/clinic-duty.ts'
import { isPerson, localName } from '../pages/look-up.ts'
import { worldZones } from '../zones.ts'

/** What a printed page holds: `without` counts people on it who gave no number. */
export type Printed = { html: string; roles: number; numbers: number; without: number }

const phoneOf = (e164: string | null | undefined) => (e164 ? { e164, shown: showPhone(e164) } : null)

const personOf = async (
  tx: Tx,
  { entries, staff }: { entries: readonly OnCallEntry[]; staff: ReadonlySet<string> },
  id: string,
): Promise<PrintedPerson> => {
  const role = entries.find(e => e.role.user === id)
  if (role) return { name: `Whoever is on for ${role.role.name}`, phone: null, role: true }
  if (!isPerson(id)) return { name: id, phone: phoneOf(await clinicDuty.line(tx, id)) }
  const { name, phone } = await onCallPerson(tx, id)
  if (!staff.has(id)) return { name: name ?? localName(id), phone: null, left: true }
  return { name: name ?? localName(id), phone: phoneOf(phone) }
}

/**
 * The page of who is on call in the next seven days, with the numbers of everybody on it. Opening them is the audited action `oncall.print`, recorded before the page leaves this function.
 * `by` is who asked; `what` where it goes, as a code.
 */
export const printOnCall = (
  store: StoreDeps,
  { by, what }: { by: string; what: 'stored-copy' | 'file' | 'output' },
): Promise<Printed> =>
  transact(store, async tx => {
    const settings = await readSettings(tx.sql)
    const to = tx.now + days(7)
    const entries = await onCallRoles(tx)
    const roles = entries
      .map(({ role: { key, name }, schedule, policy }): PrintedRole => {
        const { zone, fallback } = schedule
        const wait = (p: Priority) => policy.plans[p].steps[0]?.waitMs ?? minutes(5)
        const waits = { routine: wait('routine'), urgent: wait('urgent'), stat: wait('stat') }
        return { key, name, zone, fallback, waits, segments: shifts(schedule, tx.now, to, worldZones) }
      })
      .sort((a, b) => a.name.localeCompare(b.name, 'en'))
    const staff = await staffOf(tx)
    const people = new Map<string, PrintedPerson>()
    for (const role of roles)
      for (const id of [role.fallback, ...role.segments.flatMap(s => [s.person, ...s.also.map(a => a.person)])])
        if (!people.has(id)) people.set(id, await personOf(tx, { entries, staff }, id))
    const html = printedPage({
      clinic: settings['clinic.name'],
      switchboard: phoneOf(await clinicDuty.line(tx, 'switchboard')),
      madeAt: tx.now,
      to,
      zone: settings['clinic.time_zone'],
      roles,
      people,
      zones: worldZones,
    })
    const all = [...people.values()].filter(p => !p.role && !p.left)
    const numbers = all.filter(p => p.phone !== null).length
    await tx.audit({
      actor: { kind: 'service', id: by },
      action: 'oncall.print',
      object: { kind: 'oncall', id: 'all-roles' },
      outcome: 'done',
      detail: { what, roles: roles.length, numbers },
    })
    return { html, roles: roles.length, numbers, without: all.length - numbers }
  })
