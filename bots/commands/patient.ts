import { hours } from '../../core/domain/clock.ts'
import type { PatientId, PersonId } from '../../core/domain/ids.ts'
import { isRefusal, refuse } from '../../core/domain/refusal.ts'
import { isPin } from '../../core/pin.ts'
import { createLink, withdrawLinks } from '../../core/store/links/links.ts'
import { changeNumber, closePatient, removeCaregiver } from '../../core/store/patients/patient-access.ts'
import { setPin } from '../../core/store/patients/patient-desk.ts'
import {
  addCaregiver,
  addPatient,
  listPatients,
  openPatientName,
  personsOf,
  unlockPerson,
} from '../../core/store/patients/patients.ts'
import { deskRooms } from '../../core/store/staff/rooms.ts'
import { queueText } from '../../core/store/texts/texts.ts'
import type { Tx } from '../../core/store/tx.ts'
import { about, answer, code, table } from '../framework/answer.ts'
import { birthDate, choice, integer, named, optional, patientCode, phone, phrase } from '../framework/args.ts'
import { command } from '../framework/command.ts'
import { careRoles, findPatient, findPerson, langArg, nameArg, personArg } from './patient-args.ts'

const unitArg = () => optional(named('unit', phrase('unit', 'main', 40)))

export const patientAdd = command({
  words: ['patient', 'add'],
  needs: careRoles,
  args: { number: phone(), dob: named('dob', birthDate()), name: nameArg(), lang: langArg(), unit: unitArg() },
  help: 'Enrol a patient: makes their encrypted care room.',
  detail: 'No text goes out before a consent is recorded.',
  phi: true,
  run: async ({ tx, sender, room }, { number, dob, name, lang, unit }) => {
    const known = new Set(['main', ...(await deskRooms(tx.sql)).map(r => r.unit)])
    const wanted = unit ?? (room.class === 'desk' ? (room.unit ?? 'main') : 'main')
    if (!known.has(wanted))
      return refuse('unknown-unit', `There is no unit "${wanted}"; these are: ${[...known].join(', ')}.`)
    const added = await addPatient(tx, { phone: number, dob, name, lang, unit: wanted, by: sender.userId })
    if (isRefusal(added)) return added
    return about(
      added.id,
      answer(
        `The patient is ${added.code}. I am making the care room and will send you its link in a moment.`,
        'Texts need their consent; when they have given it:',
        code(`!consent record ${added.code} care verbal`),
      ),
    )
  },
})

export const patientList = command({
  words: ['patient', 'list'],
  needs: careRoles,
  args: { state: optional(choice(['open', 'enrolling', 'failed', 'closed'])), unit: unitArg(), name: nameArg() },
  help: 'Patients with code, name and unit; of one unit, state or name.',
  views: 'patient.view',
  run: async ({ tx }, { state, unit, name }) => {
    const all = (await listPatients(tx.sql, { ...(unit ? { unit } : {}), ...(state ? { state } : {}) })).filter(
      p => state !== undefined || p.state !== 'closed',
    )
    const named = await Promise.all(
      all.map(async p => ({ ...p, name: (await openPatientName(tx.deps.seal, p)) ?? '' })),
    )
    const plain = (s: string) => s.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
    const rows = named.filter(p => name === undefined || plain(p.name).includes(plain(name)))
    if (rows.length === 0) return answer('No such patients.')
    return answer(
      ...table(
        ['Code', 'Name', 'Unit', 'State', 'Language', 'Since'],
        rows.map(p => [p.code, p.name, p.unit, p.state, p.lang, new Date(p.createdAt).toISOString().slice(0, 10)]),
      ),
    )
  },
})

/** Why no link is sent to somebody without a care room. */
const noRoom = (code: string, failed: boolean): string =>
  failed
    ? `The care room of ${code} could not be made. Enrol the patient again with !patient add.`
    : `The care room of ${code} is still being made, so there is nothing to open yet. I tell whoever enrolled ${code} when it is ready; then try again.`

export const patientLink = command({
  words: ['patient', 'link'],
  needs: careRoles,
  args: { code: patientCode(), person: personArg() },
  help: 'Text a fresh secure link to the number on file; earlier links close.',
  run: async (context, { code: typed, person: n }) => {
    const { tx, settings, publicUrl } = context
    const found = await findPerson(context, typed, n)
    if (isRefusal(found)) return found
    const { patient, person } = found
    if (patient.state !== 'open') return refuse('not-ready', noRoom(typed, patient.state === 'failed'))
    const lifeMs = hours(settings['link.life_hours'])
    const link = await createLink(tx, { person: person.id, patient: patient.id, reason: 'message', publicUrl, lifeMs })
    const template = 'new-link' as const
    const queued = await queueText(tx, {
      person: person.id,
      template,
      lang: person.lang,
      vars: {},
      link,
      class: 'care',
    })
    if (isRefusal(queued)) return queued
    // Only now: a refusal must not take away the link that the patient has.
    await withdrawLinks(tx, person.id, 'replaced', link.id)
    return about(
      patient.id,
      answer(`A new link goes to ${typed} by text. !patient status ${typed} shows how far it has come.`),
    )
  },
})

