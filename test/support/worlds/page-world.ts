import { randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import { publicApp } from '../../../appservice/http/public-app.ts'
import { keeperClient } from '../../../appservice/keeper/client.ts'
import { startKeeper } from '../../../appservice/keeper/keeper.ts'
import { hours } from '../../../core/domain/clock.ts'
import type { PatientId, PersonId } from '../../../core/domain/ids.ts'
import { listen } from '../../../core/http/listen.ts'
import { refusalLog } from '../../../core/http/refusals.ts'
import { secret } from '../../../core/secret.ts'
import { createLink } from '../../../core/store/links/links.ts'
import { seedSettings } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { builtPage } from '../browser/built-page.ts'
import { browser } from '../browser/chromium.ts'
import { type Clinician, clinician } from '../clinician.ts'
import { freePort } from '../free-port.ts'
import { testLog } from '../test-log.ts'
import { type TestBridge, testBridge } from './bridge.ts'

export type Visitor = {
  id: PatientId
  person: PersonId
  room: string
  dob: { year: string; month: string; day: string }
}

/** The whole path on real parts: Synapse, the bridge's care half, keeper, public HTTP with the built page, a clinician's client, Chromium. */
export type BrowserWorld = {
  bridge: TestBridge
  url: string
  lee: Clinician
  /** A patient with an open care room in which Dr Lee is. */
  patient(options?: { lang?: 'en' | 'es' }): Promise<Visitor>
  link(visitor: Visitor): Promise<string>
  /** A new browser profile with an open page. Errors in the page fail the test that calls `expectNoErrors`. */
  page(options?: Parameters<Awaited<ReturnType<typeof browser>>['newContext']>[0]): Promise<Page>
  errors: string[]
  stop(): Promise<void>
}

let numbers = 0

export const browserWorld = async (): Promise<BrowserWorld> => {
  const [built, bridge, port] = await Promise.all([builtPage(), testBridge(), freePort()])
  const url = `http://localhost:${port}`
  const { store } = bridge.deps
  const shared = secret(randomBytes(16).toString('hex'))
  const log = testLog()
  const running = await startKeeper({
    databaseUrl: bridge.db.url,
    releaseKey: bridge.privateKeys.keeper,
    secret: shared,
    listen: { port: 0 },
    clock: store.clock,
    random: store.random,
    log,
  })
  const keeper = keeperClient(running.address, shared)
  const refusals = refusalLog({ store, log })
  const app = publicApp({
    store,
    homeserver: bridge.deps.homeserver,
    keeper,
    log,
    refusals,
    publicUrl: url,
    pageFolder: built.folder,
    embedded: true,
    limits: { link: { burst: 5000, everyMs: 1000 } },
  })
  const listener = await listen(app, { host: '127.0.0.1', port, graceMs: 500 })
  const lee = await clinician('lee', { displayName: 'Dr. Lee' })
  await bridge.grant(lee.userId)
  await transact(store, tx => seedSettings(tx, { 'clinic.name': 'Lakeside Clinic', 'clinic.phone': '+12025550100' }))
  const errors: string[] = []

  const enrol = async (lang: 'en' | 'es'): Promise<Visitor> => {
    const phone = `+1202555${String(2000 + numbers++).padStart(4, '0')}`
    const { id, person, room } = await bridge.enrol(lee, { phone, dob: '1948-03-27', lang })
    return {
      id,
      person,
      room,
      dob: { year: '1948', month: '3', day: '27' },
    }
  }
  // The next one is enrolled while the browser is busy with this one; a failure is told to whoever takes it.
  let spare = enrol('en')
  const patient: BrowserWorld['patient'] = async ({ lang = 'en' } = {}) => {
    if (lang !== 'en') return enrol(lang)
    const taken = spare
    const next = () => enrol('en')
    spare = taken.then(next, next)
    spare.catch(() => undefined)
    return taken
  }

  return {
    bridge,
    url,
    lee,
    patient,
    errors,
    link: async visitor => {
      const link = await transact(store, tx =>
        createLink(tx, {
          person: visitor.person,
          patient: visitor.id,
          reason: 'message',
          publicUrl: url,
          lifeMs: hours(72),
        }),
      )
      return link.url
    },
    page: async (options = {}) => {
      const context = await (await browser()).newContext({
        locale: 'en-US',
        viewport: { width: 390, height: 844 },
        ...options,
      })
      const page = await context.newPage()
      page.on('pageerror', error => errors.push(error.message))
      page.on('console', message => {
        // A call that was answered 4xx is reported by the browser itself; the page deals with it.
        const own = message.type() === 'error' && !message.text().startsWith('Failed to load resource')
        if (own) errors.push(message.text())
      })
      return page
    },
    stop: async () => {
      await spare.catch(() => undefined)
      await listener.stop()
      await refusals.stop()
      await keeper.stop()
      await running.stop()
      await lee.stop()
      await bridge.stop()
      await built.remove()
    },
  }
}

/** Tap, birth date, until the conversation is open. */
export const enter = async (page: Page, url: string, { dob }: Visitor): Promise<void> => {
  await page.goto(url)
  await page.getByRole('button', { name: 'Open my message' }).click()
  await answerBirthDate(page, dob)
  await page.getByLabel('Write your message').waitFor({ timeout: 60_000 })
}

export const answerBirthDate = async (page: Page, dob: Visitor['dob']): Promise<void> => {
  await page.getByLabel('Month').fill(dob.month)
  await page.getByLabel('Day').fill(dob.day)
  await page.getByLabel('Year').fill(dob.year)
  await page.getByRole('button', { name: 'Continue' }).click()
}
