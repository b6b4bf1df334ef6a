import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { startWardroom } from '../cli/start/start.ts'
import { loadConfig } from '../config/load.ts'
import { browser, closeBrowser } from '../test/support/browser/chromium.ts'
import { type Clinician, logIn, openClinician } from '../test/support/clinician.ts'
import { eventually } from '../test/support/eventually.ts'
import { photo } from './photo.ts'
import { type Step, storyteller } from './steps.ts'

export type DemoOptions = { json: boolean; screenshots: string }
export type DemoResult = { ok: boolean; steps: Step[]; error?: string }

const phone = '+12025550147'
const words = 'Good morning, Mrs Alvarez. Could you send me a picture of the spot?'
const answer = 'Here it is. It does not hurt.'

/** Asks the bot in the encrypted chat and gives its answer, which comes in the command's thread. */
const ask = async (who: Clinician, chat: string, bot: string, command: string): Promise<string> => {
  const asked = await who.send(chat, command)
  const reply = await who.waitFor(s => s.roomId === chat && s.sender === bot && s.thread === asked && s.body !== '', {
    what: `the answer to ${command.split(' ').slice(0, 2).join(' ')}`,
  })
  return reply.body
}

const textOnTheTelephone = (local: string) =>
  eventually(
    async () => {
      const texts = (await (await fetch(`${local}/local/messages?to=${encodeURIComponent(phone)}`)).json()) as {
        body: string
        status: string
      }[]
      return texts.map(t => /https?:\/\/\S+\/l\/\w+/.exec(t.body)?.[0]).find(Boolean)
    },
    { timeout: 20_000, what: 'the text message' },
  )

const shoot = (folder: string) => {
  mkdirSync(folder, { recursive: true })
  let n = 0
  return async (page: Page, name: string): Promise<void> => {
    await page.screenshot({ path: join(folder, `${String(++n).padStart(2, '0')}-${name}.png`) })
  }
}

type Story = ReturnType<typeof storyteller>

