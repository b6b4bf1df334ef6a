import { monthOf, wallClock } from '../../../core/domain/audit/period.ts'
import type { AccessReport, CommandsReport, LinksReport } from '../../../core/domain/audit/reports.ts'
import { accessReport, commandsReport, linksReport } from '../../../core/store/audit/reports.ts'
import { type Answer, answer, type Block, heading, list, literal, table, text } from '../../framework/answer.ts'
import { choice } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { monthArg } from './audit-args.ts'
import { overheard } from './timeline.ts'

/** A part of a report: the first rows of a table under its title, or a sentence when there are none. */
const part = (
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
  most = 20,
): Block[] => [
  heading(title),
  ...(rows.length === 0 ? [text(none)] : table(head, rows.slice(0, most)).map(literal)),
  ...(rows.length > most ? [text(`… and ${rows.length - most} more, on the administrators' page.`)] : []),
]

const shortRef = (ref: string) => `#${ref.slice(0, 8)}`
const n = String

const monthName = (month: string) =>
  new Intl.DateTimeFormat('en', { timeZone: 'UTC', month: 'long', year: 'numeric' }).format(
    Date.parse(`${month}-15T00:00:00Z`),
  )

const when = (at: number, zone: string) => {
  const { day, time } = wallClock(at, zone)
  return `${day} ${time.slice(0, 5)}`
}

const watchWords: Record<string, string> = {
  'audit.view': 'timelines',
  'audit.reveal': 'identities revealed',
  'audit.report': 'reports',
  'audit.export': 'exports of the log',
  'audit.verify': 'checks of the log',
  'admin.view': "administrators' page",
}

/** Who looked at which patients (row 23), and who looked at the log, at reports and at receipts (row 121). */
export const accessAnswer = (r: AccessReport, zone: string): Answer => {
  const unlike = r.users.filter(u => u.why.length > 0)
  return answer(
    `Access to patients in ${monthName(r.month)} (${zone}): ${r.users.length} people of the staff${unlike.length > 0 ? `, ${unlike.length} of them unlike the others` : ''}.`,
    ...(unlike.length > 0
      ? [heading('Unlike the others'), literal(list(unlike.slice(0, 20).map(u => `${u.user}: ${u.why.join('; ')}`)))]
      : []),
    ...part(
      'People',
      ['Person', 'Patients', 'Looked', 'Messages', 'Changed', 'Out of hours'],
      r.users.map(u => [u.user, n(u.patients), n(u.views), n(u.messages), n(u.changes), n(u.outOfHours)]),
      'Nobody of the staff dealt with a patient.',
    ),
    ...part(
      'Who dealt most with whom',
      ['Person', 'Patient', 'Looked', 'Messages', 'Changed', 'Last', 'Entry'],
      r.pairs.map(p => [
        p.user,
        shortRef(p.patient),
        n(p.views),
        n(p.messages),
        n(p.changes),
        when(p.lastAt, zone),
        `#${p.last}`,
      ]),
      'Nobody.',
      15,
    ),
    ...part(
      'Patients with whom several people dealt',
      ['Patient', 'People', 'Looked', 'Entry'],
      r.patients.filter(p => p.users > 1).map(p => [shortRef(p.patient), n(p.users), n(p.views), `#${p.last}`]),
      'None.',
      10,
    ),
    ...part(
      'Who looked at the log, at reports, receipts and lists of patients',
      ['Person', 'What', 'Times', 'Last'],
      r.watching.map(w => [w.user, watchWords[w.what] ?? w.what, n(w.times), when(w.lastAt, zone)]),
      'Nobody.',
    ),
    'Patients stand as commitments. !audit patient and the entry (#…) shows what happened to one; !audit reveal and the entry tells who it is, and wants a reason.',
  )
}

/** What became of links, texts and visits. */
export const linksAnswer = (r: LinksReport, zone: string): Answer =>
  answer(
    `Secure links in ${monthName(r.month)} (${zone}).`,
    ...part(
      'From text to answer',
      ['Step', 'Times'],
      r.funnel.map(f => [f.step, n(f.n)]),
      'Nothing.',
    ),
    ...part(
      'Texts',
      ['State', 'Times'],
      r.texts.map(t => [t.state, n(t.n)]),
      'None.',
    ),
    ...part(
      'What went another way',
      ['How', 'Times'],
      r.ended.map(e => [e.how, n(e.n)]),
      'Nothing.',
    ),
    ...part(
      'Why',
      ['Step', 'Reason', 'Times'],
      r.reasons.map(x => [x.action, x.reason, n(x.n)]),
      'Nothing was refused.',
      15,
    ),
    ...part(
      'Patients with most trouble',
      ['Patient', 'Not confirmed', 'Locked', 'Texts failed', 'Entry'],
      r.trouble.map(t => [shortRef(t.patient), n(t.refused), n(t.locked), n(t.textsFailed), `#${t.last}`]),
      'None.',
      10,
    ),
  )

/** Which commands were given, by whom, and what was refused. */
export const commandsAnswer = (r: CommandsReport, zone: string): Answer =>
  answer(
    `Commands in ${monthName(r.month)} (${zone}): ${r.commands.reduce((sum, c) => sum + c.times, 0)}.`,
    ...part(
      'Commands',
      ['Command', 'Times', 'Refused', 'Failed', 'People'],
      r.commands.map(c => [`!${c.command}`, n(c.times), n(c.refused), n(c.failed), n(c.users)]),
      'None was given.',
      30,
    ),
    ...part(
      'People',
      ['Person', 'Commands', 'Refused', 'Failed', 'Different ones'],
      r.users.map(u => [u.user, n(u.times), n(u.refused), n(u.failed), n(u.commands)]),
      'Nobody.',
    ),
    ...part(
      'Why not',
      ['Command', 'Reason', 'Times'],
      r.reasons.map(x => [`!${x.command}`, x.reason, n(x.n)]),
      'Nothing was refused.',
    ),
  )

export const auditReport = command({
  words: ['audit', 'report'],
  needs: 'compliance',
  args: { report: choice(['access', 'links', 'commands']), month: monthArg() },
  help: 'A month in figures: who dealt with which patients and who is unlike the others; what became of links and texts; which commands were given. This month where none is named.',
  run: async (context, { report, month: asked }) => {
    const { tx, sender, settings } = context
    const stopped = overheard(context)
    if (stopped) return stopped
    const zone = settings['clinic.time_zone']
    const month = asked ?? monthOf(tx.now, zone)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'audit.report',
      object: { kind: 'report', id: `${report} ${month}` },
      outcome: 'done',
    })
    switch (report) {
      case 'access':
        return accessAnswer(await accessReport(tx.sql, month), zone)
      case 'links':
        return linksAnswer(await linksReport(tx.sql, month), zone)
      case 'commands':
        return commandsAnswer(await commandsReport(tx.sql, month), zone)
    }
  },
})
