import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type LocalSms, localAccount, startLocal } from '../../../appservice/sms/local/main.ts'
import { twilioProvider } from '../../../appservice/sms/twilio.ts'
import type { TextId } from '../../../core/domain/ids.ts'
import { secret } from '../../../core/secret.ts'
import { systemClock } from '../../../core/system.ts'
import { axeFindings } from '../../support/browser/axe.ts'
import { browser, closeBrowser } from '../../support/browser/chromium.ts'
import { eventually } from '../../support/eventually.ts'
import { testLog } from '../../support/test-log.ts'

const phone = '+12025550123'
const authToken = secret('t')

describe('the handset page', function () {
  this.timeout(120_000)
  let server: Server
  let publicUrl: string
  let local: LocalSms
  let page: Page
  let incoming: URLSearchParams[]
  let frameAncestors: string
  const problems: string[] = []

  before(() => browser())
  after(() => closeBrowser())
  beforeEach(async () => {
    incoming = []
    problems.length = 0
    frameAncestors = "'self' http:"
    server = createServer(async (req, res) => {
      if (req.method === 'POST') {
        let body = ''
        for await (const part of req) body += String(part)
        incoming.push(new URLSearchParams(body))
      }
      res.setHeader('content-type', 'text/html')
      res.setHeader('content-security-policy', `frame-ancestors ${frameAncestors}`)
      res.end('<!doctype html><title>x</title><h1>The secure page</h1>')
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    local = await startLocal({ authToken, publicUrl, clock: systemClock, log: testLog(), stepMs: 5, env: {} })
    page = await (await (await browser()).newContext({ viewport: { width: 400, height: 780 } })).newPage()
    page.on('console', m => m.type() === 'error' && problems.push(m.text()))
    page.on('pageerror', e => problems.push(e.message))
  })
  afterEach(async () => {
    await page.context().close()
    await local.stop()
    server.closeAllConnections()
    await new Promise(done => server.close(done))
    expect(problems).to.deep.equal([])
  })

  const send = (to: string, body: string) =>
    twilioProvider({
      ...localAccount,
      authToken,
      statusCallback: `${publicUrl}/sms/status`,
      origin: local.url,
      ratePerSecond: 100,
    }).send({
      textId: 'tx_test' as TextId,
      to,
      body,
    })
  const openPhone = async () => {
    await page.goto(`${local.url}/handset/${phone}`)
    await page.locator('[data-ready=yes]').waitFor()
  }
  const link = () => `${publicUrl}/l/6HqXxZ8YwqX3TeFq9VYp7b`

  it('shows a text the moment it arrives, and opens its link inside the telephone', async () => {
    await openPhone()
    await send(
      phone,
      `Riverside Clinic: a message waits. Open ${link()} within 72 h. Call us. Reply STOP to stop texts.`,
    )
    await page.getByRole('link', { name: link() }).click()
    await page.frameLocator('iframe').getByRole('heading', { name: 'The secure page' }).waitFor()
    await page.getByRole('button', { name: 'Back to the messages' }).click()
    expect(await page.locator('iframe').count()).to.equal(0)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).to.equal('Riverside Clinic')
  })

  it('opens a page that refuses frames in a tab of its own', async () => {
    frameAncestors = "'none'"
    await send(phone, `Open ${link()} now.`)
    await openPhone()
    const [tab] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('link', { name: link() }).click(),
    ])
    await tab.getByRole('heading', { name: 'The secure page' }).waitFor()
    await tab.close()
  })

  it('answers as the patient would, by typing and by a tap on STOP', async () => {
    await openPhone()
    await page.getByRole('textbox').fill('Can I still come? <b>&')
    await page.keyboard.press('Enter')
    await page.getByText('Can I still come? <b>&').waitFor()
    await page.getByRole('button', { name: 'STOP' }).click()
    await eventually(() => incoming.filter(f => f.has('Body')).length === 2)
    expect(incoming.map(f => [f.get('From'), f.get('Body')])).to.deep.equal([
      [phone, 'Can I still come? <b>&'],
      [phone, 'STOP'],
    ])
  })

  it('fits a narrow frame without scrolling sideways, at every usual width', async () => {
    await send(phone, `Riverside Clinic: a message waits. Open ${link()} within 72 h. Call us.`)
    for (const width of [320, 390, 400, 768, 1280]) {
      await page.setViewportSize({ width, height: 640 })
      await openPhone()
      await page.getByRole('link', { name: link() }).waitFor()
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
      )
      expect(wide, `${width} px`).to.equal(false)
    }
  })

  it('has nothing that axe objects to, in light and dark', async () => {
    await send(phone, `Riverside Clinic: a message waits. Open ${link()} within 72 h. Call us.`)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      for (const path of ['/handset', `/handset/${phone}`]) {
        await page.goto(local.url + path)
        await page.getByText('Riverside Clinic').first().waitFor()
        expect(await axeFindings(page)).to.deep.equal([])
      }
    }
  })

  it('lists the telephones, and is closed to other names of this machine', async () => {
    await send(phone, 'hello')
    await page.goto(`${local.url}/handset`)
    await page.getByRole('link', { name: '+1 202 555 0123' }).click()
    await page.getByText('hello').waitFor()
    const { request } = await import('node:http')
    const status = await new Promise(done =>
      request(`${local.url}/local/messages`, { headers: { host: 'evil.example' } }, res => {
        res.resume()
        done(res.statusCode)
      }).end(),
    )
    expect(status).to.equal(421)
  })
})
