import type { Instant } from '../../core/domain/clock.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { maskPhone } from '../../core/phone.ts'
import { liveConsents } from '../../core/store/patients/consents.ts'
import type { Notice } from '../../core/store/patients/notices.ts'
import { noticesOf, waitingPatients } from '../../core/store/patients/patient-desk.ts'
import {
  openPatientName,
  openPersonName,
  openPhone,
  type Person,
  personsOf,
} from '../../core/store/patients/patients.ts'
import { numberBlock } from '../../core/store/texts/stopped-numbers.ts'
import { about, answer, fields, table } from '../framework/answer.ts'
import { named, optional, patientCode, phrase } from '../framework/args.ts'
import { type CommandContext, command } from '../framework/command.ts'
import { careRoles, findPatient } from './patient-args.ts'
import { keysOf } from './records/keys-of.ts'

const languages = { en: 'English', es: 'Spanish' }

/** `3 h ago` */
export const ago = (at: Instant, now: Instant): string => {
  const minutes = Math.max(0, Math.round((now - at) / 60_000))
  if (minutes < 60) return `${minutes} min ago`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`
}

const progress: Record<Notice['state'], string> = {
  waiting: 'text is going out',
  texted: 'text sent',
  delivered: 'text on the telephone',
  opened: 'link opened',
  verified: 'identity confirmed',
  read: 'read',
  answered: 'answered',
  failed: 'not reached',
  expired: 'link expired unread',
  withdrawn: 'removed',
}
const failureWords = (n: Notice) => (n.failure ? ` (${n.failure.replaceAll('_', ' ')})` : '')
const roomLink = (roomId: string | null) => (roomId ? `https://matrix.to/#/${roomId}` : 'not ready yet')

const blockWords = { stopped: 'stopped texts (STOP)', landline: 'landline', invalid_number: 'not a working number' }

const personRow = async ({ tx }: CommandContext, p: Person, n: number): Promise<string[]> => {
  const { seal } = tx.deps
  const consents = (await liveConsents(tx.sql, p.id)).map(c => c.scope.replace('_', ' '))
  const block = await numberBlock(tx.sql, p.phoneLookup, tx.now)
  const state = [
    ...(p.lockedAt !== null ? ['locked after wrong dates of birth'] : []),
    ...(block ? [blockWords[block]] : []),
    ...(p.pin !== null ? ['has a PIN'] : []),
    ...(p.preference !== 'sms' ? [`prefers ${p.preference}`] : []),
  ]
  return [
    String(n),
    `${p.kind}${(await openPersonName(seal, p)) ? ` ${await openPersonName(seal, p)}` : ''}`,
    maskPhone(await openPhone(seal, p)),
    languages[p.lang],
    consents.join(', ') || 'no consent',
    state.join('; ') || 'ok',
  ]
}

export const patientStatus = command({
  words: ['patient', 'status'],
  needs: careRoles,
  args: { code: patientCode() },
  help: 'Who takes part, their consents, and how far the latest messages have come.',
  run: async (context, { code }) => {
    const { tx, sender, room } = context
    const patient = await findPatient(context, code)
    if (isRefusal(patient)) return patient
    const persons = await personsOf(tx.sql, patient.id)
    const rows: string[][] = []
    for (const [i, p] of persons.entries()) rows.push(await personRow(context, p, i + 1))
    const notices = await noticesOf(tx.sql, patient.id, 8)
    const keys = await keysOf(tx, patient.id)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'patient.view',
      object: { kind: 'patient', id: patient.id },
      outcome: 'done',
      patient: patient.id,
      room: room.roomId,
    })
    return about(
      patient.id,
      answer(
        fields(
          ['Patient', `${code}${patient.sealedName ? ` · ${await openPatientName(tx.deps.seal, patient)}` : ''}`],
          ['State', patient.state],
          ['Unit', patient.unit],
          ['Room', roomLink(patient.roomId)],
          ...(keys ? [['Keys', keys] as const] : []),
        ),
        ...table(['No.', 'Person', 'Phone', 'Language', 'Consents', 'State'], rows),
        ...(notices.length === 0
          ? ['No message was sent yet.']
          : table(
              ['Message of', 'Sent', 'For', 'State'],
              notices.map(n => [
                n.sender,
                ago(n.sentAt, tx.now),
                String(persons.findIndex(p => p.id === n.personId) + 1 || '-'),
                `${progress[n.state]}${failureWords(n)}`,
              ]),
            )),
      ),
    )
  },
})

export const patientUnanswered = command({
  words: ['patient', 'unanswered'],
  needs: careRoles,
  args: { unit: optional(named('unit', phrase('unit', 'main', 40))) },
  help: 'Patients who wrote and have no answer yet, and messages that a patient has not read.',
  views: 'patient.view',
  run: async ({ tx }, { unit }) => {
    const waiting = await waitingPatients(tx.sql, unit)
    if (waiting.length === 0) return answer('Nothing waits: every patient is answered and every message is read.')
    const what = (w: (typeof waiting)[number]) =>
      [
        ...(w.wroteAt !== null ? [`wrote ${ago(w.wroteAt, tx.now)}`] : []),
        ...(w.unread > 0
          ? [`${w.unread} unread${w.unreadSince !== null ? `, the oldest ${ago(w.unreadSince, tx.now)}` : ''}`]
          : []),
        ...(w.failed > 0 ? [`${w.failed} not reached`] : []),
      ].join('; ')
    return answer(
      ...table(
        ['Patient', 'Waits', 'Room'],
        waiting.map(w => [w.code, what(w), roomLink(w.roomId)]),
      ),
    )
  },
})
