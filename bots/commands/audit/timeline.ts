import type { AuditRecord } from '../../../core/domain/audit/record.ts'
import type { PatientId } from '../../../core/domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { permits } from '../../../core/domain/roles.ts'
import { type EntryFilter, readEntries } from '../../../core/store/audit/log/entries.ts'
import { namingFor, patientOf, wasErased } from '../../../core/store/audit/naming.ts'
import { refOf, resolveRefs } from '../../../core/store/audit/subjects.ts'
import { type Naming, timeline } from '../../../core/store/audit/timeline.ts'
import { type Patient, patientByCode, patientById } from '../../../core/store/patients/patients.ts'
import { type Answer, about, answer } from '../../framework/answer.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import {
  beforeArg,
  between,
  linkSubject,
  type Moment,
  type Named,
  patientSubject,
  roomSubject,
  sinceArg,
  staffSubject,
  untilArg,
} from './audit-args.ts'
import { entriesPerAnswer, timelineAnswer } from './timeline-answer.ts'

const span = { since: sinceArg(), until: untilArg(), before: beforeArg() }
type Span = { since?: Moment; until?: Moment; before?: number }

/** What the log is asked about. `id` and `patient` are undefined when what the commitment stood for was erased. */
export type Subject = { kind: string; ref: string; id?: string; patient?: Patient }

/** The store as this transaction sees it. */
export const logDeps = ({ tx }: Pick<CommandContext, 'tx'>) => ({ db: tx.sql, seal: tx.deps.seal })

/** Whom somebody looks into is nobody else's business: not in a desk room, where others read. */
export const overheard = ({ room }: Pick<CommandContext, 'room'>): Refusal | undefined =>
  room.class === 'direct' || room.unit === 'compliance'
    ? undefined
    : refuse('overheard', 'Others read here: ask me this in the chat of the two of us, or in the compliance room.')

const typed = (m: Moment): string => ('day' in m ? m.day : `${Math.round(m.ago / 60_000)}m`)
const spanWords = ({ since, until }: Span) =>
  `${since ? ` since ${typed(since)}` : ''}${until ? ` until ${typed(until)}` : ''}`

/** The entry of a number. */
export const findEntry = async (context: Pick<CommandContext, 'tx'>, idx: number): Promise<AuditRecord | Refusal> => {
  const [entry] = await readEntries(context.tx.sql, { from: idx, limit: 1 })
  return entry?.idx === idx ? entry : refuse('unknown-entry', `There is no entry #${idx} in the log.`)
}

const never = (what: string) => refuse('not-in-log', `The log has no entry about ${what}.`)

/** What a commitment stands for, and the patient to whom that belongs. */
const subjectOfRef = async (context: CommandContext, kind: string, ref: string): Promise<Subject | Refusal> => {
  const known = (await resolveRefs(logDeps(context), [ref])).get(ref)
  if (!known) return { kind, ref }
  if (known.kind !== kind) return refuse('other-kind', `That stands for a ${known.kind}, not for a ${kind}.`)
  const id = await patientOf(context.tx.sql, known)
  const patient = id === undefined ? undefined : ((await patientById(context.tx.sql, id)) ?? undefined)
  return { kind, ref, id: known.value, patient }
}

const subjectOfEntry = async (context: CommandContext, kind: string, idx: number): Promise<Subject | Refusal> => {
  const entry = await findEntry(context, idx)
  if (isRefusal(entry)) return entry
  const field = kind === 'patient' ? entry.patient : kind === 'room' ? entry.room : undefined
  const ref = field ?? (entry.object.kind === kind ? entry.object.ref : undefined)
  return ref === undefined
    ? refuse('other-kind', `Entry #${idx} is not about a ${kind}.`)
    : subjectOfRef(context, kind, ref)
}

const subjectNamed = (context: CommandContext, kind: string, named: Named): Promise<Subject | Refusal> =>
  'entry' in named ? subjectOfEntry(context, kind, named.entry) : subjectOfRef(context, kind, named.ref)

const subjectOfId = async (
  context: CommandContext,
  kind: string,
  id: string,
  shown: string,
): Promise<Subject | Refusal> => {
  const ref = await refOf(logDeps(context), kind, id)
  return ref === null ? never(shown) : subjectOfRef(context, kind, ref)
}

type Question = {
  filters: readonly Omit<EntryFilter, 'limit'>[]
  title: string
  withPatient: boolean
  naming?: Naming
  /** The command without its span. */
  again: string
  /** For the log: what was looked at. */
  object: string
  patient?: PatientId
  room?: string
}

/** Answers with the entries, and notes in the same transaction that they were looked at (row 121). */
const tell = async (context: CommandContext, q: Question, s: Span): Promise<Answer | Refusal> => {
  const { tx, sender, settings } = context
  const stopped = overheard(context)
  if (stopped) return stopped
  const timeZone = settings['clinic.time_zone']
  const { from, until } = between(s, tx.now, timeZone)
  const page = { since: from, until, before: s.before, limit: entriesPerAnswer + 1 }
  const rows = await timeline(
    logDeps(context),
    q.filters.map(f => ({ ...f, ...page })),
    q.naming,
  )
  await tx.audit({
    actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
    action: 'audit.view',
    object: { kind: 'audit', id: q.object },
    outcome: 'done',
    patient: q.patient,
    room: q.room,
    detail: { entries: Math.min(rows.length, entriesPerAnswer), newest: rows[0]?.idx ?? null },
  })
  const said =
    rows.length === 0
      ? answer(`${q.title} The log has no entry${s.before ? ' older than that' : ' for this time'}.`)
      : timelineAnswer(rows, { title: q.title, timeZone, withPatient: q.withPatient, again: q.again + spanWords(s) })
  return q.patient ? about(q.patient, said) : said
}

