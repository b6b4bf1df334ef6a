import type { Knex } from 'knex'
import { hours, type Instant, minutes } from '../../domain/clock.ts'
import { type LinkId, newId, type PersonId, type TextId } from '../../domain/ids.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import type { Settings } from '../../domain/settings/settings.ts'
import { countSegments, fitSegments } from '../../domain/texts/sms-segments.ts'
import type { SmsErrorClass, TextState } from '../../domain/texts/sms-state.ts'
import { renderTemplate, type TemplateLang, type TemplateName, type TemplateVars } from '../../domain/texts/template.ts'
import { openPhone, type Person, personById, phoneLookup } from '../patients/patients.ts'
import { readSettings } from '../staff/settings.ts'
import type { Tx } from '../tx.ts'
import { clinicVars, currentTemplate } from './templates.ts'
import { dueAt, type TextClass, whyNotText } from './text-rules.ts'

/** A link as `createLink` gives it. */
export type TextLink = { id: LinkId; token: string; url: string; expiresAt?: Instant }

export type NewText = {
  person: PersonId
  template: TemplateName
  lang: TemplateLang
  /** Beside `clinic`, `phone`, `link` and `hours`, which are filled in here. */
  vars: TemplateVars
  link?: TextLink
  noticeId?: string
  /** Goes out in quiet hours too; the audit log says so. */
  urgent?: boolean
  class: TextClass
}

/** One outgoing SMS as the database has it; number, link and words are in the job's sealed payload. */
export type Text = {
  id: TextId
  personId: PersonId | null
  patientId: string | null
  phoneLookup: string
  linkId: LinkId | null
  class: TextClass
  urgent: boolean
  template: TemplateName
  templateVersion: number
  lang: TemplateLang
  segments: number
  state: TextState
  provider: string | null
  providerId: string | null
  errorCode: string | null
  errorClass: SmsErrorClass | null
  createdAt: Instant
  begunAt: Instant | null
  sentAt: Instant | null
}

type Row = Record<string, unknown>
export const toText = (r: Row): Text => ({
  id: r.id as TextId,
  personId: r.person_id as PersonId | null,
  patientId: r.patient_id as string | null,
  phoneLookup: r.phone_lookup as string,
  linkId: r.link_id as LinkId | null,
  class: r.class as TextClass,
  urgent: r.urgent as boolean,
  template: r.template as TemplateName,
  templateVersion: r.template_version as number,
  lang: r.lang as TemplateLang,
  segments: r.segments as number,
  state: r.state as TextState,
  provider: r.provider as string | null,
  providerId: r.provider_id as string | null,
  errorCode: r.error_code as string | null,
  errorClass: r.error_class as SmsErrorClass | null,
  createdAt: r.created_at as number,
  begunAt: r.begun_at as number | null,
  sentAt: r.sent_at as number | null,
})

export const textById = async (sql: Knex, id: TextId): Promise<Text | null> => {
  const row = await sql('text_message').where({ id }).first()
  return row ? toText(row) : null
}

/** A person's latest texts, newest first. */
export const textsOf = async (sql: Knex, personId: PersonId, limit = 10): Promise<Text[]> =>
  (await sql('text_message').where({ person_id: personId }).orderBy('created_at', 'desc').limit(limit)).map(toText)

/** The number (its lookup hash) to which a link was texted; null when it was not. */
export const numberOfLink = async (tx: Tx, link: LinkId): Promise<string | null> =>
  (await tx.sql('text_message').where({ link_id: link }).first('phone_lookup'))?.phone_lookup ?? null

/** Was this template sent to the number since then? Keeps automatic answers from answering each other. */
export const textedSince = async (
  sql: Knex,
  lookup: string,
  template: TemplateName,
  since: Instant,
): Promise<boolean> =>
  (await sql('text_message')
    .where({ phone_lookup: lookup, template })
    .andWhere('created_at', '>', since)
    .first('id')) !== undefined

/** The payload of the job `sms.send`. */
export type TextJob = { textId: TextId; phone: string; vars: TemplateVars; link?: { url: string; expiresAt?: Instant } }

