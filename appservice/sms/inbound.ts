import { initials } from '../../core/domain/care/patient.ts'
import { hours, minutes } from '../../core/domain/clock.ts'
import type { PersonId } from '../../core/domain/ids.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import { guessLang, isYes, readChoice, readKeyword } from '../../core/domain/texts/keywords.ts'
import { last2 } from '../../core/domain/texts/phone-mask.ts'
import { clinicDuty } from '../../core/oncall/pages/clinic-duty.ts'
import type { JobHandler } from '../../core/queues/outbox-worker.ts'
import { createLink } from '../../core/store/links/links.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import {
  openPatientName,
  type Patient,
  type Person,
  patientById,
  personsByPhone,
} from '../../core/store/patients/patients.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import {
  finishInbound,
  type InboundText,
  noteAsked,
  noteChosen,
  openInbound,
  readChoiceOf,
  waitForChoice,
  waitingTexts,
} from '../../core/store/texts/inbound-texts.ts'
import { clearBadNumber, numberBlock, startNumber, tellRooms } from '../../core/store/texts/stopped-numbers.ts'
import { queueReply, textedSince } from '../../core/store/texts/texts.ts'
import type { Tx } from '../../core/store/tx.ts'
import type { SmsDeps } from './deps.ts'
import { answerByText } from './paging/inbound.ts'

/** An automatic answer is not repeated so soon: two machines must not write to each other all night. */
const answerEvery = minutes(10)
const neutralEvery = hours(24)

/** Whose number it is: one person for each patient here, the patient before a caregiver; and the patients that were closed or never got a room. */
const whose = async (tx: Tx, lookup: string): Promise<{ persons: Person[]; former: Patient[] }> => {
  const found = new Map<string, Person>()
  const former = new Map<string, Patient>()
  for (const p of await personsByPhone(tx.sql, lookup)) {
    const patient = await patientById(tx.sql, p.patientId)
    if (!patient) continue
    const better = found.get(p.patientId)?.kind !== 'patient' && (p.kind === 'patient' || !found.has(p.patientId))
    if (patient.state === 'closed' || patient.state === 'failed') former.set(patient.id, patient)
    else if (better) found.set(p.patientId, p)
  }
  return { persons: [...found.values()], former: [...former.values()] }
}

/** `former`: only where nobody of `persons` has the number. */
type Case = { tx: Tx; text: InboundText; persons: Person[]; former: Patient[]; settings: Settings; publicUrl: string }

/** Into the care room, encrypted (job `care.inbound-text`); then gone here and at the provider. */
const deliver = async (tx: Tx, text: InboundText, person: Person): Promise<void> => {
  const pictures =
    text.media > 0
      ? `\n[${text.media} picture(s) came with it and were deleted unseen: ask for them on the secure page.]`
      : ''
  await tx.enqueue({
    queue: 'bridge',
    kind: 'care.inbound-text',
    key: `inbound-text:${text.providerId}`,
    lane: person.patientId,
    payload: {
      personId: person.id,
      body: `${text.body}${pictures}`.trim(),
      receivedAt: text.receivedAt,
      providerId: text.providerId,
    },
    patient: person.patientId,
  })
  await finishInbound(tx, text.providerId, person.id)
}

/** The sender is shown the private way, unless they stopped texts or have just been shown it. */
const showTheWay = async ({ tx, text, settings, publicUrl }: Case, person: Person): Promise<void> => {
  if (await numberBlock(tx.sql, text.phoneLookup, tx.now)) return
  if (await textedSince(tx.sql, text.phoneLookup, 'inbound-received', tx.now - answerEvery)) return
  const link = await createLink(tx, {
    person: person.id,
    patient: person.patientId,
    reason: 'message',
    publicUrl,
    lifeMs: hours(settings['link.life_hours']),
  })
  await queueReply(tx, { phone: text.phone, person, template: 'inbound-received', lang: person.lang, link })
}

const label = async (tx: Tx, person: Person, policy: Settings['room.name_policy']): Promise<string> => {
  const patient = await patientById(tx.sql, person.patientId)
  const name = policy === 'code' || !patient ? null : await openPatientName(tx.deps.seal, patient)
  return name ? initials(name) : (patient?.code ?? '?')
}

/** One number, several patients: take the answer, follow the last one, or ask (row 126). */
const shared = async (c: Case): Promise<void> => {
  const { tx, text, persons, settings } = c
  const choice = await readChoiceOf(tx, text.phoneLookup)
  const byId = (id: PersonId | null | undefined) => persons.find(p => p.id === id)
  const waiting = await waitingTexts(tx, text.phoneLookup)
  const picked = choice && waiting.length > 0 ? readChoice(text.body, choice.options.length) : null
  const answer = picked ? byId(choice?.options[picked - 1]) : undefined
  if (answer) {
    await noteChosen(tx, text.phoneLookup, answer.id)
    await finishInbound(tx, text.providerId, answer.id)
    for (const earlier of waiting) await deliver(tx, earlier, answer)
    return showTheWay(c, answer)
  }
  const recent = byId(choice?.chosen)
  if (recent) {
    await deliver(tx, text, recent)
    return showTheWay(c, recent)
  }
  await waitForChoice(tx, text.providerId)
  await tx.enqueue({
    queue: 'sms',
    kind: 'sms.unassigned',
    key: `unassigned:${text.providerId}`,
    due: tx.now + hours(24),
    payload: { providerId: text.providerId },
  })
  if (await numberBlock(tx.sql, text.phoneLookup, tx.now)) return
  if (choice && waiting.length > 0 && tx.now - choice.askedAt < answerEvery) return
  const few = persons.slice(0, 5)
  await noteAsked(
    tx,
    text.phoneLookup,
    few.map(p => p.id),
  )
  const labels = await Promise.all(few.map(p => label(tx, p, settings['room.name_policy'])))
  await queueReply(tx, {
    phone: text.phone,
    template: 'which-patient',
    lang: few[0]?.lang ?? 'en',
    vars: { choices: labels.map((l, i) => `${i + 1} = ${l}`).join(', ') },
  })
}

