import { wallClock } from '../../../core/domain/audit/period.ts'
import type { AuditRecord } from '../../../core/domain/audit/record.ts'
import { oneLine, type Resolved, sentenceOf } from '../../../core/domain/audit/sentence.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { patientOf } from '../../../core/store/audit/naming.ts'
import { resolveRefs } from '../../../core/store/audit/subjects.ts'
import { refsOf } from '../../../core/store/audit/timeline.ts'
import { patientById } from '../../../core/store/patients/patients.ts'
import { about, answer, code, literal, text } from '../../framework/answer.ts'
import { named, phrase } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { namedSubject } from './audit-args.ts'
import { findEntry, logDeps, overheard } from './timeline.ts'

/** What an entry holds, with what each part is called. */
const labelled = (r: AuditRecord): [string, string][] => {
  const parts: [string, string | undefined][] = [
    ['Patient', r.patient],
    ['Room', r.room],
    ['By', r.actor.ref],
    ['Device', r.actor.device],
    [`Object (${r.object.kind})`, r.object.ref],
    ['Address and browser', r.origin],
    ['Reason', r.reason],
    ...Object.entries(r.detail ?? {}).map(
      ([k, v]) => [k, typeof v === 'string' ? v : undefined] as [string, string | undefined],
    ),
  ]
  const refs = new Set(refsOf(r))
  return parts.flatMap(([label, ref]) => (ref !== undefined && refs.has(ref) ? [[label, ref] as [string, string]] : []))
}

const originWords = (value: string): string => {
  const { ip, agent } = JSON.parse(value) as { ip?: unknown; agent?: unknown }
  return [ip, agent].filter(v => typeof v === 'string').join(', ') || 'none'
}

/** What a commitment stands for, in words: with the patient to whom it belongs. */
const told = async ({ tx }: CommandContext, subject: Resolved): Promise<string> => {
  const { kind, value } = subject
  if (kind === 'origin') return originWords(value)
  const id = await patientOf(tx.sql, subject)
  const patient = id && (await patientById(tx.sql, id))
  if (!patient) return kind === 'words' ? `“${value}”` : value
  return kind === 'patient'
    ? `${patient.code} (${value}), ${patient.state}, unit ${patient.unit}`
    : `${value}, of ${patient.code}`
}

/** One line for each part. They stand in a code block, which takes everything literally. */
const lines = async (
  context: CommandContext,
  parts: readonly (readonly [string, string])[],
  known: Map<string, Resolved>,
) => {
  const out: string[] = []
  for (const [label, ref] of parts) {
    const subject = known.get(ref)
    const said = subject ? await told(context, subject) : 'erased: nobody can tell any more'
    out.push(`${oneLine(label, 70)}: ${oneLine(said, 1000)}`)
  }
  return out
}

export const auditReveal = command({
  words: ['audit', 'reveal'],
  needs: 'compliance',
  args: {
    entry: namedSubject(),
    reason: named('reason', phrase('why', 'complaint of 20 November, case 17', 300)),
  },
  help: 'Whom and what an entry stands for: patient, room, address. The reason is required and stays in the log, for good.',
  run: async (context, { entry: asked, reason }) => {
    const { tx, sender, settings } = context
    const stopped = overheard(context)
    if (stopped) return stopped
    if (!/(\p{L}.*){8}/u.test(reason))
      return refuse('no-reason', 'Say in some words why, so that whoever reviews this understands it.')
    const entry = 'entry' in asked ? await findEntry(context, asked.entry) : undefined
    if (isRefusal(entry)) return entry
    const parts = entry ? labelled(entry) : 'ref' in asked ? [['It stands for', asked.ref] as const] : []
    if (parts.length === 0) return refuse('nothing-hidden', `Entry #${entry?.idx} holds nothing but what it shows.`)
    const known = await resolveRefs(
      logDeps(context),
      parts.map(([, ref]) => ref),
    )
    const subjects = parts.flatMap(([, ref]) => known.get(ref) ?? [])
    const owners = await Promise.all(subjects.map(s => patientOf(tx.sql, s)))
    const patient = owners.find(id => id !== undefined)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'audit.reveal',
      object: { kind: 'audit', id: entry ? `entry ${entry.idx}` : `commitment ${'ref' in asked ? asked.ref : ''}` },
      outcome: 'done',
      patient,
      reason,
      detail: { parts: parts.length, erased: parts.length - subjects.length },
    })
    const when = (at: number) => Object.values(wallClock(at, settings['clinic.time_zone'])).join(' ')
    const said = answer(
      literal(text(entry ? `Entry #${entry.idx}, ${when(entry.at)}: ${sentenceOf(entry)}` : 'A commitment:')),
      code((await lines(context, parts, known)).join('\n')),
      'That you asked, and why, is in the log.',
    )
    return patient ? about(patient, said) : said
  },
})
