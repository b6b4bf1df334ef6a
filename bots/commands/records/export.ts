import { readRecipients } from '../../../core/age.ts'
import { readPatientCode } from '../../../core/domain/care/patient.ts'
import type { PatientId } from '../../../core/domain/ids.ts'
import { type ExportAbout, exportRange, rangeWords } from '../../../core/domain/records/export-request.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { patientById } from '../../../core/store/patients/patients.ts'
import { exportScope, mostExportRooms, roomsOfExport } from '../../../core/store/records/export-rooms.ts'
import {
  cancelExport,
  createExport,
  type ExportRequest,
  exportById,
  exportMatter,
  listExports,
  newExportId,
} from '../../../core/store/records/exports.ts'
import { isKnownRoom } from '../../../core/store/records/rooms.ts'
import { answer, fields, table } from '../../framework/answer.ts'
import { type Arg, named, phrase, userId, word } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { between, sinceArg, untilArg } from '../audit/audit-args.ts'
import { proposeForApproval } from '../changes.ts'
import { findPatient } from '../patient-args.ts'
import { roomArg } from './policy-args.ts'

type Asked = { kind: 'room'; room: string } | { kind: 'user'; user: string } | { kind: 'patient'; code: string }

/** `room !abc:server`, `user @ann:server`, `patient K7M-4QP`, `patient K7M-4QP copy`. */
const subjectArg = (): Arg<Asked & { copy: boolean }> => ({
  usage: 'room <room>|user <user>|patient <code> [copy]',
  example: 'patient K7M-4QP',
  take: (tokens, env) => {
    const kind = (tokens[0]?.text ?? '').toLowerCase()
    const rest = tokens.slice(1)
    const is = (i: number, text: string) => tokens[i]?.text.toLowerCase() === text
    if (kind === 'room') {
      const taken = roomArg().take(rest, env)
      return isRefusal(taken) ? taken : { value: { kind, room: taken.value, copy: false }, used: 2 }
    }
    if (kind === 'user') {
      const taken = userId().take(rest, env)
      return isRefusal(taken) ? taken : { value: { kind, user: taken.value, copy: false }, used: 2 }
    }
    if (kind !== 'patient') return refuse('bad-subject', 'Say what to export: room, user or patient.')
    const code = readPatientCode(rest[0]?.text ?? '')
    if (!code) return refuse('bad-code', "That is not a patient's code; it looks like K7M-4QP.")
    const copy = is(2, 'copy')
    return { value: { kind, code, copy }, used: copy ? 3 : 2 }
  },
})

/** Everything up to the next named argument: recipients are long, and people put spaces after the commas. */
const recipientsArg = (): Arg<string[]> => ({
  usage: '<age1…>[,<age1…>]',
  example: 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  take: tokens => {
    const end = tokens.findIndex((t, i) => i > 0 && !/^age1|^age-secret-key/i.test(t.text))
    const used = end < 0 ? tokens.length : end
    const read = readRecipients(
      tokens
        .slice(0, used)
        .map(t => t.text)
        .join(','),
    )
    return isRefusal(read) ? read : { value: read, used }
  },
})

const exportId = () =>
  word('<export>', 'ex_7k2m0000aaaa1111', text =>
    /^ex_[0-9a-z]{16}$/.test(text.toLowerCase())
      ? text.toLowerCase()
      : refuse('bad-export', 'Expected an export as !export list shows it (ex_…).'),
  )

const minute = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** What an export is about; a patient by their code as long as they are known. */
const aboutWords = async ({ tx }: Pick<CommandContext, 'tx'>, about: ExportAbout): Promise<string> => {
  if (about.kind === 'room') return `room https://matrix.to/#/${about.room}`
  if (about.kind === 'user') return `what ${about.user} sent`
  return `patient ${(await patientById(tx.sql, about.patient as PatientId))?.code ?? '(erased)'}`
}

const aboutOf = async (context: CommandContext, asked: Asked): Promise<ExportAbout | Refusal> => {
  if (asked.kind === 'user') return asked
  if (asked.kind === 'room')
    return (await isKnownRoom(context.tx.sql, asked.room))
      ? asked
      : refuse('unknown-room', 'No message of this room was ever seen here; is it the right room?')
  const patient = await findPatient(context, asked.code)
  return isRefusal(patient) ? patient : { kind: 'patient', patient: patient.id }
}