type Alert = {
  what: 'unknown_number' | 'unassigned_text' | 'former_patient'
  phone: string
  codes?: string[]
  unit?: string
}

const alertDesk = (tx: Tx, key: string, { phone, ...alert }: Alert) =>
  tx.enqueue({ queue: 'bots', kind: 'desk.alert', key, payload: { ...alert, last2: last2(phone) } })

/** Answers to strangers, all of them together: whoever sends from thousands of numbers spends neither our money nor the desk's time. */
const strangers = { burst: 30, everyMs: minutes(2) }

/** A number that nobody here has: a neutral answer once a day, and the desk hears of it; the words are not kept. */
const unknown = async ({ tx, text }: Case): Promise<void> => {
  await finishInbound(tx, text.providerId, null)
  if (await textedSince(tx.sql, text.phoneLookup, 'unknown-sender', tx.now - neutralEvery)) return
  if (!(await takeToken(tx.deps.db, 'sms:strangers', strangers, tx.now))) return
  const day = Math.floor(tx.now / neutralEvery)
  await alertDesk(tx, `unknown:${text.phoneLookup}:${day}`, { what: 'unknown_number', phone: text.phone })
  if (!text.phone.startsWith('+')) return // a short code: a machine
  if (await numberBlock(tx.sql, text.phoneLookup, tx.now)) return
  await queueReply(tx, { phone: text.phone, template: 'unknown-sender', lang: guessLang(text.body) })
}

/** Somebody whose care here has ended: told to call, once a day; the desk hears who it may be, of every text within an hour once. The words are not kept. */
const formerPatient = async ({ tx, text, former }: Case): Promise<void> => {
  await finishInbound(tx, text.providerId, null)
  const hour = Math.floor(tx.now / hours(1))
  const codes = former.map(p => p.code).sort()
  const unit = former[0]?.unit
  await alertDesk(tx, `former:${text.phoneLookup}:${hour}`, { what: 'former_patient', phone: text.phone, codes, unit })
  if (await numberBlock(tx.sql, text.phoneLookup, tx.now)) return
  if (await textedSince(tx.sql, text.phoneLookup, 'former-patient', tx.now - neutralEvery)) return
  await queueReply(tx, { phone: text.phone, template: 'former-patient', lang: former[0]?.lang ?? guessLang(text.body) })
}

const passOn = async (c: Case): Promise<void> => {
  const [first, second] = c.persons
  if (!first) return c.former.length > 0 ? formerPatient(c) : unknown(c)
  if (second) return shared(c)
  await deliver(c.tx, c.text, first)
  return showTheWay(c, first)
}

const answerKeyword = async (c: Case, template: 'help' | 'started'): Promise<void> => {
  const { tx, text, persons } = c
  await finishInbound(tx, text.providerId, persons[0]?.id ?? null)
  if (text.providerAnswered) return
  if (await textedSince(tx.sql, text.phoneLookup, template, tx.now - minutes(1))) return
  await queueReply(tx, {
    phone: text.phone,
    person: persons[0],
    template,
    lang: persons[0]?.lang ?? guessLang(text.body),
  })
}

const route = async (c: Case): Promise<void> => {
  const { tx, text, persons } = c
  const by = persons[0] ? { kind: 'person' as const, id: persons[0].id } : { kind: 'anonymous' as const, id: 'sms' }
  if (text.meaning === 'start') {
    const restored = await startNumber(tx, text.phoneLookup, by)
    if (restored || !isYes(text.body)) return answerKeyword(c, 'started')
    return passOn(c)
  }
  await clearBadNumber(tx, text.phoneLookup)
  if (text.meaning === 'help') {
    await tx.audit({
      actor: by,
      action: 'number.help',
      object: { kind: 'person', id: persons[0]?.id ?? 'unknown' },
      outcome: 'done',
      patient: persons[0]?.patientId,
    })
    return answerKeyword(c, 'help')
  }
  if (text.meaning === 'wrong_number') await tellRooms(tx, text.phoneLookup, 'wrong_number')
  const onlyKeyword = text.meaning !== 'text' && readKeyword(text.body).bare && text.media === 0
  if (onlyKeyword || (text.meaning !== 'text' && persons.length === 0))
    return finishInbound(tx, text.providerId, persons[0]?.id ?? null)
  return passOn(c)
}

/** Job `sms.inbound`: never dropped and never left in clear. */
export const inboundText =
  ({ publicUrl, duty = clinicDuty }: SmsDeps): JobHandler =>
  async job => ({
    kind: 'done',
    apply: async tx => {
      const text = await openInbound(tx, (job.payload as { providerId: string }).providerId)
      if (!text) return
      const who = await whose(tx, text.phoneLookup)
      const isPatient = async () => who.persons.length > 0
      if (text.meaning !== 'stop' && text.meaning !== 'help' && (await answerByText(tx, duty, text, isPatient))) return
      await route({ tx, text, ...who, settings: await readSettings(tx.sql), publicUrl })
    },
  })

/** Job `sms.unassigned`: a day later nobody has said whom a text is about; the desk calls. It stays sealed until somebody answers. */
export const unassignedText = (): JobHandler => async job => ({
  kind: 'done',
  apply: async tx => {
    const { providerId } = job.payload as { providerId: string }
    const text = await openInbound(tx, providerId)
    if (text) await alertDesk(tx, `unassigned-alert:${providerId}`, { what: 'unassigned_text', phone: text.phone })
  },
})
