import { z } from 'zod'
import { layerShifts } from '../../../../core/domain/oncall/schedule/layer.ts'
import {
  type Override,
  type Segment,
  type Schedule as Stored,
  sameDuty,
} from '../../../../core/domain/oncall/schedule/schedule.ts'
import { shifts } from '../../../../core/domain/oncall/schedule/shifts.ts'
import type { Shift } from '../../../../core/domain/oncall/shift.ts'
import { worldZones as zones } from '../../../../core/oncall/zones.ts'
import { schedulesBetween } from '../../../../core/store/oncall/history.ts'
import { onCallRoles } from '../../../../core/store/oncall/read.ts'
import type { Change, Schedule, Span } from '../../../../web/oncall-contract.ts'
import { deny } from '../../within.ts'
import { view } from '../view.ts'
import { dutyOf, namesFor } from './duty.ts'
import { stretchOf } from './stretch.ts'

type Part = Span & { schedule: Stored }

/** Who was, is and will be on; what a change of the schedule does not interrupt is one. */
const segmentsOf = (parts: readonly Part[]): Segment[] => {
  const all: Segment[] = []
  for (const { schedule, from, to } of parts)
    for (const segment of shifts(schedule, from, to, zones)) {
      const last = all.at(-1)
      if (last && last.to === segment.from && sameDuty(last, segment)) last.to = segment.to
      else all.push(segment)
    }
  return all
}

/** A turn that a change of the schedule does not interrupt is one. */
const joined = (turns: readonly Shift[]): Shift[] => {
  const all: Shift[] = []
  for (const turn of turns) {
    const last = all.at(-1)
    if (last && last.to === turn.from && last.person === turn.person) all[all.length - 1] = { ...last, to: turn.to }
    else all.push(turn)
  }
  return all
}

const layersOf = (parts: readonly Part[], now: Stored): Schedule['layers'] => {
  const ids = new Set(
    [now, ...parts.map(p => p.schedule).toReversed()].flatMap(s => s.layers.map(l => l.id).toReversed()),
  )
  return [...ids]
    .map(id => ({
      id,
      shifts: joined(
        parts.flatMap(({ schedule, from, to }) => {
          const layer = schedule.layers.find(l => l.id === id)
          return layer ? layerShifts(layer, from, to, schedule.zone, zones) : []
        }),
      ),
    }))
    .filter(l => l.shifts.length > 0)
}

const changeOf = ({ id, from, to, person, ...o }: Override): Change => ({
  id,
  from,
  to,
  person,
  kind: o.kind === 'replace' && o.swap !== undefined ? 'swap' : o.kind,
  replaces: o.kind === 'replace' ? (o.replaces ?? null) : null,
})

const namedIn = (s: Pick<Schedule, 'on' | 'layers' | 'changes' | 'absences' | 'role'>): string[] => [
  s.role.fallback,
  ...s.on.flatMap(x => x.duty.map(d => d.person)),
  ...s.layers.flatMap(l => l.shifts.map(x => x.person)),
  ...s.changes.flatMap(c => [c.person, c.replaces].filter(p => p !== null)),
  ...s.absences.map(a => a.person),
]

/** A week or a month of one role: who is on and why, what the layers say by themselves, what was changed by hand, who is away, and where nobody is on. */
export const schedule = view({
  name: 'schedule',
  needs: ['supervisor', 'admin'],
  body: z.strictObject({
    role: z
      .string()
      .regex(/^[a-z][a-z0-9_-]{1,39}$/)
      .optional(),
    day: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/)
      .optional(),
    span: z.enum(['week', 'month']),
  }),
  read: async ({ tx }, { role: key, day, span }) => {
    const entries = (await onCallRoles(tx)).toSorted((a, b) => a.role.name.localeCompare(b.role.name, 'en'))
    const entry = key === undefined ? entries[0] : entries.find(e => e.role.key === key)
    if (!entry) return deny(404, 'not-found', 'unknown-role')
    const { zone, fallback, overrides, temporary, absences } = entry.schedule
    const stretch = stretchOf(span, day, { now: tx.now, zone, zones })
    if (!stretch) return deny(400, 'bad-request', 'day')
    const { from, to } = stretch
    const touches = (s: Span) => s.from < to && s.to > from && s.from < s.to
    const parts = await schedulesBetween(tx, entry, from, to)
    const { name, unit } = entry.role
    const shown = {
      role: { key: entry.role.key, name, unit, zone, fallback },
      on: segmentsOf(parts).map(s => ({ from: s.from, to: s.to, duty: dutyOf(s) })),
      layers: layersOf(parts, entry.schedule),
      changes: [
        ...overrides.filter(touches).map(changeOf),
        ...temporary
          .filter(touches)
          .map(({ id, from, to }): Change => ({ id, from, to, kind: 'temporary', person: null, replaces: null })),
      ].sort((a, b) => a.from - b.from),
      absences: absences.filter(touches),
    }
    const answer: Schedule = {
      ...shown,
      ...stretch,
      span,
      roles: entries.map(e => ({ key: e.role.key, name: e.role.name })),
      names: await namesFor(tx, namedIn(shown)),
      now: tx.now,
    }
    const first = Number((stretch.days[0]?.day ?? '').replaceAll('-', ''))
    return { answer, seen: { detail: { role: entry.role.key, span, day: first } } }
  },
})
