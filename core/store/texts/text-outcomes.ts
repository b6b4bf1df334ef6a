import type { Knex } from 'knex'
import { type Failure, failureOfRefusal, isClosed, type NoticeState } from '../../domain/care/notice.ts'
import type { Instant } from '../../domain/clock.ts'
import { days, minutes } from '../../domain/clock.ts'
import type { LinkId, TextId } from '../../domain/ids.ts'
import { isRefusal } from '../../domain/refusal.ts'
import { advanceText, type SmsErrorClass, type TextSignal } from '../../domain/texts/sms-state.ts'
import { withdrawLink } from '../links/links.ts'
import { advanceNotices } from '../patients/notices.ts'
import { personById } from '../patients/patients.ts'
import { readSettings } from '../staff/settings.ts'
import type { Tx } from '../tx.ts'
import { markBadNumber, stopNumber } from './stopped-numbers.ts'
import { templateBody } from './templates.ts'
import { dueAt, whyNotSend } from './text-rules.ts'
import { type Text, type TextJob, textWords, toText } from './texts.ts'

const locked = async (tx: Tx, id: TextId): Promise<Text | null> => {
  const row = await tx.sql('text_message').where({ id }).forUpdate().first()
  return row ? toText(row) : null
}

const failures: Partial<Record<SmsErrorClass, Failure>> = {
  opted_out: 'stopped',
  landline: 'landline',
  invalid_number: 'wrong_number',
  transient: 'provider_down',
}

/** The next step for a text: send these words, wait for the end of the night, or nothing. `send` has been written down as begun. */
export type Begun = { kind: 'send'; body: string } | { kind: 'later'; at: Instant } | { kind: 'over' }

/**
 * A link's life begins when its text goes out, not when it was queued before a night or an outage: until then nobody has the token. Null when the link was
 * withdrawn meanwhile.
 */
const linkExpiry = async (tx: Tx, text: Text): Promise<Instant | null> => {
  const link = await tx.sql('link').where({ id: text.linkId }).forUpdate().first()
  if (!link || link.withdrawn_at !== null) return null
  if (text.begunAt !== null) return link.expires_at
  const expiresAt = tx.now + (link.expires_at - link.created_at)
  await tx.sql('link').where({ id: text.linkId }).update({ expires_at: expiresAt })
  return expiresAt
}

/** It has lost its point and nobody needs to be told: who withdrew the link or changed the number knows, and reminders go on. */
const drop = async (tx: Tx, text: Text, code: string): Promise<void> => {
  await move(tx, text, { kind: 'failed' }, { error_code: code, error_class: 'unknown', done_at: tx.now })
  await audit(tx, text, 'text.send', 'refused', { code })
}

/**
 * Has a text that still waits lost its point, because each message that it was to tell of was recalled, removed or read meanwhile? Under the lock that new
 * messages take when they ride on it.
 */
const isPointless = async (tx: Tx, text: Text): Promise<boolean> => {
  if (text.state !== 'pending' || text.begunAt !== null || !text.personId) return false
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`notice:${text.personId}`])
  const states: NoticeState[] = await tx.sql('notice').where({ text_id: text.id }).pluck('state')
  return states.length > 0 && states.every(isClosed)
}

/** Asks once more whether the text may go out (a STOP may have come meanwhile) and notes that it is being handed over. */
export const beginText = async (tx: Tx, job: TextJob): Promise<Begun> => {
  const text = await locked(tx, job.textId)
  if (!text || (text.state !== 'pending' && text.state !== 'sending')) return { kind: 'over' }
  const settings = await readSettings(tx.sql)
  const person = text.personId ? await personById(tx.sql, text.personId) : null
  const refusal = await whyNotSend(tx, text, person, settings)
  if (refusal?.code === 'number-changed') {
    await drop(tx, text, refusal.code)
    return { kind: 'over' }
  }
  if (isRefusal(refusal)) {
    await fail(tx, text, { code: refusal.code, class: refusal.code === 'stopped' ? 'opted_out' : 'unknown' }, true)
    return { kind: 'over' }
  }
  if (await isPointless(tx, text)) {
    if (text.linkId) await withdrawLink(tx, text.linkId as LinkId, 'pointless')
    await drop(tx, text, 'pointless')
    return { kind: 'over' }
  }
  const at = dueAt(settings, job.phone, text, tx.now)
  if (at > tx.now && text.state === 'pending') return { kind: 'later', at }
  const expiresAt = text.linkId ? await linkExpiry(tx, text) : undefined
  if (expiresAt === null) {
    await drop(tx, text, 'link-withdrawn')
    return { kind: 'over' }
  }
  await tx
    .sql('text_message')
    .where({ id: text.id })
    .update({ state: 'sending', begun_at: text.begunAt ?? tx.now })
  const words = await templateBody(tx.sql, text.template, text.lang, text.templateVersion)
  const link = job.link && { ...job.link, expiresAt }
  return { kind: 'send', body: textWords(words, text.lang, settings, { vars: job.vars, link }, tx.now) }
}

/** The words that an earlier try handed over, as far as a look-up needs them: the link, which no other text has, or all of them. */
export const textMark = async (sql: Knex, text: Text, job: TextJob): Promise<string> => {
  if (job.link) return job.link.url
  const words = await templateBody(sql, text.template, text.lang, text.templateVersion)
  return textWords(words, text.lang, await readSettings(sql), job, text.begunAt ?? text.createdAt)
}

