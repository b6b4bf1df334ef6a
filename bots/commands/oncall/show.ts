import { days, type Instant } from '../../../core/domain/clock.ts'
import { conflicts } from '../../../core/domain/oncall/schedule/conflicts.ts'
import { nextHandoff } from '../../../core/domain/oncall/schedule/differences.ts'
import type { OnDuty, Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import { gaps, shifts } from '../../../core/domain/oncall/schedule/shifts.ts'
import { whoIsOn } from '../../../core/domain/oncall/schedule/who-is-on.ts'
import { onDutyWords, overrideWords, spanWords, whyWords } from '../../../core/domain/oncall/words/duty-words.ts'
import { layerWords } from '../../../core/domain/oncall/words/layer-words.ts'
import { showTime } from '../../../core/domain/oncall/words/time-words.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { isPerson } from '../../../core/oncall/pages/look-up.ts'
import { worldZones as zones } from '../../../core/oncall/zones.ts'
import { staffOf } from '../../../core/store/oncall/directory.ts'
import { onCallHistory, scheduleAsOf } from '../../../core/store/oncall/history.ts'
import { namedIn, type OnCallEntry, onCallRoles } from '../../../core/store/oncall/read.ts'
import { type Answer, answer, fields, list, table } from '../../framework/answer.ts'
import { integer, named, optional } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { findRole, roleArg, roleLink, staff, timeIn, words } from './args.ts'
import { conflictLine, gapLine } from './preview.ts'

const at = optional(named('at', words('time', 'friday 18:00')))

const nobody = answer('There is no on-call role yet. A supervisor makes one: !oncall role add')

/** Of those who are on, whoever holds no role of the clinic any more: a page passes them over, and nobody should telephone them about a patient. */
const withoutRole = (duty: Pick<OnDuty, 'person' | 'also'>, staffed: ReadonlySet<string>): string[] => {
  const on = [duty.person, ...duty.also.map(a => a.person)]
  const strangers = on.filter(id => isPerson(id) && !staffed.has(id))
  return strangers.length === 0 ? [] : [`${strangers.join(' and ')}: no role here, so pages pass over`]
}

const scheduleAt = async (context: CommandContext, entry: OnCallEntry, when: Instant): Promise<Schedule | Refusal> =>
  (await scheduleAsOf(context.tx, entry, when)) ??
  refuse('too-long-ago', `Who was on then is not known: ${entry.role.name} was made later, or it is over 100 days ago.`)

const who = async (
  context: CommandContext,
  entry: OnCallEntry,
  time: string | undefined,
): Promise<Answer | Refusal> => {
  const { zone } = entry.schedule
  const when = time === undefined ? context.tx.now : timeIn(time, zone, context.tx.now)
  if (isRefusal(when)) return when
  const schedule = await scheduleAt(context, entry, when)
  if (isRefusal(schedule)) return schedule
  const duty = whoIsOn(schedule, when, zones)
  const next = nextHandoff(schedule, when, zones)
  return answer(
    fields(
      [`On call for ${entry.role.name}`, onDutyWords(duty)],
      ...withoutRole(duty, await staffOf(context.tx)).map(sentence => ['Attention', sentence] as const),
      ['At', `${showTime(when, zone, zones)} (${zone})`],
      ['Why', [duty.why, ...duty.also.map(a => a.why)].map(whyWords).join('; ')],
      [
        'Until',
        next === undefined
          ? 'nothing changes'
          : `${showTime(next, zone, zones)}, then ${onDutyWords(whoIsOn(schedule, next, zones))}`,
      ],
      ['Write to', roleLink(entry.role)],
    ),
  )
}

/** Everybody who is on at a time; `like` leaves those whose key or name has these letters. */
const everybody = async (context: CommandContext, time: string | undefined, like = ''): Promise<Answer | Refusal> => {
  const entries = (await onCallRoles(context.tx)).filter(e =>
    `${e.role.key} ${e.role.name} ${e.role.unit}`.toLowerCase().includes(like),
  )
  if (entries.length === 0)
    return like === '' ? nobody : refuse('unknown-role', `No on-call role has “${like}” in its name.`)
  const zone = context.settings['clinic.time_zone']
  const when = time === undefined ? context.tx.now : timeIn(time, zone, context.tx.now)
  if (isRefusal(when)) return when
  const staffed = await staffOf(context.tx)
  const row = async (e: OnCallEntry): Promise<string[]> => {
    const schedule = await scheduleAsOf(context.tx, e, when)
    if (!schedule) return [e.role.key, e.role.name, 'not known', '']
    const duty = whoIsOn(schedule, when, zones)
    const notes = [...(duty.why.by === 'fallback' ? ['fallback'] : []), ...withoutRole(duty, staffed)]
    return [e.role.key, e.role.name, onDutyWords(duty), notes.join('; ')]
  }
  const rows: string[][] = []
  for (const e of entries) rows.push(await row(e))
  return answer(`On call at ${showTime(when, zone, zones)} (${zone}):`, ...table(['Role', 'Name', 'On call', ''], rows))
}

export const oncallWho = command({
  words: ['oncall', 'who'],
  needs: staff,
  args: { role: roleArg(), at },
  help: 'Who is on call for a role, now or at a time, why, until when, and the role’s user to write to.',
  detail: 'A time is read in the role’s time zone: friday 18:00, tomorrow 7am, 2026-11-27 18:00, in 2h.',
  views: 'oncall.view',
  run: async (context, { role, at: time }) => {
    const entry = await findRole(context.tx, role)
    return isRefusal(entry) ? entry : who(context, entry, time)
  },
})

export const whoCommand = command({
  words: ['who'],
  needs: staff,
  args: { role: optional(roleArg()), at },
  help: 'The role directory: who is on call for a role, with its user to write to, or for every role whose name has these letters.',
  views: 'oncall.view',
  run: async (context, { role, at: time }) => {
    if (role === undefined) return everybody(context, time)
    const entry = (await onCallRoles(context.tx)).find(e => e.role.key === role)
    return entry ? who(context, entry, time) : everybody(context, time, role)
  },
})

const upcoming = (schedule: Schedule, from: Instant): Answer['blocks'] => {
  const { zone } = schedule
  const until = from + days(14)
  return table(
    ['From', 'To', 'On call', 'Why'],
    shifts(schedule, from, until, zones).map(s => [
      showTime(s.from, zone, zones),
      s.to === until ? '' : showTime(s.to, zone, zones),
      onDutyWords(s),
      whyWords(s.why),
    ]),
  )
}

/** What was put in by hand and is still to come, with the ids by which it is taken back. */
const byHand = (s: Schedule, now: Instant): string[] => [
  ...s.overrides
    .filter(o => o.to > now)
    .map(
      o =>
        `${o.id}: ${overrideWords(o)}, ${spanWords(o, s.zone, zones)}${o.kind === 'replace' && o.swap ? `, swap ${o.swap}` : ''}`,
    ),
  ...s.temporary.filter(t => t.to > now).map(t => `${t.id}: other layers, ${spanWords(t, s.zone, zones)}`),
  ...s.absences.filter(a => a.to > now).map(a => `${a.id}: ${a.person} is away, ${spanWords(a, s.zone, zones)}`),
]

export const oncallShow = command({
  words: ['oncall', 'show'],
  needs: staff,
  args: { role: optional(roleArg()), at },
  help: 'A role’s schedule: its layers, what was changed by hand, and the next two weeks; without a role, who is on for every role.',
  views: 'oncall.view',
  run: async (context, { role: key, at: time }) => {
    if (key === undefined) return everybody(context, time)
    const entry = await findRole(context.tx, key)
    if (isRefusal(entry)) return entry
    const { zone } = entry.schedule
    const when = time === undefined ? context.tx.now : timeIn(time, zone, context.tx.now)
    if (isRefusal(when)) return when
    const schedule = await scheduleAt(context, entry, when)
    if (isRefusal(schedule)) return schedule
    const layers = schedule.layers.toReversed().map(l => `${l.id}: ${layerWords(l, zone, zones).slice(0, 600)}`)
    const hand = byHand(schedule, when)
    return answer(
      fields(['Role', `${entry.role.key} (${entry.role.name})`], ['Time zone', zone], ['Fallback', schedule.fallback]),
      layers.length === 0 ? 'Nobody takes turns yet: !oncall set' : 'Layers, the one that counts first on top:',
      list(layers),
      ...(hand.length > 0 ? ['Changed by hand:', list(hand.slice(0, 30))] : []),
      `From ${showTime(when, zone, zones)} on:`,
      ...upcoming(schedule, when),
    )
  },
})

const ahead = optional(named('days', integer(1, 366, '<days>')))

export const oncallGaps = command({
  words: ['oncall', 'gaps'],
  needs: staff,
  args: { role: optional(roleArg()), days: ahead },
  help: 'When nobody but the fallback is on, within four weeks or as many days as you say.',
  views: 'oncall.view',
  run: async ({ tx }, { role: key, days: n }) => {
    const one = key === undefined ? undefined : await findRole(tx, key)
    if (isRefusal(one)) return one
    const entries = one ? [one] : await onCallRoles(tx)
    const lines = entries.flatMap(({ role, schedule }) =>
      gaps(schedule, tx.now, tx.now + days(n ?? 28), zones).map(g => `${role.key}: ${gapLine(g, schedule.zone)}`),
    )
    if (lines.length === 0) return answer(`No gaps within ${n ?? 28} days.`)
    return answer(
      `Gaps within ${n ?? 28} days, times of each role’s zone:`,
      list(lines.slice(0, 60)),
      ...(lines.length > 60 ? [`… and ${lines.length - 60} more.`] : []),
    )
  },
})

export const oncallConflicts = command({
  words: ['oncall', 'conflicts'],
  needs: staff,
  args: { role: optional(roleArg()), days: ahead },
  help: 'Double cover, absent people on duty, people in two roles at once, and names without a role, within four weeks.',
  views: 'oncall.view',
  run: async ({ tx }, { role: key, days: n }) => {
    const one = key === undefined ? undefined : await findRole(tx, key)
    if (isRefusal(one)) return one
    const all = await onCallRoles(tx)
    const known = await staffOf(tx)
    const options = { zones, known: (p: string) => known.has(p), reportTwoRoles: true }
    const of = (c: ReturnType<typeof conflicts>[number]) => (c.kind === 'two-roles' ? c.schedules : [c.schedule])
    const found = conflicts(
      all.map(e => e.schedule),
      tx.now,
      tx.now + days(n ?? 28),
      options,
    ).filter(c => !one || of(c).includes(one.role.key))
    if (found.length === 0) return answer(`No conflicts within ${n ?? 28} days.`)
    const zoneOf = (key: string | undefined) => all.find(e => e.role.key === key)?.schedule.zone ?? 'UTC'
    return answer(
      `Conflicts within ${n ?? 28} days, times of each role’s zone:`,
      list(found.slice(0, 60).map(c => `${of(c).join(', ')}: ${conflictLine(c, zoneOf(of(c)[0]))}`)),
      ...(found.length > 60 ? [`… and ${found.length - 60} more.`] : []),
    )
  },
})

export const oncallHistory = command({
  words: ['oncall', 'history'],
  needs: staff,
  args: { role: roleArg() },
  help: 'Who changed a schedule, when, and from what to what, the latest first.',
  views: 'oncall.view',
  run: async ({ tx }, { role: key }) => {
    const entry = await findRole(tx, key)
    if (isRefusal(entry)) return entry
    const changes = await onCallHistory(tx, { role: key, people: [...namedIn(entry.schedule)] })
    const { zone } = entry.schedule
    const short = (v: unknown): string => {
      const words = v === null || v === undefined ? '' : changeWords(v, zone)
      return words.length > 160 ? `${words.slice(0, 159)}…` : words
    }
    return answer(
      ...table(
        ['When', 'What', 'Before', 'After', 'By'],
        changes.map(c => [
          showTime(c.at, zone, zones),
          c.about ? `${c.kind} ${c.about}` : c.kind,
          short(c.before),
          short(c.after),
          c.by,
        ]),
      ),
    )
  },
})

type Stored = Record<string, unknown>

/** What the history has stored, as words. */
const changeWords = (value: unknown, zone: string): string => {
  const v = value as Stored
  if (typeof v.from === 'number' && typeof v.to === 'number' && typeof v.person === 'string') {
    const span = spanWords({ from: v.from, to: v.to }, zone, zones)
    const is = v.kind === 'add' || v.kind === 'remove' || v.kind === 'replace'
    return `${is ? overrideWords(v as never) : v.person}, ${span}`
  }
  if (typeof v.from === 'number' && typeof v.to === 'number') return spanWords({ from: v.from, to: v.to }, zone, zones)
  const part = ([k, x]: [string, unknown]): string => {
    if (k === 'layers') return (x as Schedule['layers']).map(l => `${l.id}: ${layerWords(l, zone, zones)}`).join(' | ')
    return typeof x === 'string' || typeof x === 'number' ? `${k} ${x}` : k
  }
  return Object.entries(v).map(part).join(', ')
}