export const exportRequest = command({
  words: ['export', 'request'],
  needs: 'compliance',
  args: {
    subject: subjectArg(),
    since: sinceArg(),
    until: untilArg(),
    reason: named('reason', { ...phrase('why', 'claim 2026-114', 300), usage: '"<why>"' }),
    to: named('to', recipientsArg()),
  },
  help: 'Ask for an export of records as a package that is encrypted to named recipients; a second person approves it.',
  detail:
    "The rooms are told. Officers then run it with their shares of the recovery key: wardroom export run (docs/export.md). With copy it is the patient's own copy. Recipients are age keys. The reason is kept sealed.",
  phi: true,
  run: async (context, { subject: { copy, ...asked }, since, until, reason, to }) => {
    const { tx, sender, settings } = context
    const about = await aboutOf(context, asked)
    if (isRefusal(about)) return about
    const range = exportRange(between({ since, until }, tx.now, settings['clinic.time_zone']), tx.now)
    if (isRefusal(range)) return range
    const rooms = await exportScope(tx.sql, { about, copy, ...range })
    if (rooms.length === 0) return refuse('nothing', 'Nothing of that was ever seen here.')
    if (rooms.length > mostExportRooms)
      return refuse('too-much', `That is more than ${mostExportRooms} rooms: ask for a shorter time.`)
    const id = newExportId(tx)
    const words = await aboutWords(context, about)
    const change = { kind: 'export', id, about: words, range: rangeWords(range), copy, reason } as const
    const notes = [fields(['Rooms', String(rooms.length)])]
    const said = await proposeForApproval(context, { ...change, recipients: to.length }, notes)
    if (isRefusal(said)) return said
    await createExport(tx, { id, about, ...range, copy, recipients: to, matter: reason, by: sender.userId })
    return about.kind === 'patient' ? { ...said, patient: about.patient as PatientId } : said
  },
})

const stateWords = (r: ExportRequest, now: number): string => {
  if ((r.state === 'requested' || r.state === 'approved') && now >= r.lapsesAt) return 'expired'
  return r.state === 'approved' ? `approved until ${minute(r.lapsesAt)}` : r.state
}

const viewed = ({ tx, sender }: CommandContext, r?: ExportRequest) =>
  tx.audit({
    actor: { kind: 'user', id: sender.userId },
    action: 'export.view',
    object: { kind: 'export', id: r?.id ?? 'all' },
    outcome: 'done',
    ...(r?.about.kind === 'patient' ? { patient: r.about.patient } : {}),
    ...(r?.about.kind === 'room' ? { room: r.about.room } : {}),
  })

export const exportList = command({
  words: ['export', 'list'],
  needs: ['compliance', 'admin'],
  args: {},
  help: 'The exports of records, the newest first.',
  run: async context => {
    const all = await listExports(context.tx.sql)
    await viewed(context)
    if (all.length === 0) return answer('Nobody has asked for an export.')
    const rows: string[][] = []
    for (const r of all)
      rows.push([
        r.id,
        `${await aboutWords(context, r.about)}${r.copy ? ', copy' : ''}`,
        stateWords(r, context.tx.now),
        `${minute(r.requestedAt)} by ${r.requestedBy}`,
      ])
    return answer(...table(['Export', 'About', 'State', 'Asked for (UTC)'], rows))
  },
})

export const exportShow = command({
  words: ['export', 'show'],
  needs: 'compliance',
  args: { id: exportId() },
  help: 'One export: what, why, who approved it, which rooms were told, and the hashes of its package.',
  run: async (context, { id }) => {
    const { tx } = context
    const r = await exportById(tx.sql, id)
    if (!r) return refuse('unknown-export', `There is no export ${id}; see !export list.`)
    await viewed(context, r)
    const rooms = await roomsOfExport(tx.sql, id)
    const untold = rooms.filter(x => x.untold !== null).length
    const told = rooms.filter(x => x.toldAt !== null).length
    const said = answer(
      fields(
        [r.copy ? "Patient's copy" : 'Export', id],
        ['About', await aboutWords(context, r.about)],
        ['Sent', rangeWords(r)],
        ['Why', await exportMatter({ db: tx.sql, seal: tx.deps.seal }, id)],
        ['State', stateWords(r, tx.now)],
        ['Asked for', `${minute(r.requestedAt)} by ${r.requestedBy}`],
        ['Approved', r.approvedAt ? `${minute(r.approvedAt)} by ${r.approvedBy}` : 'no'],
        ...(rooms.length > 0
          ? [['Rooms told', `${told} of ${rooms.length}${untold > 0 ? `; ${untold} cannot be told` : ''}`] as const]
          : []),
        ['Encrypted to', r.recipients.map(x => `${x.slice(0, 16)}…`).join(', ')],
        ...(r.fileSha256 ? [['SHA-256 of the package', r.fileSha256] as const] : []),
        ...(r.manifestSha256 ? [['SHA-256 of its manifest', r.manifestSha256] as const] : []),
      ),
    )
    return r.about.kind === 'patient' ? { ...said, patient: r.about.patient as PatientId } : said
  },
})

export const exportCancel = command({
  words: ['export', 'cancel'],
  needs: ['compliance', 'admin'],
  args: { id: exportId() },
  help: 'Take back an export that is not done: it cannot be approved or run any more.',
  run: async ({ tx, sender }, { id }) => {
    const done = await cancelExport(tx, id, sender.userId)
    if (!done) return refuse('unknown-export', `There is no export ${id}; see !export list.`)
    return isRefusal(done) ? done : answer(`Export ${id} is cancelled.`)
  },
})