/** A text's words at a moment: what is left of the link's life is counted when it is sent. */
export const textWords = (
  body: string,
  lang: TemplateLang,
  settings: Settings,
  job: Pick<TextJob, 'vars' | 'link'>,
  now: Instant,
): string => {
  const left = job.link?.expiresAt
    ? Math.max(1, Math.floor((job.link.expiresAt - now + minutes(10)) / hours(1)))
    : undefined
  const link: TemplateVars = job.link ? { link: job.link.url, hours: left ?? settings['link.life_hours'] } : {}
  return fitSegments(renderTemplate(body, { ...clinicVars(settings, lang), ...link, ...job.vars }))
}

type Queued = {
  phone: string
  lookup: string
  personId: PersonId | null
  patientId: string | null
  text: Omit<NewText, 'person'>
  settings: Settings
}

const insertText = async (tx: Tx, { phone, lookup, personId, patientId, text, settings }: Queued): Promise<TextId> => {
  const id = newId<TextId>('tx', tx.deps.random)
  const template = await currentTemplate(tx.sql, text.template, text.lang)
  const urgent = text.urgent ?? false
  const job: TextJob = {
    textId: id,
    phone,
    vars: text.vars,
    ...(text.link ? { link: { url: text.link.url, expiresAt: text.link.expiresAt } } : {}),
  }
  const { segments } = countSegments(textWords(template.body, text.lang, settings, job, tx.now))
  await tx.sql('text_message').insert({
    id,
    person_id: personId,
    patient_id: patientId,
    phone_lookup: lookup,
    link_id: text.link?.id ?? null,
    notice_id: text.noticeId ?? null,
    class: text.class,
    urgent,
    template: template.name,
    template_version: template.version,
    lang: text.lang,
    segments,
    state: 'pending',
    created_at: tx.now,
  })
  const due = dueAt(settings, phone, { class: text.class, urgent }, tx.now)
  const night = urgent && dueAt(settings, phone, { class: text.class, urgent: false }, tx.now) > tx.now
  await tx.audit({
    actor: { kind: 'service', id: 'sms' },
    action: 'text.queue',
    object: { kind: 'text', id },
    outcome: 'done',
    patient: patientId ?? undefined,
    detail: { template: template.name, version: template.version, class: text.class, segments, urgent, night, due },
  })
  await tx.enqueue({
    queue: 'sms',
    kind: 'sms.send',
    key: `text:${id}`,
    due,
    payload: job,
    patient: patientId ?? undefined,
  })
  return id
}

/**
 * Queues one text to a person in the caller's transaction; job `sms.send`. Quiet hours move its due time. Refuses (audited) with the codes `no-consent`,
 * `stopped`, `preference`, `removed`, `closed`, `landline`, `invalid-number`. @throws when a placeholder of the template has no value.
 */
export const queueText = async (tx: Tx, text: NewText): Promise<TextId | Refusal> => {
  const person = await personById(tx.sql, text.person)
  if (!person) throw new Error(`no person ${text.person}`)
  const settings = await readSettings(tx.sql)
  const refusal = await whyNotText(tx, person, text.class, settings)
  if (isRefusal(refusal)) {
    await tx.audit({
      actor: { kind: 'service', id: 'sms' },
      action: 'text.queue',
      object: { kind: 'person', id: person.id },
      outcome: 'refused',
      patient: person.patientId,
      reason: refusal.code,
      detail: { template: text.template, class: text.class },
    })
    return refusal
  }
  return insertText(tx, {
    phone: await openPhone(tx.deps.seal, person),
    lookup: person.phoneLookup,
    personId: person.id,
    patientId: person.patientId,
    text,
    settings,
  })
}

/** An answer to a number that has just texted us, known or not: HELP, the confirmation of STOP, a neutral answer. Sent at once, also to a stopped number. */
export const queueReply = async (
  tx: Tx,
  reply: {
    phone: string
    person?: Pick<Person, 'id' | 'patientId'>
    template: TemplateName
    lang: TemplateLang
    vars?: TemplateVars
    link?: TextLink
  },
): Promise<TextId> =>
  insertText(tx, {
    phone: reply.phone,
    lookup: phoneLookup(tx.deps.seal, reply.phone),
    personId: reply.person?.id ?? null,
    patientId: reply.person?.patientId ?? null,
    text: {
      template: reply.template,
      lang: reply.lang,
      vars: reply.vars ?? {},
      link: reply.link,
      class: 'system',
      urgent: false,
    },
    settings: await readSettings(tx.sql),
  })
