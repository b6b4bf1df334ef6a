import { readPatientCode } from '../../../core/domain/care/patient.ts'
import type { PatientId } from '../../../core/domain/ids.ts'
import { guardWords } from '../../../core/domain/oncall/admission/misdirection.ts'
import type { Target } from '../../../core/domain/oncall/paging/policy.ts'
import { isPriority, type Priority } from '../../../core/domain/oncall/paging/priority.ts'
import { readRef } from '../../../core/domain/oncall/paging/ref.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { localName } from '../../../core/oncall/pages/look-up.ts'
import type { Requested } from '../../../core/oncall/pages/request-page.ts'
import { patientByCode, patientByRoom } from '../../../core/store/patients/patients.ts'
import { staffInRoom } from '../../../core/store/records/rooms.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { type Arg, safeDecode, userId, word } from '../../framework/args.ts'

/** A page's short reference. */
export const refArg = (): Arg<string> =>
  word(
    '<ref>',
    '7Q4K',
    text => readRef(text) ?? refuse('bad-ref', 'That is not the reference of a page; it looks like 7Q4K.'),
  )

/** An on-call role (`cardiology`, `@role_cardiology`) or a person (`@ann`). */
export const targetArg = (): Arg<Exclude<Target, { kind: 'rotation' }>> => ({
  usage: '<role|user>',
  example: 'cardiology',
  take: (tokens, env) => {
    const text = tokens[0]?.text ?? ''
    const key = /^(?:https:\/\/matrix\.to\/#\/)?@role_([^:]+)(?::|$)/i.exec(text)?.[1] ?? text
    if (/^[a-z][a-z0-9_-]{1,39}$/i.test(key)) return { value: { kind: 'role', role: key.toLowerCase() }, used: 1 }
    const user = userId().take(tokens.slice(0, 1), env)
    return isRefusal(user) ? user : { value: { kind: 'user', user: user.value }, used: 1 }
  },
})

/** `stat no pulse in bed 4`: the priority in front, urgent where none stands there. */
export const readUrgency = (text: string): { priority: Priority; words: string; said: boolean } => {
  const [first = '', ...rest] = text.trim().split(/\s+/)
  const said = first.toLowerCase().replace(/[:,]$/, '')
  return isPriority(said)
    ? { priority: said, words: rest.join(' ').trim(), said: true }
    : { priority: 'urgent', words: text.trim(), said: false }
}

/** What whoever asked for a page is told first. */
export const outcomeWords = (made: Requested, to: string): string => {
  if (made.guard) {
    const doubt = guardWords(made.guard.reasons, localName)
    return `${made.ref}: ${doubt} Nobody is called yet: I ask you in your chat with me, one tap answers.`
  }
  if (made.joined) return `${made.ref}: this is one more of a page that is under way (${made.count}, ${made.priority}).`
  if (made.startAt !== null) return `${made.ref}: routine, goes with the next digest. To send it now, page as urgent.`
  return `${made.ref}: paging ${to}, ${made.priority}. I tell you what happens.`
}

const roomLink = /matrix\.to\/#\/(![^\s?/)>"]+)/

/**
 * The patient whom a page is about, by their code or a link to their care room in its words, and who is on the care team. Nothing where none is named, or where
 * nobody was ever reported in the room.
 */
export const patientIn = async (tx: Tx, text: string): Promise<{ patientId?: PatientId; team?: readonly string[] }> => {
  const link = roomLink.exec(text)?.[1]
  const code = /\b[A-Z0-9]{3}-[A-Z0-9]{3}\b/.exec(text)?.[0]
  const given = code === undefined ? undefined : readPatientCode(code)
  const byLink = link === undefined ? undefined : await patientByRoom(tx.sql, safeDecode(link))
  const patient = byLink ?? (given ? await patientByCode(tx.sql, given) : undefined)
  if (!patient) return {}
  const team = patient.roomId === null ? [] : await staffInRoom(tx.sql, patient.roomId)
  return { patientId: patient.id, ...(team.length > 0 ? { team } : {}) }
}
