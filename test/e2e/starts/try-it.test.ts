import { readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import type { BrowserContext, FrameLocator, Page } from 'playwright-core'
import { services } from '../../../cli/services/index.ts'
import { startTable } from '../../../cli/start/table.ts'
import { axeFindings } from '../../support/browser/axe.ts'
import { browser } from '../../support/browser/chromium.ts'
import { jpegWithPlace } from '../../support/browser/photo.ts'
import { eventually } from '../../support/eventually.ts'
import { birthDay, type WardroomWorld, wardroomWorld } from '../../support/worlds/wardroom.ts'

const steps = ['write', 'tap', 'prove', 'answer', 'see']
const answer = 'Much better, thank you.'

describe('the try-it page, opened by somebody who has nothing installed', function () {
  this.timeout(240_000)
  let world: WardroomWorld
  let context: BrowserContext
  let page: Page
  let local: string

  const done = (step: string) => page.locator(`[data-step=${step}].done`).waitFor({ timeout: 40_000 })
  const telephone = (): FrameLocator => page.frameLocator('iframe')
  const patient = (): FrameLocator => telephone().frameLocator('iframe')
  const composer = () => page.getByLabel('Write your message')
  const ask = (headers: Record<string, string>, path = '/api/tryit') =>
    fetch(`${local}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
    })
  /** The status that a foreign name which resolves to this machine gets. */
  const byName = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { host, origin: `http://${host}`, 'content-type': 'application/json' }
      const { port } = new URL(local)
      request({ host: '127.0.0.1', port, path: '/api/tryit', method: 'POST', headers }, answer => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end('{}')
    })
  const demoDevices = async (): Promise<string[]> => {
    const { userId, password } = world.wardroom.accounts.drlee!
    const { url } = world.wardroom.config.homeserver
    const login = await fetch(`${url}/_matrix/client/v3/login`, {
      method: 'POST',
      body: JSON.stringify({ type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password }),
    })
    const { access_token: token } = (await login.json()) as { access_token: string }
    const headers = { authorization: `Bearer ${token}` }
    const list = (await (await fetch(`${url}/_matrix/client/v3/devices`, { headers })).json()) as {
      devices: { device_id: string }[]
    }
    await fetch(`${url}/_matrix/client/v3/logout`, { method: 'POST', headers })
    return list.devices.map(d => d.device_id).filter(id => id.startsWith('TRYIT'))
  }

  before(async () => {
    world = await wardroomWorld()
    local = `http://localhost:${world.wardroom.config.listen.local.port}`
    context = await (await browser()).newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-US' })
    page = await context.newPage()
  })
  after(async () => {
    await context?.close()
    await world?.stop()
  })

  it('is in the start table only where the demo clinicians are and no text leaves the machine', () => {
    expect(startTable(world.wardroom)).to.contain(`${local}/try`)
    const own = { ...world.wardroom, accounts: {}, embedded: { synapse: false, postgres: false } }
    expect(startTable(own)).not.to.contain('/try')
    const { config } = world.wardroom
    const twilio = { ...config, sms: { ...config.sms, provider: 'twilio' as const } }
    expect(startTable({ ...world.wardroom, config: twilio })).not.to.contain('/try')
    expect(services.find(({ name }) => name === 'local')?.wanted(twilio)).to.equal(false)
  })

  it('sets its patient up by itself, through the bot’s commands', async () => {
    await page.goto(`${local}/try`)
    await page.getByText('!patient add +12025550123').waitFor({ timeout: 60_000 })
    await composer().waitFor({ timeout: 60_000 })
    await page.getByText('🪪 Maria Alvarez').waitFor({ timeout: 60_000 })
    await page.getByText('7 March 1950').waitFor()
  })

  it('lets one person play both sides, and ticks each step off as it happens', async () => {
    expect(await page.locator('.guide .done').count()).to.equal(0)
    await composer().fill('How do you feel today?')
    await page.getByRole('button', { name: /^Send/ }).click()
    await done('write')
    expect(await page.locator('[aria-current=step]').getAttribute('data-step')).to.equal('tap')

    await telephone().locator('.text a').click({ timeout: 60_000 })
    await patient().getByRole('button', { name: 'Open my message' }).click({ timeout: 60_000 })
    await done('tap')
    await patient().getByLabel('Month').fill(birthDay.month)
    await patient().getByLabel('Day').fill(birthDay.day)
    await patient().getByLabel('Year').fill(birthDay.year)
    await patient().getByRole('button', { name: 'Continue' }).click()
    await done('prove')
    await patient().getByText('How do you feel today?').waitFor({ timeout: 40_000 })
    expect(await page.locator('[data-step=answer].done').count()).to.equal(0)

    const write = patient().getByLabel('Write your message')
    await write.fill(answer)
    await patient().getByRole('button', { name: /^Send/ }).click()
    for (const step of steps) await done(step)
    await page.getByText(answer).waitFor()
    for (const words of ['link opened', 'identity confirmed'])
      await page.locator('.reactions').getByText(words).waitFor({ timeout: 60_000 })
    await page.locator('.mark.read').waitFor({ timeout: 60_000 })
  })

  it('shows the clinician a photo that the patient sends', async () => {
    const file = { name: 'spot.jpg', mimeType: 'image/jpeg', buffer: jpegWithPlace() }
    await patient().locator('input[data-pick=photo]').setInputFiles(file)
    await patient()
      .getByRole('button', { name: /^Do not send/ })
      .waitFor()
    await patient().getByRole('button', { name: /^Send/ }).click()
    const picture = page.locator('.picture img')
    await picture.waitFor({ timeout: 60_000 })
    await eventually(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth > 0), { what: 'the picture' })
  })

  it('has nothing that axe objects to, in the wide and in the narrow window', async () => {
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 860 })
      expect(await axeFindings(page), `${width}`).to.deep.equal([])
    }
  })

  it('shows one side at a time in a narrow window, by keyboard too', async () => {
    await page.getByRole('tab', { name: 'Clinician' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.locator('iframe').waitFor({ state: 'visible' })
    expect(await composer().isVisible()).to.equal(false)
    await page.keyboard.press('ArrowLeft')
    await composer().waitFor()
    await page.setViewportSize({ width: 1280, height: 860 })
  })

  it('is loaded again with the same patient, reads what came before, and leaves one device', async () => {
    await page.reload()
    await composer().waitFor({ timeout: 60_000 })
    await page.getByText(answer).waitFor({ timeout: 60_000 })
    await page.getByText('Much better').waitFor()
    expect(await page.getByText('!patient add').count()).to.equal(0)
    for (const step of steps) await done(step)
    expect(await demoDevices()).to.have.lengthOf(1)
    await composer().fill('Thank you. See you on Monday.')
    await page.getByRole('button', { name: /^Send/ }).click()
    await eventually(async () => (await world.texts('+12025550123')).length > 0, { what: 'a text' })
  })

  it('starts over with another patient', async () => {
    await page.getByRole('button', { name: 'Start over with another patient' }).click()
    await page.getByText('You are James Carter').waitFor({ timeout: 60_000 })
    await composer().waitFor({ timeout: 60_000 })
    await page.getByText('🪪 James Carter').waitFor({ timeout: 60_000 })
    expect(await page.locator('.guide .done').count()).to.equal(0)
  })

  it('deletes its device when it is closed', async () => {
    await page.goto('about:blank')
    await eventually(async () => (await demoDevices()).length === 0, { what: 'the device to go' })
  })

  it('gives a login to no page of another origin, and to no caller that does not say where it comes from', async () => {
    const { host } = new URL(local)
    const callers: Record<string, string>[] = [
      {},
      { origin: 'http://evil.example' },
      { origin: `http://localhost:${world.wardroom.config.listen.public.port}` },
      { 'sec-fetch-site': 'same-site', origin: local },
      { 'sec-fetch-site': 'cross-site' },
    ]
    for (const headers of callers)
      for (const path of ['/api/tryit', '/api/tryit/close']) expect((await ask(headers, path)).status).to.equal(403)
    expect((await fetch(`${local}/api/tryit`)).status).to.equal(403)
    expect(await byName('evil.example')).to.equal(421)
    const own = await ask({ origin: `http://${host}` })
    expect(own.status).to.equal(200)
    expect(own.headers.get('cache-control')).to.equal('no-store')
  })

  it('keeps its recovery keys where only their owner reads them', () => {
    const file = join(world.dataDir, 'keys/try-it.json')
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    const keys = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)
    for (const key of keys) expect(Buffer.from(key, 'base64')).to.have.lengthOf(32)
  })

  it('lets a person go on in another client, and never touches what they set up there', async () => {
    const file = readFileSync(join(world.dataDir, 'keys/try-it.json'), 'utf8')
    const { drlee, nurse_kim: kim } = world.wardroom.accounts
    const key = (JSON.parse(file) as Record<string, string>)[drlee!.userId]!
    const lee = await world.signIn('drlee', { recoveryKey: new Uint8Array(Buffer.from(key, 'base64')) })
    await lee.waitFor(seen => seen.body === answer, { what: 'the patient’s answer in the other client' })
    const crypto = lee.client.getCrypto()!
    await crypto.bootstrapSecretStorage({
      createSecretStorageKey: () => crypto.createRecoveryKeyFromPassphrase(),
      setupNewSecretStorage: true,
    })
    await lee.resetIdentity()
    const identity = await crypto.getCrossSigningKeyId()

    await page.goto(`${local}/try`)
    await page.getByText('You are Nurse Kim').waitFor({ timeout: 60_000 })
    await composer().waitFor({ timeout: 60_000 })
    await context.route('**/api/tryit', async route => {
      const { not } = JSON.parse(route.request().postData() ?? '{}') as { not: string[] }
      await route.continue({ postData: JSON.stringify({ not: [...new Set([kim!.userId, ...not])] }) })
    })
    await page.reload()
    await page.getByText('Both demo clinicians are used in another client').waitFor({ timeout: 60_000 })
    await crypto.userHasCrossSigningKeys(lee.userId, true)
    expect(await crypto.getCrossSigningKeyId()).to.equal(identity)
    await lee.stop()
  })
})