export const patientClose = command({
  words: ['patient', 'close'],
  needs: careRoles,
  args: { code: patientCode() },
  help: "End a patient's enrolment: links close at once and the care room is archived.",
  run: async (context, { code: typed }) => {
    const patient = await findPatient(context, typed)
    if (isRefusal(patient)) return patient
    const refusal = await closePatient(context.tx, patient.id, context.sender.userId)
    return (
      refusal ?? about(patient.id, answer(`${typed} is closed. Links and sessions ended; the room is being archived.`))
    )
  },
})

export const patientNumber = command({
  words: ['patient', 'number'],
  needs: careRoles,
  args: {
    code: patientCode(),
    number: phone(),
    person: personArg(),
    consent: optional(named('consent', choice(['confirmed']))),
  },
  help: 'Change a telephone number; earlier links and sessions end, and no text goes out before consent is recorded for the new number.',
  detail:
    'With "consent confirmed" you say that you have asked: the person agrees again, for the new number, to what they had agreed to.',
  phi: true,
  run: async (context, { code: typed, number, person: n, consent }) => {
    const found = await findPerson(context, typed, n)
    if (isRefusal(found)) return found
    const scopes = await changeNumber(context.tx, found.person.id, number, context.sender.userId, consent ?? 'anew')
    const which = n && n > 1 ? ` person ${n}` : ''
    const next =
      scopes.length > 0 && consent === undefined
        ? [
            'Consent was given for the old number, so no text goes to the new one yet. When they have agreed:',
            code(`!consent record ${typed} care verbal${which}`),
          ]
        : [
            ...(scopes.length > 0
              ? [`Recorded: agreed again, verbally, to ${scopes.map(s => s.replace('_', ' ')).join(', ')}.`]
              : []),
            'To text a new link:',
            code(`!patient link ${typed}${which}`),
          ]
    return about(
      found.patient.id,
      answer(`The number of ${typed} ends in …${number.slice(-2)} now. Earlier links are closed.`, ...next),
    )
  },
})

/** A person's number in the lists of a patient, as `person <no.>` names them. */
const numberIn = async (tx: Tx, patient: PatientId, person: PersonId): Promise<number> =>
  (await personsOf(tx.sql, patient)).findIndex(p => p.id === person) + 1

export const patientCaregiver = command({
  words: ['patient', 'caregiver'],
  needs: careRoles,
  args: { code: patientCode(), number: phone(), dob: named('dob', birthDate()), name: nameArg(), lang: langArg() },
  help: 'Add a caregiver or proxy with an own number, date of birth, consent and link to the same room.',
  phi: true,
  run: async ({ tx, sender }, { code: typed, number, dob, name, lang }) => {
    const patient = await findPatient({ tx }, typed)
    if (isRefusal(patient)) return patient
    const added = await addCaregiver(tx, patient.id, {
      phone: number,
      dob,
      name,
      lang: lang ?? patient.lang,
      by: sender.userId,
    })
    if (isRefusal(added)) return added
    return about(
      patient.id,
      answer(
        `The caregiver joins the room of ${typed} in a moment. They get no text before a consent of their own is recorded; when they have given it:`,
        code(`!consent record ${typed} care verbal person ${await numberIn(tx, patient.id, added)}`),
      ),
    )
  },
})

export const patientRemove = command({
  words: ['patient', 'remove'],
  needs: careRoles,
  args: { code: patientCode(), person: named('person', integer(2, 50, '<no.>')) },
  help: 'Take a caregiver out: their link and page end at once, and they get and read nothing more.',
  detail: 'Their number in the list: !patient status and the code.',
  run: async (context, { code: typed, person: n }) => {
    const found = await findPerson(context, typed, n)
    if (isRefusal(found)) return found
    const refusal = await removeCaregiver(context.tx, found.person.id, context.sender.userId)
    if (refusal) return refusal
    return about(
      found.patient.id,
      answer(
        `Person ${n} no longer takes part in ${typed}. What they read before stays known to them; what is written from now on is not encrypted for them.`,
      ),
    )
  },
})

export const patientUnlock = command({
  words: ['patient', 'unlock'],
  needs: careRoles,
  args: { code: patientCode(), person: personArg() },
  help: 'Let a person try again who entered the date of birth wrong three times. Check first who has the telephone.',
  run: async (context, { code: typed, person: n }) => {
    const found = await findPerson(context, typed, n)
    if (isRefusal(found)) return found
    await unlockPerson(context.tx, found.person.id, context.sender.userId)
    return about(found.patient.id, answer(`Unlocked. To text a new link: !patient link ${typed}`))
  },
})

export const patientPin = command({
  words: ['patient', 'pin'],
  needs: careRoles,
  args: { code: patientCode(), pin: phrase('pin', '4711', 8), person: personArg() },
  help: 'Set the PIN (4 to 8 digits) that the page asks where the clinic uses PINs; "none" removes it.',
  phi: true,
  run: async (context, { code: typed, pin, person: n }) => {
    const found = await findPerson(context, typed, n)
    if (isRefusal(found)) return found
    const none = pin.toLowerCase() === 'none'
    if (!none && !isPin(pin)) return refuse('bad-pin', 'A PIN has 4 to 8 digits.')
    await setPin(context.tx, found.person.id, none ? null : pin, context.sender.userId)
    const hint = context.settings['link.factors'].includes('pin') ? '' : ' It is not asked: link.factors has no pin.'
    return about(found.patient.id, answer(`The PIN is ${none ? 'removed' : 'set'}.${hint}`))
  },
})