const play = async (
  { step, say }: Story,
  dataDir: string,
  options: DemoOptions,
  undo: (() => Promise<unknown>)[],
): Promise<void> => {
  const starting = startWardroom({ ...loadConfig({ env: {} }), dataDir }, line => say(`    ${line}`))
  undo.push(starting.stop)
  const { config, accounts } = await step(
    'Wardroom starts: PostgreSQL, Synapse, four services',
    () => starting.wardroom,
  )
  const { userId, password } = accounts.drlee!
  const bot = `@wardroom:${config.homeserver.serverName}`
  const local = `http://127.0.0.1:${config.listen.local.port}`
  const picture = shoot(options.screenshots)

  const lee = await step('Dr Lee signs in with a Matrix client that excludes unsigned devices', async () =>
    openClinician(await logIn(config.homeserver.url, userId, password), { displayName: 'Dr Lee' }),
  )
  undo.push(lee.stop)
  const chat = await step(
    '@wardroom opens an encrypted chat',
    async () => (await lee.waitFor(s => s.sender === bot && s.body.includes('!help'), { timeout: 30_000 })).roomId,
  )
  const code = await step('!patient add: accepted', async () => {
    const said = await ask(lee, chat, bot, `!patient add ${phone} dob 1950-03-07 name "Maria Alvarez"`)
    return /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(said)?.[0] ?? ''
  })
  await step('!consent record', () => ask(lee, chat, bot, `!consent record ${code} care verbal`))
  const room = await step(
    'The care room is ready, with the card',
    async () =>
      (
        await lee.waitFor(s => s.roomId !== chat && s.body.startsWith('🪪') && s.body.includes(code), {
          timeout: 30_000,
        })
      ).roomId,
  )
  const asked = await step('Dr Lee writes, end-to-end encrypted', () => lee.send(room, words))
  const link = await step('The patient’s telephone has the text, with a link and nothing else', () =>
    textOnTheTelephone(local),
  )

  const context = await (await browser()).newContext({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    locale: 'en-US',
    isMobile: true,
    hasTouch: true,
  })
  undo.push(closeBrowser)
  const page = await context.newPage()
  await page.goto(`${local}/handset/${encodeURIComponent(phone)}`)
  await page.getByText('Riverside Clinic').first().waitFor()
  await picture(page, 'text')
  await step('She opens the link: the page shows', async () => {
    await page.goto(link)
    await page.getByRole('button', { name: 'Open my message' }).waitFor()
  })
  await picture(page, 'landing')
  await step('She taps', async () => {
    await page.getByRole('button', { name: 'Open my message' }).tap()
    await page.getByLabel('Year').waitFor()
  })
  await page.getByLabel('Month').fill('3')
  await page.getByLabel('Day').fill('7')
  await page.getByLabel('Year').fill('1950')
  await picture(page, 'birth-date')
  await step('Birth date confirmed; decrypted in her browser', async () => {
    await page.getByRole('button', { name: 'Continue' }).tap()
    await page.getByText(words).waitFor({ timeout: 30_000 })
  })
  await step('She may write: her device is signed, the room known', () =>
    page.getByLabel('Write your message').waitFor({ timeout: 30_000 }),
  )
  await picture(page, 'conversation')
  await step('Dr Lee sees that it was read', () =>
    eventually(
      () =>
        lee.client
          .getRoom(room)
          ?.getUsersReadUpTo(lee.client.getRoom(room)!.findEventById(asked)!)
          .some(u => u.startsWith('@p_')),
      { timeout: 20_000, what: 'the read receipt' },
    ),
  )
  const image = await step('She sends a photo; Dr Lee’s client decrypts it', async () => {
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'spot.png', mimeType: 'image/png', buffer: photo() })
    const sends = page.getByRole('button', { name: /^Send/ })
    await sends.first().waitFor()
    await picture(page, 'photo')
    await sends.first().tap()
    const seen = await lee.waitFor(s => s.roomId === room && s.content.msgtype === 'm.image', {
      timeout: 30_000,
      what: 'the photo',
    })
    return { seen, bytes: (await lee.download(seen)).length }
  })
  const reply = await step('She answers; Dr Lee reads', async () => {
    await page.getByLabel('Write your message').fill(answer)
    await page.getByRole('button', { name: /^Send/ }).first().tap()
    return lee.waitFor(s => s.roomId === room && s.body === answer, { timeout: 30_000, what: 'the answer' })
  })
  await step('Both are from a signed device: no warning shield', async () => {
    for (const seen of [image.seen, reply]) {
      const shield = await lee.shield(seen)
      if (shield !== 'none') throw new Error(`the answer has a ${shield} shield`)
    }
  })
  await picture(page, 'answered')
  const marks = await step('The room shows how far the message came', () =>
    eventually(
      () => {
        const keys = lee
          .seen(room)
          .filter(s => s.relatesTo === asked && s.reaction)
          .map(s => s.reaction)
        return keys.includes('👀') && keys.includes('🔓') ? keys : undefined
      },
      { timeout: 20_000, what: 'the marks' },
    ),
  )
  say(`    marks on the message: ${marks.join(' ')}; photo of ${image.bytes} bytes`)
}

/** Plays the story against a fresh stack of its own, which is removed afterwards. Never throws: a failure is in the result. */
export const runDemo = async (options: DemoOptions): Promise<DemoResult> => {
  const story = storyteller(options.json)
  const dataDir = mkdtempSync(join(tmpdir(), 'wardroom-demo-'))
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(dataDir, { recursive: true, force: true })]
  try {
    await play(story, dataDir, options, undo)
    story.say(`Screenshots: ${resolve(options.screenshots)}`)
    return { ok: true, steps: story.steps }
  } catch (error) {
    const sentence = (error as Error).message
    story.say(`The story stopped: ${sentence}`)
    return { ok: false, steps: story.steps, error: sentence }
  } finally {
    for (const step of undo.reverse()) await step()
  }
}
