import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { closeBrowser } from '../../support/browser/chromium.ts'
import { clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandom } from '../../support/random.ts'
import {
  answerBirthDate,
  type BrowserWorld,
  browserWorld,
  enter,
  type Visitor,
} from '../../support/worlds/page-world.ts'

const kills = process.env.WARDROOM_LONG === '1' ? 300 : 20

/** The renderer process dies at once: no pagehide, no beacon, nothing flushed. */
const kill = async (page: Page): Promise<void> => {
  const died = new Promise<void>(resolve => page.once('crash', () => resolve()))
  const devtools = await page.context().newCDPSession(page)
  devtools.send('Page.crash').catch(() => undefined)
  await died
  await page.close()
}

const begin = async (page: Page, link: string, visitor: Visitor): Promise<void> => {
  await page.goto(link)
  await page.getByRole('button', { name: 'Open my message' }).click()
  await page
    .getByLabel('Month')
    .or(page.getByRole('heading', { name: 'Opening your messages' }))
    .or(page.getByLabel('Write your message'))
    .first()
    .waitFor()
  if (await page.getByLabel('Month').isVisible()) await answerBirthDate(page, visitor.dob)
}

describe('a tab that is killed', function () {
  this.timeout(kills * 12_000 + 240_000)
  let w: BrowserWorld

  before(async function () {
    this.timeout(240_000)
    w = await browserWorld()
  })
  after(async () => {
    await closeBrowser()
    await w?.stop()
  })

  /** One patient whose tab is killed again and again, and who then reads everything, and is read. */
  const unlucky = async (times: number, seed: string): Promise<void> => {
    const random = seededRandom(seed)
    const maria = await w.patient()
    const link = await w.link(maria)
    let page = await w.page()
    const context = page.context()
    const sent: string[] = []
    for (let round = 0; round < times; round++) {
      // The keeper gives K to a session twenty times and then once a minute.
      if (round >= 15) w.bridge.db.store.clock.advance(61_000)
      const text = `Message ${round} of the clinician.`
      const sending = w.lee.send(maria.room, text)
      sent.push(text)
      await begin(page, link, maria)
      const moment = random.int(2500)
      const writing = page
        .getByLabel('Write your message')
        .fill(`Answer ${round}`, { timeout: moment + 50 })
        .then(() => page.getByRole('button', { name: 'Send', exact: true }).click({ timeout: 300 }))
        .catch(() => undefined)
      await Promise.race([
        new Promise(resolve => setTimeout(resolve, moment)),
        writing.then(() => new Promise(resolve => setTimeout(resolve, random.int(400)))),
      ])
      await kill(page)
      await writing
      await sending
      page = await context.newPage()
    }
    await begin(page, link, maria)
    await page.getByLabel('Write your message').waitFor({ timeout: 60_000 })
    const older = page.getByRole('button', { name: 'Show older messages' })
    await eventually(
      async () => {
        if (await page.getByText('This is the start of your messages.').isVisible()) return true
        // The button goes away while it loads, also under the pointer.
        if (await older.isVisible()) await older.click({ timeout: 1000 }).catch(() => undefined)
        return undefined
      },
      { timeout: 60_000, what: 'the start of the conversation' },
    )
    for (const text of sent) await page.locator('.message', { hasText: text }).waitFor({ timeout: 60_000 })
    expect(await page.locator('.bubble.unreadable').count(), 'messages that could not be opened').to.equal(0)
    await eventually(async () => (await page.locator('.bubble.opening').count()) === 0)
    const answers = () => w.lee.seen(maria.room).filter(one => one.sender.startsWith('@p_') && one.encrypted)
    await eventually(() => answers().every(one => !one.failure), {
      timeout: 60_000,
      what: 'every answer read by the clinician',
    })
    for (const answer of answers()) expect(await w.lee.shield(answer), answer.body).to.equal('none')
    const left = await liveDevices(w, maria)
    expect(left, 'devices that a killed tab left').to.have.lengthOf(1)
    await context.close()
  }

  it(`loses nothing in ${kills} random moments, with a clinician whose sync and key queries lag 1.5 s`, async () => {
    w.lee.network.delay = path => (/\/(sync|keys\/query)$/.test(path) ? 1500 : 0)
    await Promise.all([unlucky(kills / 2, 'page kills'), unlucky(kills / 2, 'other page kills')])
    w.lee.network.delay = () => 0
  })

  it('leaves nothing unreadable for a clinician who was offline while the patient wrote and went', async () => {
    const kim = await clinician('kim')
    const maria = await w.patient()
    await w.lee.send(maria.room, 'Kim will read this tomorrow.')
    await w.bridge.grant(kim.userId)
    await w.lee.invite(maria.room, kim.userId)
    await kim.join(maria.room)
    kim.network.offline = true
    const page = await w.page()
    await enter(page, await w.link(maria), maria)
    for (const text of ['I felt better today.', 'See you on Monday.']) {
      await page.getByLabel('Write your message').fill(text)
      await page.getByRole('button', { name: 'Send', exact: true }).click()
      await w.lee.waitFor(one => one.body === text)
    }
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('navigation').getByRole('button', { name: 'Log off' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Log off' }).click()
    await page.getByRole('heading', { name: 'You are logged off' }).waitFor()
    await eventually(async () => (await liveDevices(w, maria)).length === 0, {
      what: 'the end of the device',
    })
    kim.network.offline = false
    kim.client.retryImmediately()
    for (const text of ['I felt better today.', 'See you on Monday.']) {
      const seen = await kim.waitFor(one => one.body === text && !one.failure, { timeout: 40_000 })
      expect(await kim.shield(seen), text).to.equal('none')
    }
    await page.context().close()
    await kim.stop()
  })
})

/** The ghost's live devices; the dehydrated one, which always stays, is not counted. */
const liveDevices = async (w: BrowserWorld, { person }: Visitor): Promise<string[]> => {
  const { ghost, dehydrated_device: kept } = await w.bridge.deps.store.db('person').where({ id: person }).first()
  const path = '/_matrix/client/v3/devices'
  const answer = await w.bridge.deps.homeserver.request<{ devices: { device_id: string }[] }>('GET', path, {
    userId: ghost,
  })
  return answer.devices.map(device => device.device_id).filter(id => id !== kept)
}
