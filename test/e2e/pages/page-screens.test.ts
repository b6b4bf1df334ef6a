import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { BrowserContext, Page } from 'playwright-core'
import { axeFindings } from '../../support/browser/axe.ts'
import { browser, closeBrowser } from '../../support/browser/chromium.ts'
import { gallery, showScreen } from '../../support/browser/gallery.ts'

const long = process.env.WARDROOM_LONG === '1'
const widths = long ? [320, 390, 768, 1280] : [320, 1280]
const folder = fileURLToPath(new URL('../../../screenshots/', import.meta.url))
const dark = [
  'landing',
  'birth-date-wrong',
  'check-ours',
  'check-not-ours',
  'opening',
  'conversation',
  'conversation-trouble',
  'consents',
  'leave',
]
describe('every screen of the patient page', function () {
  this.timeout(180_000)
  let served: Awaited<ReturnType<typeof gallery>>
  let names: string[] = []
  const errors: string[] = []

  const open = async (
    options: Parameters<Awaited<ReturnType<typeof browser>>['newContext']>[0],
  ): Promise<[BrowserContext, Page]> => {
    const context = await (await browser()).newContext({ locale: 'en-US', timezoneId: 'America/New_York', ...options })
    const page = await context.newPage()
    page.on('pageerror', error => errors.push(error.message))
    page.on(
      'console',
      message => message.type() === 'error' && !message.text().includes('404') && errors.push(message.text()),
    )
    await page.goto(served.url)
    names =
      (await (
        await page.waitForFunction(() => (window as unknown as { galleryNames?: string[] }).galleryNames ?? null)
      ).jsonValue()) ?? []
    return [context, page]
  }

  before(async () => {
    served = await gallery()
    await mkdir(folder, { recursive: true })
  })
  after(async () => {
    await closeBrowser()
    await served?.stop()
  })
  afterEach(() => {
    expect(errors.splice(0), 'errors in the browser, broken security policy included').to.deep.equal([])
  })

  for (const colorScheme of ['light', 'dark'] as const)
    it(colorScheme === 'light' ? 'has nothing that axe finds' : 'has enough contrast in the dark', async () => {
      const [context, page] = await open({ viewport: { width: 320, height: 700 }, colorScheme, bypassCSP: true })
      const found: string[] = []
      for (const name of names.filter(one => colorScheme === 'light' || long || dark.includes(one))) {
        await showScreen(page, served.url, name)
        found.push(...(await axeFindings(page, colorScheme)).map(finding => `${name}: ${finding}`))
      }
      await context.close()
      expect(names.length).to.be.greaterThan(40)
      expect(found).to.deep.equal([])
    })

  for (const width of widths)
    it(`fits ${width} px: nothing to scroll sideways, every target 44 px high, text of 13 px and more`, async () => {
      const [context, page] = await open({ viewport: { width, height: 800 }, reducedMotion: 'reduce' })
      const wrong: string[] = []
      for (const name of names) {
        await showScreen(page, served.url, name)
        await page.screenshot({ path: `${folder}${name}-${width}.png`, fullPage: true })
        const faults = await page.evaluate(() => {
          const seen = (el: Element) =>
            el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0
          const low = [...document.querySelectorAll('button, a.button, input:not([hidden]), textarea, summary')].filter(
            el => seen(el) && el.getBoundingClientRect().height < 43.5,
          )
          const small = [...document.querySelectorAll('p, li, span, button, label')].filter(
            el =>
              seen(el) && (el.textContent ?? '').trim() !== '' && Number.parseFloat(getComputedStyle(el).fontSize) < 13,
          )
          const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth
          const label = (el: Element) => `${el.tagName}.${el.className} "${(el.textContent ?? '').slice(0, 20)}"`
          return [
            ...low.map(el => `low ${label(el)}`),
            ...small.map(el => `small ${label(el)}`),
            ...(wide ? ['scrolls sideways'] : []),
          ]
        })
        wrong.push(...faults.map(fault => `${name}: ${fault}`))
      }
      await context.close()
      expect(wrong).to.deep.equal([])
    })

  it('stays usable at 200 % zoom of a small laptop (640 × 360): the composer and the newest message can be reached', async () => {
    const [context, page] = await open({ viewport: { width: 640, height: 360 } })
    await showScreen(page, served.url, 'conversation')
    await page.getByLabel('Write your message').fill('Hello')
    await page.getByRole('button', { name: 'Send' }).scrollIntoViewIfNeeded()
    expect(await page.getByRole('button', { name: 'Send' }).isVisible()).to.equal(true)
    await page.getByText('All good. Do you still').scrollIntoViewIfNeeded()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= 640)).to.equal(true)
    await context.close()
  })

  it('can be used with the keyboard alone, with a focus that is seen', async () => {
    const [context, page] = await open({ viewport: { width: 390, height: 844 } })
    await showScreen(page, served.url, 'conversation')
    const reached = new Set<string>()
    for (let press = 0; press < 40; press++) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const el = document.activeElement as HTMLElement
        const outline = getComputedStyle(el).outlineStyle
        return {
          name: (el.getAttribute('aria-label') ?? el.textContent ?? '').trim() || el.id,
          outlined: outline !== 'none' || el.tagName === 'AUDIO',
          body: el === document.body,
        }
      })
      if (at.body) continue
      expect(at.outlined, `focus is seen on ${at.name}`).to.equal(true)
      reached.add(at.name)
    }
    for (const name of ['Menu', 'Messages', 'write', 'Send', 'Add a photo', 'Add a file', 'Yes'])
      expect([...reached]).to.include(name)
    await context.close()
  })
})
