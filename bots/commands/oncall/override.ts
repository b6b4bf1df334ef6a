import { checkAbsence, checkOverride } from '../../../core/domain/oncall/schedule/check-change.ts'
import type { Override } from '../../../core/domain/oncall/schedule/schedule.ts'
import { overrideWords, spanWords } from '../../../core/domain/oncall/words/duty-words.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { worldZones as zones } from '../../../core/oncall/zones.ts'
import { type NewOverride, rolesOf, withdrawable, without } from '../../../core/store/oncall/changes.ts'
import { checkContext } from '../../../core/store/oncall/directory.ts'
import { onCallRole, onCallRoles } from '../../../core/store/oncall/read.ts'
import { heading, text } from '../../framework/answer.ts'
import { choice, named, optional, userId, word } from '../../framework/args.ts'
import { command, type Sender } from '../../framework/command.ts'
import { proposeForConfirm } from '../changes.ts'
import { findRole, keepers, roleArg, spanIn, staff, words } from './args.ts'
import { consequences, horizon, shownRoles } from './preview.ts'

const from = named('from', words('time', 'friday 18:00'))
const to = named('to', words('time', 'monday 08:00'))
const keeps = (sender: Sender): boolean => sender.roles.some(r => keepers.includes(r))

export const oncallOverride = command({
  words: ['oncall', 'override'],
  needs: keepers,
  args: {
    role: roleArg(),
    kind: choice(['replace', 'add', 'remove']),
    person: userId(),
    from,
    to,
    instead: optional(named('instead', userId())),
  },
  help: 'Put somebody on duty for a while, or take them off it; shows what changes, then waits for your !confirm.',
  detail:
    '"replace" puts the person in place of everybody, or of the one named after "instead"; "add" puts them on beside whoever is on; "remove" takes them off, and whoever is ' +
    'below takes over. Times are read in the role’s time zone; the end is reckoned from the beginning. An import never overwrites it.',
  run: async (context, { role: key, kind, person, instead, ...times }) => {
    const { tx } = context
    const entry = await findRole(tx, key)
    if (isRefusal(entry)) return entry
    if (instead !== undefined && kind !== 'replace')
      return refuse(
        'bad-override',
        '"instead" belongs to replace: !oncall override <role> replace <user> instead <user> …',
      )
    const { schedule } = entry
    const span = spanIn(times.from, times.to, schedule.zone, tx.now)
    if (isRefusal(span)) return span
    const wanted = { id: 'new', kind, person, ...span, ...(instead === undefined ? {} : { replaces: instead }) }
    const checked = checkOverride(wanted as Override, schedule, await checkContext(tx))
    if (isRefusal(checked)) return checked
    const after = { ...schedule, overrides: [...schedule.overrides, checked] }
    const notes = await consequences(tx, schedule, after, horizon(tx.now, checked))
    const { id: _, ...override } = checked
    const proposal = { do: 'override', key, override: override as NewOverride, version: entry.role.version } as const
    const summary = `${key}: ${overrideWords(checked)}, ${spanWords(checked, schedule.zone, zones)} (${schedule.zone})`
    return proposeForConfirm(context, { kind: 'oncall', proposal, summary, own: false }, notes)
  },
})

export const oncallAbsent = command({
  words: ['oncall', 'absent'],
  needs: staff,
  args: { person: optional(userId()), from, to },
  help: 'Say that you are away (or, if you keep the schedules, that somebody is): your turns fall to whoever is next; waits for your !confirm.',
  detail:
    'Times are read in the clinic’s time zone. It counts in every schedule. An override that names you still counts, and is shown as a conflict.',
  run: async (context, { person, ...times }) => {
    const { tx, sender, settings } = context
    const who = person ?? sender.userId
    if (who !== sender.userId && !keeps(sender))
      return refuse('forbidden', 'Only who keeps the schedules notes the absence of others.')
    const zone = settings['clinic.time_zone']
    const span = spanIn(times.from, times.to, zone, tx.now)
    if (isRefusal(span)) return span
    const checked = checkAbsence({ id: 'new', person: who, ...span }, zone, await checkContext(tx))
    if (isRefusal(checked)) return checked
    const { id: _, ...absence } = checked
    const notes = []
    const mine = await rolesOf(tx, who)
    for (const { role, schedule } of mine.slice(0, shownRoles)) {
      const after = { ...schedule, absences: [...schedule.absences, checked] }
      notes.push(heading(role.name), ...(await consequences(tx, schedule, after, horizon(tx.now, checked))))
    }
    if (mine.length > shownRoles) notes.push(text(`… and ${mine.length - shownRoles} more roles.`))
    const summary = `${who} is away, ${spanWords(checked, zone, zones)} (${zone})`
    const own = who === sender.userId
    return proposeForConfirm(
      context,
      { kind: 'oncall', proposal: { do: 'absence', absence, zone }, summary, own },
      notes,
    )
  },
})

export const oncallUndo = command({
  words: ['oncall', 'undo'],
  needs: staff,
  args: { id: word('<id>', 'ov_7k2m9qwxyz012345', text => text.toLowerCase()) },
  help: 'Take back an override, a temporary schedule, an absence or a swap, by its id (!oncall show); shows what changes, then waits for your !confirm.',
  detail:
    'What has begun ends now; who was on duty in the past is not changed. Your own absence you may take back yourself.',
  run: async (context, { id }) => {
    const { tx, sender } = context
    const found = await withdrawable(tx, id)
    const own = found?.kind === 'absence' && found.person === sender.userId
    if (!found || !(own || keeps(sender)))
      return refuse('unknown-change', `There is no ${id} in force or ahead that you may take back.`)
    const one = found.role === null ? undefined : await onCallRole(tx, found.role)
    const entries = one ? [one] : (await onCallRoles(tx)).filter(e => e.schedule.absences.some(a => a.id === id))
    const notes = []
    for (const { role, schedule } of entries.slice(0, shownRoles)) {
      const after = without(schedule, found.ids, tx.now)
      notes.push(heading(role.name), ...(await consequences(tx, schedule, after, horizon(tx.now, found))))
    }
    if (entries.length > shownRoles) notes.push(text(`… and ${entries.length - shownRoles} more roles.`))
    const zone = one?.schedule.zone ?? context.settings['clinic.time_zone']
    const summary = `take back the ${found.kind} ${id}, ${spanWords(found, zone, zones)} (${zone})`
    return proposeForConfirm(context, { kind: 'oncall', proposal: { do: 'withdraw', id }, summary, own }, notes)
  },
})
