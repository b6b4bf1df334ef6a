import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { closeBrowser } from '../../support/browser/chromium.ts'
import { jpegWithPlace } from '../../support/browser/photo.ts'
import { eventually } from '../../support/eventually.ts'
import {
  answerBirthDate,
  type BrowserWorld,
  browserWorld,
  enter,
  type Visitor,
} from '../../support/worlds/page-world.ts'

const write = (page: Page) => page.getByLabel('Write your message')
const send = async (page: Page, text: string): Promise<void> => {
  await write(page).fill(text)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
}
const message = (page: Page, text: string) => page.locator('.message', { hasText: text })

describe('a visit to the patient page', function () {
  this.timeout(120_000)
  let w: BrowserWorld
  let common: Visitor | undefined
  /** For visits to which it does not matter what was said before. */
  const anyPatient = async (): Promise<Visitor> => {
    common ??= await w.patient()
    return common
  }

  before(async function () {
    this.timeout(240_000)
    w = await browserWorld()
  })
  after(async () => {
    await closeBrowser()
    await w?.stop()
  })
  afterEach(() => {
    expect(w.errors.splice(0), 'errors in the page, a broken security policy included').to.deep.equal([])
  })

  it('opens what a clinician wrote, and the answer arrives encrypted, without a shield, with marks on both sides', async () => {
    const maria = await w.patient()
    const asked = await w.lee.send(maria.room, 'How do you feel with the new tablets?')
    const page = await w.page()
    await enter(page, await w.link(maria), maria)
    await message(page, 'How do you feel with the new tablets?').waitFor()
    expect(await page.locator('.message').count(), 'the bridge’s card is not for the patient').to.equal(1)
    const room = await w.lee.room(maria.room)
    await eventually(() => room.getReceiptsForEvent(room.findEventById(asked)!).length > 0, {
      what: 'the read receipt',
    })
    await send(page, 'A bit dizzy in the morning.')
    const seen = await w.lee.waitFor(s => s.body === 'A bit dizzy in the morning.')
    expect(seen.encrypted).to.equal(true)
    expect(await w.lee.shield(seen)).to.equal('none')
    await page.locator('.mark.sent').waitFor()
    await w.lee.read(maria.room, seen.eventId)
    await page.locator('.mark.read').waitFor()
    await page.context().close()
  })

  it('takes a message off the open page when its sender recalls it', async () => {
    const maria = await w.patient()
    const wrong = await w.lee.send(maria.room, 'Your blood test, dear Mr Other')
    const page = await w.page()
    await enter(page, await w.link(maria), maria)
    await message(page, 'Your blood test').waitFor()
    await w.lee.redact(maria.room, wrong)
    await page.getByText('This message was removed').waitFor()
    expect(await message(page, 'Your blood test').count()).to.equal(0)
    await page.context().close()
  })

  it('sends a photo without its place and time, the way up that it has, and shows the clinician’s photo', async () => {
    const maria = await w.patient()
    const page = await w.page()
    await enter(page, await w.link(maria), maria)
    const original = jpegWithPlace()
    await page
      .locator('input[data-pick=photo]')
      .setInputFiles({ name: 'IMG_1.jpg', mimeType: 'image/jpeg', buffer: original })
    await page.getByText('Place and time were removed').waitFor()
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    const seen = await w.lee.waitFor(s => s.content.msgtype === 'm.image')
    const arrived = Buffer.from(await w.lee.download(seen))
    expect(original.includes('Exif')).to.equal(true)
    expect(arrived.subarray(0, 2).toString('hex')).to.equal('ffd8')
    for (const trace of ['Exif', 'GPS', 'SECRET-PLACE', 'http://ns.adobe.com'])
      expect(arrived.includes(trace), trace).to.equal(false)
    // The original lies on its side (orientation 6): 2 × 1 becomes 1 × 2.
    expect(seen.content.info).to.include({ w: 1, h: 2, mimetype: 'image/jpeg' })
    await w.lee.sendImage(maria.room, new Uint8Array(arrived), { name: 'scan.jpg', mimetype: 'image/jpeg' })
    const pictures = page.locator('.picture img')
    await eventually(async () => (await pictures.count()) === 2)
    await eventually(() => pictures.last().evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth === 1))
    await page.context().close()
  })

  it('sends a voice message and a file, and gives the clinician’s file only when it is asked for', async () => {
    const maria = await anyPatient()
    const page = await w.page({ permissions: ['microphone'], acceptDownloads: true })
    await enter(page, await w.link(maria), maria)
    await page.getByRole('button', { name: 'Record a voice message' }).click()
    await page.getByText('Recording').waitFor()
    await page.getByText('0:01').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    const voice = await w.lee.waitFor(s => s.content.msgtype === 'm.audio')
    expect((await w.lee.download(voice)).length).to.be.greaterThan(500)
    expect(voice.content).to.have.property('org.matrix.msc3245.voice')
    const list = { name: 'tablets.txt', mimeType: 'text/plain', buffer: Buffer.from('one in the morning') }
    await page.locator('input[data-pick=file]').setInputFiles(list)
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    const sent = await w.lee.waitFor(s => s.content.msgtype === 'm.file')
    expect(Buffer.from(await w.lee.download(sent)).toString()).to.equal('one in the morning')
    await w.lee.sendContent(maria.room, 'm.room.message', { ...sent.content, body: 'plan.txt', filename: 'plan.txt' })
    const asked: string[] = []
    page.on('request', request => request.url().includes('/media/download/') && asked.push(request.url()))
    const save = page.getByRole('button', { name: 'Save plan.txt' })
    await save.waitFor()
    expect(asked).to.deep.equal([])
    const [download] = await Promise.all([page.waitForEvent('download'), save.click()])
    expect(download.suggestedFilename()).to.equal('plan.txt')
    expect(asked).to.have.lengthOf(1)
    await page.context().close()
  })

  it('asks again who it is after an hour, with nothing of the conversation in sight and nothing typed lost', async () => {
    const maria = await anyPatient()
    await w.lee.send(maria.room, 'A word that nobody else may see.')
    const page = await w.page()
    await page.clock.install()
    await enter(page, await w.link(maria), maria)
    await write(page).fill('I have not finished')
    for (let quarter = 0; quarter < 5; quarter++) {
      await page.clock.fastForward('12:30')
      w.bridge.db.store.clock.advance(12.5 * 60_000)
      const stay = page.getByRole('button', { name: 'Yes, stay here' })
      const again = page.getByRole('heading', { name: 'Please confirm again that it is you' })
      if (quarter < 4) {
        await page.clock.fastForward('00:45')
        await stay.click()
        await stay.waitFor({ state: 'detached' })
      } else await again.waitFor()
    }
    expect(await message(page, 'A word that nobody').isVisible()).to.equal(false)
    await page.getByLabel('Month').fill(maria.dob.month)
    await page.getByLabel('Day').fill(maria.dob.day)
    await page.getByLabel('Year').fill(maria.dob.year)
    await page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click()
    await message(page, 'A word that nobody').waitFor()
    expect(await write(page).inputValue()).to.equal('I have not finished')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await w.lee.waitFor(s => s.body === 'I have not finished', { timeout: 40_000 })
    await page.context().close()
  })

  it('says how many tries are left, locks after three wrong birth dates, and says whom to call', async () => {
    const maria = await w.patient()
    const page = await w.page()
    const link = await w.link(maria)
    await page.goto(link)
    await page.getByRole('button', { name: 'Open my message' }).click()
    const wrong = { ...maria.dob, year: '1950' }
    await answerBirthDate(page, wrong)
    await page.getByText('You can try 2 more times').waitFor()
    await answerBirthDate(page, wrong)
    await page.getByText('You can try 1 more time.').waitFor()
    await answerBirthDate(page, wrong)
    await page.getByRole('heading', { name: 'This link is locked' }).waitFor()
    expect(
      await page
        .getByRole('link', { name: /^Call / })
        .first()
        .getAttribute('href'),
    ).to.match(/^tel:/)
    await page.context().close()
  })

  it('shows the same screen for a link that never was, and offers a new one', async () => {
    const page = await w.page()
    await page.goto(`${w.url}/l/${'2'.repeat(22)}`)
    await page.getByRole('button', { name: 'Open my message' }).click()
    await page.getByRole('heading', { name: 'This link does not work any more' }).waitFor()
    await page.getByRole('button', { name: 'Text me a new link' }).click()
    await page.getByRole('heading', { name: 'Look at your texts' }).waitFor()
    await page.context().close()
  })

  it('goes on after a reload without a birth date, and leaves to the newest tab', async () => {
    const maria = await w.patient()
    await w.lee.send(maria.room, 'Before the reload.')
    const page = await w.page()
    const link = await w.link(maria)
    await enter(page, link, maria)
    await write(page).fill('half a sentence')
    await page.reload()
    await message(page, 'Before the reload.').waitFor({ timeout: 60_000 })
    const second = await page.context().newPage()
    await second.goto(link)
    await second.getByRole('button', { name: 'Open my message' }).click()
    await message(second, 'Before the reload.').waitFor({ timeout: 60_000 })
    await page.getByRole('heading', { name: 'Your messages are open somewhere else' }).waitFor()
    await page.getByRole('button', { name: 'Open them here' }).click()
    await message(page, 'Before the reload.').waitFor({ timeout: 60_000 })
    await second.getByRole('heading', { name: 'Your messages are open somewhere else' }).waitFor()
    await page.context().close()
  })

  it('keeps what is sent while the line is down, sends it once when it is back, and says so', async () => {
    const maria = await anyPatient()
    const page = await w.page()
    await enter(page, await w.link(maria), maria)
    await page.context().setOffline(true)
    await page.getByText('You are offline.').waitFor()
    await send(page, 'Sent from a tunnel.')
    await page.locator('.mark.sending, .mark.failed').first().waitFor()
    await page.context().setOffline(false)
    await w.lee.waitFor(s => s.body === 'Sent from a tunnel.', { timeout: 40_000 })
    await page.locator('.mark.sent').waitFor()
    expect(w.lee.seen(maria.room).filter(s => s.body === 'Sent from a tunnel.')).to.have.lengthOf(1)
    await page.context().close()
  })

  it('warns before the idle log-off, can be extended, and keeps the draft sealed until the next visit', async () => {
    const maria = await w.patient()
    await w.lee.send(maria.room, 'Are you there?')
    const page = await w.page()
    await page.clock.install()
    const link = await w.link(maria)
    await enter(page, link, maria)
    await page.clock.fastForward('01:10')
    // What the clinic writes moves the list by itself: that is nobody who is there.
    const scrolled = page.evaluate(
      () => new Promise(done => document.querySelector('.scroll')?.addEventListener('scroll', () => done(true))),
    )
    await w.lee.send(maria.room, 'Please drink a glass of water every hour.\n'.repeat(60))
    await message(page, 'Please drink a glass').waitFor()
    expect(await scrolled).to.equal(true)
    await page.clock.fastForward('12:20')
    await page.getByRole('button', { name: 'Yes, stay here' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await write(page).fill('My weight is 82 and')
    await page.clock.fastForward('14:00')
    await page.getByRole('dialog').waitFor()
    await page.clock.fastForward('01:30')
    await page.getByRole('heading', { name: 'You were logged off' }).waitFor()
    await page.getByText('What you were writing is saved.').waitFor()
    const stored = await page.evaluate(async () => [
      localStorage.length,
      sessionStorage.length,
      (await indexedDB.databases()).length,
      (await caches.keys()).length,
    ])
    expect(stored, 'nothing is left in the browser').to.deep.equal([0, 0, 0, 0])
    await page.getByRole('button', { name: 'Open my messages again' }).click()
    await write(page).or(page.getByLabel('Month')).first().waitFor({ timeout: 60_000 })
    if (await page.getByLabel('Month').isVisible()) await answerBirthDate(page, maria.dob)
    await eventually(async () => (await write(page).inputValue()) === 'My weight is 82 and', { timeout: 60_000 })
    expect(await w.bridge.db.dump()).to.not.include('My weight is 82')
    await page.context().close()
  })

  it('shows a message that cannot be opened, and has it sent again', async () => {
    const maria = await w.patient()
    const page = await w.page()
    await enter(page, await w.link(maria), maria)
    const sent = await sendUnreadable(w, maria.room)
    await page.getByText('Opening this message…').waitFor()
    await page.getByText('This message could not be opened.').waitFor({ timeout: 60_000 })
    await eventually(async () => (await w.bridge.deps.store.db('outbox').where({ kind: 'care.resend' })).length > 0, {
      what: `the request to send ${sent} again`,
    })
    await page.context().close()
  })

  it('ends for good when the patient logs off: no device is left, the link is used up', async () => {
    const maria = await anyPatient()
    const page = await w.page()
    const link = await w.link(maria)
    await enter(page, link, maria)
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('navigation').getByRole('button', { name: 'Log off' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Log off' }).click()
    await page.getByRole('heading', { name: 'You are logged off' }).waitFor()
    await page.goto(link)
    await page.getByRole('button', { name: 'Open my message' }).click()
    await page.getByRole('heading', { name: 'This link does not work any more' }).waitFor()
    await page.context().close()
  })

  it('shows the ledger of consents and changes it', async () => {
    const maria = await anyPatient()
    const page = await w.page()
    await enter(page, await w.link(maria), maria)
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('button', { name: 'My permissions' }).click()
    const yes = page.locator('.consent').nth(1).getByRole('button', { name: 'Yes' })
    await yes.click()
    await page.getByText('Your choice is saved.').waitFor()
    expect(await yes.getAttribute('aria-pressed')).to.equal('true')
    const rows = await w.bridge.deps.store.db('consent').where({ person_id: maria.person, method: 'page' })
    expect(rows).to.have.lengthOf(1)
    await page.context().close()
  })

  it('is in Spanish for a patient whose record says so', async () => {
    const maria = await w.patient({ lang: 'es' })
    const page = await w.page()
    await page.goto(await w.link(maria))
    await page.getByRole('button', { name: 'Open my message' }).click()
    await page.getByRole('heading', { name: '¿Cuándo nació usted?' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).to.equal('es')
    await page.context().close()
  })

  it('asks nothing and changes nothing before the tap, and weighs at most 30 kB until the person is known', async () => {
    const maria = await w.patient()
    const page = await w.page()
    const calls: string[] = []
    let bytes = 0
    page.on('request', request => calls.push(`${request.method()} ${new URL(request.url()).pathname}`))
    page.on('requestfinished', async request => {
      const sizes = await request.sizes()
      bytes += sizes.responseBodySize
    })
    await page.goto(await w.link(maria))
    await page.getByRole('button', { name: 'Open my message' }).waitFor()
    await page.waitForLoadState('networkidle')
    expect(
      calls.filter(call => !call.startsWith('GET ')),
      'nothing but GET',
    ).to.deep.equal([])
    expect(bytes).to.be.greaterThan(5_000)
    expect(bytes).to.be.lessThan(30_000)
    expect(
      await w.bridge.deps.store.db('link').where({ person_id: maria.person }).whereNotNull('tapped_at'),
    ).to.deep.equal([])
    await page.context().close()
  })

  it('says whom to call without JavaScript and without WebAssembly, and works where storage is blocked', async () => {
    const maria = await anyPatient()
    const link = await w.link(maria)
    const bare = await w.page({ javaScriptEnabled: false })
    await bare.goto(link)
    expect(await bare.locator('noscript').textContent()).to.match(/JavaScript/)
    expect(await bare.locator('noscript a[href^="tel:"]').count()).to.be.greaterThan(0)
    await bare.context().close()
    const old = await w.page()
    await old.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'))
    await old.goto(link)
    await old.getByRole('heading', { name: 'This phone cannot open secure messages' }).waitFor()
    await old.context().close()
    const blocked = await w.page()
    await blocked.addInitScript(() => {
      const refuse = () => {
        throw new DOMException('blocked', 'SecurityError')
      }
      for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
        Object.defineProperty(window, name, { get: refuse })
    })
    await enter(blocked, link, maria)
    await blocked.context().close()
  })

  it('says that it is stuck where a screen cannot be drawn, and goes on when it can', async () => {
    const maria = await anyPatient()
    const page = await w.page()
    await page.addInitScript(() => {
      class Broken extends Intl.DateTimeFormat {
        constructor(...[locale, options]: ConstructorParameters<typeof Intl.DateTimeFormat>) {
          if (options?.weekday && options.hour && !('mended' in window))
            throw new RangeError('no such language: secret')
          super(locale, options)
        }
      }
      Object.assign(Intl, { DateTimeFormat: Broken })
    })
    await page.goto(await w.link(maria))
    await page.getByRole('button', { name: 'Open my message' }).click()
    await page.getByRole('heading', { name: 'This page got stuck' }).waitFor()
    expect(await page.getByRole('link', { name: /^Call / }).count()).to.equal(1)
    await page.screenshot({ path: 'screenshots/stuck.png' })
    expect(w.errors.splice(0)).to.deep.equal(['drawing failed factor-birth_date RangeError'])
    await page.evaluate(() => Object.assign(window, { mended: true }))
    await page.getByRole('button', { name: 'Try again' }).click()
    await answerBirthDate(page, maria.dob)
    await write(page).waitFor({ timeout: 60_000 })
    await page.context().close()
    // Nor where no screen at all can be drawn.
    const bare = await w.page()
    await bare.route('**/api/clinic', async route => {
      const { emergency: _, ...clinic } = await (await route.fetch()).json()
      await route.fulfill({ json: clinic })
    })
    await bare.goto(await w.link(maria))
    await bare.getByRole('heading', { name: 'This page got stuck' }).waitFor()
    await eventually(() => w.errors.length === 2, { what: 'both faults' })
    expect(w.errors.splice(0)).to.deep.equal(['drawing failed landing TypeError', 'drawing failed failed TypeError'])
    expect(await bare.getByRole('link', { name: /^Call / }).count()).to.equal(1)
    expect(await bare.getByRole('button', { name: 'Try again' }).isVisible()).to.equal(true)
    await bare.context().close()
  })

  it('says that the message service is down, loses nothing, and opens when it is back', async () => {
    const { stack } = await import('../../support/stack.ts')
    const { synapse } = await stack()
    const maria = await anyPatient()
    await w.lee.send(maria.room, 'Written before the outage.')
    const page = await w.page()
    await page.goto(await w.link(maria))
    await page.getByRole('button', { name: 'Open my message' }).click()
    await page.getByLabel('Month').waitFor()
    await synapse.kill()
    await answerBirthDate(page, maria.dob)
    await page
      .getByText(/is down|went wrong/)
      .first()
      .waitFor({ timeout: 60_000 })
    await synapse.start()
    const again = page.getByRole('button', { name: /Try again|Continue|Open my message/ }).first()
    await again.click()
    await message(page, 'Written before the outage.').or(page.getByLabel('Month')).first().waitFor({ timeout: 60_000 })
    if (await page.getByLabel('Month').isVisible()) await answerBirthDate(page, maria.dob)
    await message(page, 'Written before the outage.').waitFor({ timeout: 60_000 })
    await page.context().close()
  })
})

/** An encrypted event for which nobody has the key. */
const sendUnreadable = async (w: BrowserWorld, room: string): Promise<string> => {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/t${Date.now()}`
  const answer = await fetch(w.lee.client.getHomeserverUrl() + path, {
    method: 'PUT',
    headers: { authorization: `Bearer ${w.lee.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      algorithm: 'm.megolm.v1.aes-sha2',
      ciphertext: Buffer.concat([Buffer.from([3, 8, 0, 18, 4]), Buffer.alloc(120)])
        .toString('base64')
        .replace(/=+$/, ''),
      session_id: Buffer.alloc(32, 7).toString('base64').replace(/=+$/, ''),
      sender_key: Buffer.alloc(32, 9).toString('base64').replace(/=+$/, ''),
      device_id: w.lee.deviceId,
    }),
  })
  return ((await answer.json()) as { event_id: string }).event_id
}