/** Of these ids of the provider, the first that no other text of ours has. */
export const firstUnclaimed = async (sql: Knex, id: TextId, providerIds: readonly string[]): Promise<string | null> => {
  const taken: { provider_id: string }[] = await sql('text_message')
    .whereIn('provider_id', [...providerIds])
    .whereNot({ id })
    .select('provider_id')
  const others = new Set(taken.map(t => t.provider_id))
  return providerIds.find(p => !others.has(p)) ?? null
}

const move = async (tx: Tx, text: Text, signal: TextSignal, extra: Record<string, unknown>): Promise<boolean> => {
  const state = advanceText(text.state, signal)
  if (state === text.state) return false
  await tx
    .sql('text_message')
    .where({ id: text.id })
    .update({ state, ...extra })
  return true
}

const audit = (
  tx: Tx,
  text: Text,
  action: 'text.send' | 'text.status',
  outcome: 'done' | 'failed' | 'refused',
  detail: Record<string, string | number | null>,
) =>
  tx.audit({
    actor: { kind: action === 'text.status' ? 'peer' : 'service', id: 'sms' },
    action,
    object: { kind: 'text', id: text.id },
    outcome,
    patient: text.patientId ?? undefined,
    detail,
  })

/** How long a carrier may take before we ask the provider ourselves (job `sms.check`). */
export const checkAfter = minutes(120)

/** The provider took it: `sent`, and the closed loop says `texted`. Safe to call twice. */
export const textAccepted = async (tx: Tx, id: TextId, by: { provider: string; providerId: string }): Promise<void> => {
  const text = await locked(tx, id)
  if (!text) return
  const extra = { provider: by.provider, provider_id: by.providerId, sent_at: tx.now }
  if (!(await move(tx, text, { kind: 'accepted' }, extra))) return
  await audit(tx, text, 'text.send', 'done', { provider: by.provider })
  await tx.enqueue({
    queue: 'sms',
    kind: 'sms.check',
    key: `check:${id}`,
    due: tx.now + checkAfter,
    payload: { textId: id },
  })
  await advanceNotices(tx, { text: id }, { kind: 'texted' })
}

const fail = async (tx: Tx, text: Text, error: { code: string; class: SmsErrorClass }, ours = false): Promise<void> => {
  const extra = { error_code: error.code, error_class: error.class, done_at: tx.now }
  if (!(await move(tx, text, { kind: 'failed' }, extra))) return
  await audit(tx, text, 'text.send', ours ? 'refused' : 'failed', { code: error.code, class: error.class })
  if (!ours && error.class === 'opted_out') await stopNumber(tx, text.phoneLookup, { kind: 'peer', id: 'sms-provider' })
  if (error.class === 'landline' || error.class === 'invalid_number')
    await markBadNumber(tx, text.phoneLookup, error.class)
  if (!ours && (error.class === 'unregistered_sender' || error.class === 'configuration'))
    await tx.enqueue({
      queue: 'bots',
      kind: 'desk.alert',
      key: `sms-account:${error.code}:${Math.floor(tx.now / days(1))}`,
      payload: {
        what: 'sms_account',
        text: `The SMS provider refuses our texts because of our account or sender (its error ${error.code}). Patients are not reached until an administrator mends it.`,
      },
    })
  const failure: Failure = ours ? failureOfRefusal(error.code) : (failures[error.class] ?? 'sms_failed')
  await advanceNotices(tx, { text: text.id }, { kind: 'failed', failure })
}

/** It will not arrive: the state, what the error says about the number, and the care team through the closed loop. */
export const textFailed = async (tx: Tx, id: TextId, error: { code: string; class: SmsErrorClass }): Promise<void> => {
  const text = await locked(tx, id)
  if (text) await fail(tx, text, error)
}

/** The provider cannot be reached for a while: the team hears of it, and we go on trying; a delivery mends the notice. */
export const textDelayed = async (tx: Tx, id: TextId): Promise<void> => {
  await advanceNotices(tx, { text: id }, { kind: 'failed', failure: 'provider_down' })
}

export type StatusReport = {
  /** Our id, from the callback's own address; the provider's id alone finds the text too. */
  textId?: TextId
  provider: string
  providerId: string
  signal: 'accepted' | 'delivered' | 'failed' | 'silent'
  error?: { code: string; class: SmsErrorClass }
}

/** A status callback or the answer to our own question. Late, repeated and out-of-order ones are harmless. False for a text that is not ours. */
export const textStatus = async (tx: Tx, r: StatusReport): Promise<boolean> => {
  const found = await tx.sql('text_message').where({ provider_id: r.providerId }).first('id')
  const id = (found?.id as TextId | undefined) ?? r.textId
  const text = id ? await locked(tx, id) : null
  if (!text || (text.providerId !== null && text.providerId !== r.providerId)) return false
  if (text.state === 'pending' || text.state === 'sending')
    await textAccepted(tx, text.id, { provider: r.provider, providerId: r.providerId })
  if (r.signal === 'accepted') return true
  const now = (await locked(tx, text.id)) ?? text
  if (r.signal === 'failed') await fail(tx, now, r.error ?? { code: '', class: 'unknown' })
  else if (await move(tx, now, { kind: r.signal }, r.signal === 'delivered' ? { done_at: tx.now } : {})) {
    await audit(tx, now, 'text.status', 'done', { status: r.signal })
    if (r.signal === 'delivered') await advanceNotices(tx, { text: now.id }, { kind: 'delivered' })
  }
  return true
}
