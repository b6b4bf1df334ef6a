import { randomBytes } from 'node:crypto'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { adminPageFrom } from '../../../audit/admin/part.ts'
import { startAudit } from '../../../audit/main.ts'
import type { AuditEvent } from '../../../core/domain/audit/event.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { secret } from '../../../core/secret.ts'
import { logSize } from '../../../core/store/audit/log/entries.ts'
import { transact } from '../../../core/store/tx.ts'
import { generateSigningKey } from '../../../core/tlog/key.ts'
import { builtPage } from '../browser/built-page.ts'
import { browser } from '../browser/chromium.ts'
import { titled } from '../browser/screens.ts'
import { eventually } from '../eventually.ts'
import { freePort } from '../free-port.ts'
import { testLog } from '../test-log.ts'
import { type CommandWorld, commandWorld } from './command-world.ts'

/** The audit process with its sequencer and the administrators' page, on a database to which commands are given as people give them. */
export type AdminWorld = CommandWorld & {
  url: string
  /** What `!admin link` answers, with the address under which this world serves the page. */
  link(who: UserId): Promise<string>
  /** Writes an event as an effect of `daysAgo` days ago does. */
  happened(event: Partial<Omit<AuditEvent, 'at'>> & Pick<AuditEvent, 'action'>, daysAgo?: number): Promise<void>
  /** Waits until everything that was committed is in the log. */
  settled(): Promise<void>
  page(options?: BrowserContextOptions): Promise<Page>
  /** A page on which somebody has signed in. */
  signedIn(who: UserId, options?: BrowserContextOptions): Promise<Page>
  /** Errors in the browser, broken security policy included. */
  errors: string[]
  log: ReturnType<typeof testLog>
  stop(): Promise<void>
}

/** `first`: the screen on which whoever signs in arrives (the timeline). */
export const adminWorld = async ({ first = 'Timeline' } = {}): Promise<AdminWorld> => {
  const [built, commands, port] = await Promise.all([builtPage('admin'), commandWorld(), freePort()])
  const { db } = commands
  const { store } = db
  const url = `http://localhost:${port}`
  const log = testLog()
  const key = generateSigningKey('clinic.example/audit', 'note', store.random)
  const audit = await startAudit({
    databaseUrl: secret(db.url),
    // Nothing listens there: neither the sequencer nor the page asks the homeserver anything.
    homeserver: { url: 'http://127.0.0.1:9', serverName: 'clinic.example' },
    asToken: secret('none'),
    keys: db.keys,
    logKeys: () => [key],
    publicUrl: 'https://chat.clinic.example',
    adminUrl: url,
    listen: { audit: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port } },
    dataDir: built.folder,
    log,
    clock: store.clock,
    parts: [adminPageFrom(built.folder)],
  })
  const errors: string[] = []
  const page: AdminWorld['page'] = async (options = {}) => {
    const context = await (await browser()).newContext({
      locale: 'en-US',
      timezoneId: 'Asia/Tokyo',
      viewport: { width: 1280, height: 900 },
      ...options,
    })
    const opened = await context.newPage()
    opened.on('pageerror', error => errors.push(error.message))
    opened.on('console', message => {
      // A call that was answered 4xx is reported by the browser itself; the page deals with it.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        errors.push(message.text())
    })
    return opened
  }
  const link: AdminWorld['link'] = async who => {
    const { body } = await commands.ask(who, '!admin link')
    const found = /https:\/\/admin\.clinic\.example(\/sign-in#\w{22})/.exec(body)?.[1]
    if (!found) throw new Error(`no link in: ${body}`)
    return url + found
  }
  return {
    ...commands,
    url,
    link,
    page,
    errors,
    log,
    happened: (event, daysAgo = 0) => {
      const at = store.clock.now() - daysAgo * 86_400_000
      return transact({ ...store, clock: { now: () => at } }, tx =>
        tx.audit({
          actor: { kind: 'user', id: '@kim:clinic.example' },
          object: { kind: 'event', id: `$${randomBytes(8).toString('hex')}` },
          outcome: 'done',
          ...event,
        }),
      )
    },
    settled: async () => {
      await eventually(async () => (await store.db('audit_queue').first('id')) === undefined, { what: 'the whole log' })
      await eventually(async () => (await logSize(store.db)) > 0)
    },
    signedIn: async (who, options) => {
      const opened = await page(options)
      await opened.goto(await link(who))
      await opened.getByRole('button', { name: 'Sign in on this browser' }).click()
      await titled(opened, first).waitFor()
      return opened
    },
    stop: async () => {
      await audit.stop()
      await db.drop()
      await built.remove()
    },
  }
}

/** A month of a small clinic: commands as people give them, and what the homeserver and the patients' page report. Dates go back from now. */
export const busyMonth = async (
  w: AdminWorld,
): Promise<{ ann: UserId; cleo: UserId; kim: UserId; codes: string[] }> => {
  const ann = await w.person('ann', 'admin')
  const cleo = await w.person('cleo', 'compliance')
  const kim = await w.person('kim', 'desk', 'clinician')
  const codes: string[] = []
  for (const [i, name] of ['Maria Alvarez', 'Jonas Weber', 'Li Chen'].entries()) {
    const { body } = await w.ask(kim, `!patient add +1202555017${i} dob 1950-03-0${i + 1} name "${name}"`)
    codes.push(/\b[2-9B-Z]{3}-[2-9B-Z]{3}\b/.exec(body)?.[0] ?? '')
  }
  await w.ask(ann, '!config set clinic.name "Riverside Clinic"')
  await w.ask(ann, '!whoami')
  await w.ask(kim, '!role list')
  await w.ask(cleo, '!role list')
  const patients: { id: string }[] = await w.db.store.db('patient').select('id').orderBy('created_at')
  const staff = ['kim', 'lee', 'omar', 'ines', 'tom', 'yusuf'].map(n => `@${n}:clinic.example`)
  for (let day = 24; day >= 1; day--)
    for (const [n, user] of staff.entries()) {
      const { id } = patients[(day + n) % patients.length] as { id: string }
      const actor = { kind: 'user' as const, id: user }
      const room = `!room-${id}:clinic.example`
      if ((day * 5 + n * 2) % 4 > 0) await w.happened({ action: 'message.sent', actor, patient: id, room }, day)
      if ((day + n) % 4 === 0)
        await w.happened({ action: 'patient.view', actor, patient: id, object: { kind: 'patient', id } }, day)
      if (n > 1) continue
      const link = { kind: 'link' as const, id: `ln_${day}${n}abcdefgh` }
      const service = { kind: 'service' as const, id: 'links' }
      await w.happened({ action: 'link.create', actor: service, object: link, patient: id }, day)
      const anonymous = { kind: 'anonymous' as const, id: 'browser' }
      const origin = { ip: '192.0.2.7', agent: 'Mozilla/5.0 (a patient)' }
      await w.happened({ action: 'link.tap', actor: anonymous, object: link, patient: id, origin }, day)
      const outcome = day % 6 === 0 ? ('refused' as const) : ('done' as const)
      const reason = outcome === 'refused' ? 'wrong' : undefined
      await w.happened(
        { action: 'link.verify', actor: anonymous, object: link, patient: id, origin, outcome, reason },
        day,
      )
    }
  await w.settled()
  return { ann, cleo, kim, codes }
}
