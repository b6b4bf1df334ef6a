import express from 'express'
import { type SmsDeps, smsJobs, smsWebhooks } from '../../../appservice/sms/index.ts'
import { type LocalConfig, localAccount, startLocal } from '../../../appservice/sms/local/main.ts'
import { twilioProvider } from '../../../appservice/sms/twilio.ts'
import type { ConsentScope } from '../../../core/domain/care/consent.ts'
import { hours } from '../../../core/domain/clock.ts'
import type { EventId, PatientId, PersonId, RoomId, TextId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import type { SettingKey, Settings } from '../../../core/domain/settings/settings.ts'
import { listen } from '../../../core/http/listen.ts'
import { type Outbox, startOutbox } from '../../../core/queues/outbox-worker.ts'
import { secret } from '../../../core/secret.ts'
import { createLink } from '../../../core/store/links/links.ts'
import { addNotice, attachText } from '../../../core/store/patients/care.ts'
import { recordConsent } from '../../../core/store/patients/consents.ts'
import { addCaregiver, addPatient, type Lang, personById } from '../../../core/store/patients/patients.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { type NewText, queueText, textById } from '../../../core/store/texts/texts.ts'
import { type Tx, transact } from '../../../core/store/tx.ts'
import { database } from '../database.ts'
import { eventually } from '../eventually.ts'
import { localPhones } from '../receivers/local-phones.ts'
import { testLog } from '../test-log.ts'

export type SmsWorldOptions = {
  optOut?: LocalConfig['optOut']
  /** Without a worker: another process sends. */
  idle?: boolean
  timeoutMs?: number
  stateFile?: string
}

export const smsToken = 'a-token-for-tests'

/** The whole SMS bridge on a real PostgreSQL, with the real twilio library against the local server over HTTP, and the webhooks listening. Noon in New York. */
export const smsWorld = async (options: SmsWorldOptions = {}) => {
  const d = await database()
  const { store } = d
  store.clock.set(Date.UTC(2026, 4, 12, 16))
  const log = testLog()
  const app = express()
  const page = await listen(app, { graceMs: 200 })
  const publicUrl = page.url.replace('127.0.0.1', 'localhost')
  const authToken = secret(smsToken)
  app
    .set('query parser', false)
    .use('/sms', smsWebhooks({ store, accountSid: localAccount.accountSid, authToken, publicUrl, log }))
  const local = await startLocal({
    authToken,
    publicUrl,
    clock: store.clock,
    log,
    stepMs: 5,
    optOut: options.optOut,
    stateFile: options.stateFile,
    env: {},
  })
  const provider = twilioProvider({
    ...localAccount,
    authToken,
    statusCallback: `${publicUrl}/sms/status`,
    origin: local.url,
    ratePerSecond: 1000,
    timeoutMs: options.timeoutMs ?? 5000,
  })
  const deps: SmsDeps = { store, provider, log, publicUrl, uncertainMs: 50 }
  const outboxes: Outbox[] = []
  const startWorker = async () => {
    const o = await startOutbox({ queue: 'sms', store, log, handlers: smsJobs(deps) })
    outboxes.push(o)
    return o
  }
  if (!options.idle) await startWorker()

  const telephones = localPhones(local.url)
  const tx = <T>(work: (tx: Tx) => Promise<T>) => transact(store, work)
  const by = { kind: 'user' as const, id: '@ann:test' }
  let birthday = 0

  const received = telephones.texts
  const text = (id: TextId) => textById(store.db, id)
  const world = {
    ...d,
    log,
    deps,
    provider,
    local,
    publicUrl,
    authToken,
    tx,
    received,
    text,
    startWorker,
    idle: () => Promise.all(outboxes.map(o => o.idle())),
    /** A patient with this number, an open room, and consent for what is named. */
    patient: async (phone: string, o: { consents?: ConsentScope[]; lang?: Lang; name?: string } = {}) => {
      birthday += 1
      const dob = `1950-01-${String(birthday).padStart(2, '0')}`
      const added = await tx(t => addPatient(t, { phone, dob, by: by.id, lang: o.lang, name: o.name }))
      if (isRefusal(added)) throw new Error(added.sentence)
      await store
        .db('patient')
        .where({ id: added.id })
        .update({ state: 'open', room_id: `!${added.id}:test` })
      for (const scope of o.consents ?? ['care']) await tx(t => recordConsent(t, added.person, scope, 'written', by))
      return { patient: added.id as PatientId, person: added.person as PersonId, code: added.code, phone }
    },
    caregiver: async (patient: PatientId, phone: string) => {
      birthday += 1
      const id = await tx(t =>
        addCaregiver(t, patient, { phone, dob: `1970-02-${String(birthday).padStart(2, '0')}`, by: by.id }),
      )
      if (isRefusal(id)) throw new Error(id.sentence)
      await tx(t => recordConsent(t, id, 'care', 'verbal', by))
      return id
    },
    set: <K extends SettingKey>(key: K, value: Settings[K]) => tx(t => changeSetting(t, { key, value, by: by.id })),
    link: (p: { person: PersonId; patient: PatientId }) =>
      tx(t => createLink(t, { ...p, reason: 'message', publicUrl, lifeMs: hours(72) })),
    queue: (t: Partial<NewText> & { person: PersonId }) =>
      tx(x => queueText(x, { template: 'locked', lang: 'en', vars: {}, class: 'care', ...t })),
    /** A notice text with its link and its row in the closed loop. */
    notice: async (p: { person: PersonId; patient: PatientId }, more: Partial<NewText> = {}) => {
      const person = await personById(store.db, p.person)
      return tx(async t => {
        const link = await createLink(t, { ...p, reason: 'message', publicUrl, lifeMs: hours(72) })
        const id = await addNotice(t, {
          patientId: p.patient,
          personId: p.person,
          roomId: `!${p.patient}:test` as RoomId,
          eventId: `$${link.id}` as EventId,
          sender: '@ann:test',
          sentAt: t.now,
        })
        if (!id) throw new Error('the notice was there already')
        const textId = await queueText(t, {
          person: p.person,
          template: 'notice',
          lang: person?.lang ?? 'en',
          vars: {},
          link,
          noticeId: id,
          class: 'care',
          ...more,
        })
        if (!isRefusal(textId)) await attachText(t, id, { textId, linkId: link.id, nextAt: null, reminders: 0 })
        return { id, link, textId }
      })
    },
    noticeState: async (id: string) => {
      const row = await store.db('notice').where({ id }).first('state', 'failure')
      return row.failure ? `${row.state} ${row.failure}` : row.state
    },
    say: telephones.say,
    behave: telephones.behave,
    until: (id: TextId, state: string) =>
      eventually(async () => (await text(id))?.state === state, { what: `text ${state}` }),
    arrives: (phone: string, count = 1) =>
      eventually(
        async () => {
          const found = (await received(phone)).filter(m => m.status === 'delivered')
          return found.length >= count && found
        },
        { what: `${count} text(s) on …${phone.slice(-2)}` },
      ),
    /** Incoming texts that are fully handled: routed, and erased at the provider. */
    handled: (sid: string) =>
      eventually(
        async () => {
          const row = await store.db('inbound_text').where({ provider_id: sid }).first()
          return row?.deleted_at_provider !== null && row !== undefined
        },
        { what: 'the incoming text handled' },
      ),
    /** Jobs waiting for another service, opened. */
    jobs: async (queue: 'bridge' | 'bots', kind: string): Promise<Record<string, unknown>[]> => {
      const rows: { payload: string }[] = await store.db('outbox').where({ queue, kind }).orderBy('seq')
      return Promise.all(rows.map(async r => JSON.parse(await store.seal.open('outbox.payload', r.payload))))
    },
    audits: async (action: string) => store.db('audit_queue').where({ action }).orderBy('id'),
    stop: async () => {
      for (const o of outboxes) await o.stop()
      await local.stop()
      await page.stop()
      await d.drop()
    },
  }
  return world
}
export type SmsWorld = Awaited<ReturnType<typeof smsWorld>>
