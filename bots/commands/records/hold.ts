import type { PatientId } from '../../../core/domain/ids.ts'
import { overlaps } from '../../../core/domain/records/hold.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { patientById } from '../../../core/store/patients/patients.ts'
import { exitOf } from '../../../core/store/records/exit-facts.ts'
import {
  type HoldCriteria,
  holdById,
  holdCover,
  listHolds,
  matterOf,
  placeHold,
  type StoredHold,
} from '../../../core/store/records/holds.ts'
import { isKnownRoom, patientOfRoom } from '../../../core/store/records/rooms.ts'
import { answer, fields, table } from '../../framework/answer.ts'
import { named, optional, patientCode, phrase, userId, word } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { between, sinceArg, untilArg } from '../audit/audit-args.ts'
import { proposeForApproval } from '../changes.ts'
import { findPatient } from '../patient-args.ts'
import { roomArg } from './policy-args.ts'

const day = (at: number) => new Date(at).toISOString().slice(0, 10)

/** What a hold is about; a patient by their code as long as they are known. */
const aboutWords = async ({ tx }: Pick<CommandContext, 'tx'>, h: StoredHold): Promise<string> => {
  const patient = h.patient ? await patientById(tx.sql, h.patient as PatientId) : undefined
  const parts = [
    h.room ? `room https://matrix.to/#/${h.room}` : '',
    h.user ? `what ${h.user} sent` : '',
    h.patient ? `patient ${patient?.code ?? '(erased)'}` : '',
    h.since ? `since ${day(h.since)}` : '',
    h.until ? `before ${day(h.until)}` : '',
  ]
  const about = parts.filter(p => p !== '').join(', ')
  return h.room || h.user || h.patient ? about : `everything ${about}`
}

/** A hold comes too late for keys whose destruction has begun; whoever places it must know. */
const keysGone = async ({ tx }: Pick<CommandContext, 'tx'>, patient: string | null): Promise<string[]> => {
  const exit = patient ? await exitOf(tx.sql, patient as PatientId) : undefined
  return exit?.begunAt
    ? [
        `Too late for the keys to this patient's record: their destruction (${exit.run}) had begun on ${day(exit.begunAt)}.`,
      ]
    : []
}

const holdId = () =>
  word('<hold>', 'lh_7k2m0000aaaa1111', text =>
    /^lh_[0-9a-z]{16}$/.test(text.toLowerCase())
      ? text.toLowerCase()
      : refuse('bad-hold', 'Expected a hold as !hold list shows it (lh_…).'),
  )

export const holdPlace = command({
  words: ['hold', 'place'],
  needs: 'compliance',
  args: {
    room: optional(named('room', roomArg())),
    user: optional(named('user', userId())),
    patient: optional(named('patient', patientCode())),
    since: sinceArg(),
    until: untilArg(),
    reason: named('reason', { ...phrase('why', 'claim 2026-114', 300), usage: '"<why>"' }),
  },
  help: 'Put messages under a legal hold at once: nothing that it covers is deleted, whatever says so.',
  detail:
    'Every condition that you give must fit; dates alone hold everything of that time. It also covers what people removed themselves in the last 7 days. The reason is kept sealed.',
  phi: true,
  run: async (context, { room, user, patient: code, since, until, reason }) => {
    const { tx, sender, settings } = context
    if (!room && !user && !code && !since && !until)
      return refuse(
        'missing',
        'Say what to hold: a room, a user, a patient, a stretch of time (since, until), or several of them.',
      )
    if (room && !(await isKnownRoom(tx.sql, room)))
      return refuse('unknown-room', 'No message of this room was ever seen here; is it the right room?')
    const patient = code ? await findPatient(context, code) : undefined
    if (isRefusal(patient)) return patient
    const period = between({ since, until }, tx.now, settings['clinic.time_zone'])
    if (period.from !== undefined && period.from > tx.now)
      return refuse('future', 'A hold begins in the past: leave "since" out for everything.')
    if (period.from !== undefined && period.until !== undefined && period.from >= period.until)
      return refuse('empty', '"until" must come after "since".')
    const criteria: HoldCriteria = { room, user, patient: patient?.id, since: period.from, until: period.until }
    const overlapping = (await listHolds(tx.sql)).filter(h => overlaps(h, criteria))
    const placed = await placeHold(tx, criteria, { matter: reason, by: sender.userId })
    if (isRefusal(placed)) return placed
    const { id, cover } = placed
    const said = answer(
      `Legal hold ${id} is in force.`,
      fields(
        ['Messages held', String(cover.there)],
        ['Of them removed or recalled, kept sealed', String(cover.hidden)],
        ['In rooms', String(cover.rooms)],
        ...(cover.passed > 0 ? [['Too late for', `${cover.passed} whose destruction had begun`] as const] : []),
      ),
      ...(overlapping.length > 0
        ? [
            `It overlaps with ${overlapping.map(h => h.id).join(', ')} of other matters: each holds by itself until it is released.`,
          ]
        : []),
      ...(await keysGone(context, patient?.id ?? (room ? await patientOfRoom(tx.sql, room) : null))),
      'It also covers what is sent from now on, as far as it fits. Two people release it: !hold release',
    )
    return patient ? { ...said, patient: patient.id } : said
  },
})