/** What was asked for, where it is named by an entry alone: whose it is, only `!audit reveal` tells. */
const theirs = (subject: Subject, what: string): string =>
  subject.id === undefined
    ? `${what} of somebody whose data were erased: what happened is kept, but nobody can tell any more who it was`
    : what

export const auditPatient = command({
  words: ['audit', 'patient'],
  needs: 'compliance',
  args: { patient: patientSubject(), ...span },
  help: 'Everything that the log has about a patient, day by day.',
  detail: 'An entry about the patient, such as #1234, stands for the patient as well.',
  run: async (context, { patient: asked, ...s }) => {
    const found = 'code' in asked ? await patientByCode(context.tx.sql, asked.code) : null
    if ('code' in asked && !found) return refuse('unknown-patient', `There is no patient ${asked.code}.`)
    if (found && (await wasErased(logDeps(context), found.id)))
      return refuse(
        'erased',
        `What the log knew of ${found.code} was erased: its entries are kept, and cannot be found by the patient any more.`,
      )
    const subject = found
      ? await subjectOfId(context, 'patient', found.id, found.code)
      : await subjectNamed(context, 'patient', asked as Named)
    if (isRefusal(subject)) return subject
    const { patient, ref } = subject
    const title = found
      ? `${found.code}, ${found.state}${found.roomId ? `, room https://matrix.to/#/${found.roomId}` : ''}.`
      : `${theirs(subject, 'The patient')} (#${ref.slice(0, 8)}).`
    return tell(
      context,
      {
        filters: [{ patient: ref }],
        title,
        withPatient: false,
        naming: found ? await namingFor(context.tx.sql, found) : undefined,
        again: `!audit patient ${found?.code ?? ref}`,
        object: subject.id ? 'a patient' : `patient ${ref}`,
        patient: patient?.id,
      },
      s,
    )
  },
})

export const auditUser = command({
  words: ['audit', 'user'],
  needs: 'anyone',
  args: { user: staffSubject(), ...span },
  help: 'What a member of staff did, and what was done to their roles. Anyone may ask about themselves: !audit user me.',
  detail:
    'About somebody else only compliance may ask. Patients stand there as commitments; !audit reveal tells whom one means.',
  run: async (context, { user: asked, ...s }) => {
    const { sender } = context
    const user = asked === 'me' ? sender.userId : asked
    const own = user === sender.userId
    if (!own && !permits(sender.roles, ['compliance']))
      return refuse('forbidden', 'Only compliance may see what somebody else did; your own entries: !audit user me')
    return tell(
      context,
      {
        filters: [{ actor: user }, { object: user }],
        title: own ? 'What you did, as the log has it.' : `What ${user} did.`,
        withPatient: true,
        again: `!audit user ${own ? 'me' : user}`,
        object: user,
      },
      s,
    )
  },
})

export const auditRoom = command({
  words: ['audit', 'room'],
  needs: 'compliance',
  args: { room: roomSubject(), ...span },
  help: "What happened in a room: members, messages (never their words), power, and our own acts; a patient's code stands for the care room.",
  run: async (context, { room: asked, ...s }) => {
    const { sql } = context.tx
    const found = 'code' in asked ? await patientByCode(sql, asked.code) : null
    if ('code' in asked && !found) return refuse('unknown-patient', `There is no patient ${asked.code}.`)
    if (found && found.roomId === null) return refuse('no-room', `${found.code} has no care room yet.`)
    const id = 'room' in asked ? asked.room : found?.roomId
    const subject = id
      ? await subjectOfId(context, 'room', id, found ? `the room of ${found.code}` : id)
      : await subjectNamed(context, 'room', asked as Named)
    if (isRefusal(subject)) return subject
    const { patient, ref } = subject
    return tell(
      context,
      {
        filters: [{ room: ref }, { object: ref }],
        title: found
          ? `The care room of ${found.code}.`
          : `${theirs(subject, id ?? 'The room')} (#${ref.slice(0, 8)}).`,
        withPatient: false,
        naming: found ? await namingFor(sql, found) : undefined,
        again: `!audit room ${id ?? ref}`,
        object: subject.id ? 'a room' : `room ${ref}`,
        patient: patient?.id,
        room: subject.id,
      },
      s,
    )
  },
})

export const auditLink = command({
  words: ['audit', 'link'],
  needs: 'compliance',
  args: { link: linkSubject(), ...span },
  help: 'What became of a secure link: made, tapped, confirmed or refused. It is named by any entry about it.',
  run: async (context, { link: asked, ...s }) => {
    const subject =
      'link' in asked
        ? await subjectOfId(context, 'link', asked.link, asked.link)
        : await subjectNamed(context, 'link', asked)
    if (isRefusal(subject)) return subject
    const { patient, ref } = subject
    return tell(
      context,
      {
        filters: [{ object: ref }],
        title: `${theirs(subject, 'The link')} (#${ref.slice(0, 8)}).`,
        withPatient: false,
        again: `!audit link ${ref}`,
        object: subject.id ? 'a link' : `link ${ref}`,
        patient: patient?.id,
      },
      s,
    )
  },
})
