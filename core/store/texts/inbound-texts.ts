import type { Instant } from '../../domain/clock.ts'
import { minutes } from '../../domain/clock.ts'
import type { PersonId } from '../../domain/ids.ts'
import { guessLang, isProviderStop, type Meaning, readKeyword } from '../../domain/texts/keywords.ts'
import { type Person, personsByPhone, phoneLookup } from '../patients/patients.ts'
import { readSettings } from '../staff/settings.ts'
import type { Tx } from '../tx.ts'
import { stopNumber } from './stopped-numbers.ts'
import { queueReply } from './texts.ts'

/** What the provider hands us. `answered`: it has replied to STOP, START or HELP by itself, whose meaning it names. */
export type ReceivedText = {
  providerId: string
  from: string
  body: string
  media: number
  answered: 'stop' | 'start' | 'help' | null
}

/** One incoming text, opened. */
export type InboundText = {
  providerId: string
  phone: string
  phoneLookup: string
  body: string
  media: number
  meaning: Meaning
  providerAnswered: boolean
  receivedAt: Instant
}

/**
 * Stores an incoming text, sealed, once however often it is delivered, and hands it to the job `sms.inbound`. A wish to stop takes effect here, before the provider
 * gets its answer: the number is blocked, one confirmation is queued, the rooms are told (row 66). False when it is known already.
 */
export const receiveText = async (tx: Tx, t: ReceivedText): Promise<boolean> => {
  const { seal } = tx.deps
  const lookup = phoneLookup(seal, t.from)
  const settings = await readSettings(tx.sql)
  const meaning: Meaning = t.answered ?? readKeyword(t.body).meaning
  const silent = t.answered !== null || (settings['sms.provider_answers_stop'] && isProviderStop(t.body))
  const fresh = await tx
    .sql('inbound_text')
    .insert({
      provider_id: t.providerId,
      phone_lookup: lookup,
      phone: await seal.close('inbound_text.phone', t.from),
      body: await seal.close('inbound_text.body', t.body),
      media: t.media,
      provider_answered: silent,
      received_at: tx.now,
      meaning,
    })
    .onConflict('provider_id')
    .ignore()
    .returning('provider_id')
  if (fresh.length === 0) return false
  const persons = await personsByPhone(tx.sql, lookup)
  await tx.audit({
    actor: persons[0] ? { kind: 'person', id: persons[0].id } : { kind: 'anonymous', id: 'sms' },
    action: 'text.inbound',
    object: { kind: 'text', id: t.providerId },
    outcome: 'done',
    patient: persons[0]?.patientId,
    detail: { meaning, media: t.media, persons: persons.length },
  })
  if (meaning === 'stop' || meaning === 'wrong_number') await stopNow(tx, t, lookup, persons, silent)
  await tx.enqueue({
    queue: 'sms',
    kind: 'sms.inbound',
    key: `inbound:${t.providerId}`,
    lane: `inbound:${lookup}`,
    payload: { providerId: t.providerId },
  })
  return true
}

const stopNow = async (tx: Tx, t: ReceivedText, lookup: string, persons: Person[], silent: boolean) => {
  const by = persons[0] ? { kind: 'person' as const, id: persons[0].id } : { kind: 'anonymous' as const, id: 'sms' }
  const fresh = await stopNumber(tx, lookup, by)
  if (fresh && !silent)
    await queueReply(tx, {
      phone: t.from,
      person: persons[0],
      template: 'stopped',
      lang: persons[0]?.lang ?? guessLang(t.body),
    })
}

/** The stored text, locked; null when it is done. */
export const openInbound = async (tx: Tx, providerId: string): Promise<InboundText | null> => {
  const row = await tx.sql('inbound_text').where({ provider_id: providerId }).whereNull('done_at').forUpdate().first()
  return row ? openRow(tx, row) : null
}

const openRow = async (tx: Tx, row: Record<string, unknown>): Promise<InboundText> => {
  const { seal } = tx.deps
  return {
    providerId: row.provider_id as string,
    phone: await seal.open('inbound_text.phone', row.phone as string),
    phoneLookup: row.phone_lookup as string,
    body: await seal.open('inbound_text.body', row.body as string),
    media: row.media as number,
    meaning: row.meaning as Meaning,
    providerAnswered: row.provider_answered as boolean,
    receivedAt: row.received_at as number,
  }
}

/** Done with it: number and words leave our table, and the provider is asked to forget them (job `sms.erase`). */
export const finishInbound = async (tx: Tx, providerId: string, personId: PersonId | null): Promise<void> => {
  await tx
    .sql('inbound_text')
    .where({ provider_id: providerId })
    .update({ body: null, phone: null, waits: false, person_id: personId, done_at: tx.now })
  await tx.enqueue({ queue: 'sms', kind: 'sms.erase', key: `erase:${providerId}`, payload: { providerId } })
}

export const erasedAtProvider = async (tx: Tx, providerId: string): Promise<void> => {
  await tx.sql('inbound_text').where({ provider_id: providerId }).update({ deleted_at_provider: tx.now })
}

/** One number for several patients: what was asked, and whom it was about lately. */
export type Choice = { options: PersonId[]; askedAt: Instant; chosen: PersonId | null }

/** A choice holds for texts that follow soon. */
const chosenFor = minutes(15)

export const readChoiceOf = async (tx: Tx, lookup: string): Promise<Choice | null> => {
  const row = await tx.sql('inbound_choice').where({ phone_lookup: lookup }).forUpdate().first()
  if (!row) return null
  const lives = row.chosen_until !== null && row.chosen_until > tx.now
  return { options: row.options, askedAt: row.asked_at, chosen: lives ? row.chosen : null }
}

/** Leaves a text sealed until somebody says whom it is about. */
export const waitForChoice = async (tx: Tx, providerId: string): Promise<void> => {
  await tx.sql('inbound_text').where({ provider_id: providerId }).update({ waits: true })
}

export const noteAsked = async (tx: Tx, lookup: string, options: readonly PersonId[]): Promise<void> => {
  const row = { options: JSON.stringify(options), asked_at: tx.now, chosen: null, chosen_until: null }
  await tx
    .sql('inbound_choice')
    .insert({ phone_lookup: lookup, ...row })
    .onConflict('phone_lookup')
    .merge(row)
}

export const noteChosen = async (tx: Tx, lookup: string, chosen: PersonId): Promise<void> => {
  await tx
    .sql('inbound_choice')
    .where({ phone_lookup: lookup })
    .update({ chosen, chosen_until: tx.now + chosenFor })
}

/** The texts of a number that wait for a choice, oldest first. */
export const waitingTexts = async (tx: Tx, lookup: string): Promise<InboundText[]> => {
  const rows = await tx
    .sql('inbound_text')
    .where({ phone_lookup: lookup, waits: true })
    .whereNull('done_at')
    .orderBy('received_at')
    .forUpdate()
  return Promise.all(rows.map(r => openRow(tx, r)))
}