export const holdList = command({
  words: ['hold', 'list'],
  needs: ['compliance', 'admin'],
  args: {},
  help: 'The legal holds in force.',
  run: async context => {
    const { tx, sender } = context
    const holds = await listHolds(tx.sql)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId },
      action: 'hold.view',
      object: { kind: 'hold', id: 'all' },
      outcome: 'done',
    })
    if (holds.length === 0) return answer('There is no legal hold.')
    const rows: string[][] = []
    for (const h of holds) {
      const cover = await holdCover(tx.sql, h.id)
      rows.push([h.id, await aboutWords(context, h), String(cover.there), `${day(h.placedAt)} by ${h.placedBy}`])
    }
    return answer(...table(['Hold', 'About', 'Messages', 'Placed'], rows))
  },
})

export const holdReport = command({
  words: ['hold', 'report'],
  needs: 'compliance',
  args: { hold: holdId() },
  help: 'One legal hold: what it covers, why, who placed and released it.',
  run: async (context, { hold: id }) => {
    const { tx, sender } = context
    const hold = await holdById(tx.sql, id)
    if (!hold) return refuse('unknown-hold', `There is no hold ${id}; see !hold list.`)
    const cover = await holdCover(tx.sql, id)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId },
      action: 'hold.view',
      object: { kind: 'hold', id },
      outcome: 'done',
      patient: hold.patient,
      room: hold.room,
    })
    return answer(
      fields(
        ['Hold', id],
        ['About', await aboutWords(context, hold)],
        ['Why', await matterOf({ db: tx.sql, seal: tx.deps.seal }, id)],
        ['Placed', `${day(hold.placedAt)} by ${hold.placedBy}`],
        ['Messages held', `${cover.there} in ${cover.rooms} rooms, of them ${cover.hidden} removed or recalled`],
        [
          'Released',
          hold.releasedAt ? `${day(hold.releasedAt)} by ${hold.releasedBy}, approved by ${hold.approvedBy}` : 'no',
        ],
      ),
    )
  },
})

export const holdRelease = command({
  words: ['hold', 'release'],
  needs: 'compliance',
  args: { hold: holdId() },
  help: 'End a legal hold, with the approval of a second person; what is due then goes with the next run.',
  run: async (context, { hold: id }) => {
    const hold = await holdById(context.tx.sql, id)
    if (!hold || hold.releasedAt !== undefined)
      return refuse('unknown-hold', `There is no hold ${id} in force; see !hold list.`)
    const cover = await holdCover(context.tx.sql, id)
    return proposeForApproval(context, { kind: 'hold.release', hold: id }, [
      fields(['About', await aboutWords(context, hold)], ['Messages held', String(cover.there)]),
    ])
  },
})
