import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { minutes, seconds } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { raise } from '../../../core/store/alerts/alerts.ts'
import { logSize } from '../../../core/store/audit/log/entries.ts'
import { addSink, setSinkState } from '../../../core/store/sinks/sinks.ts'
import { revokeRole } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { axeFindings } from '../../support/browser/axe.ts'
import { closeBrowser } from '../../support/browser/chromium.ts'
import { layoutFaults } from '../../support/browser/layout.ts'
import { settled, titled } from '../../support/browser/screens.ts'
import { type AdminWorld, adminWorld, busyMonth } from '../../support/worlds/admin.ts'

const long = process.env.WARDROOM_LONG === '1'
const views = ['timeline', 'reports', 'alerts', 'sinks', 'checkpoint'] as const

const go = async (page: Page, view: string) => {
  await page.evaluate(to => {
    location.hash = to
  }, view)
  await page.waitForFunction(to => document.querySelector('h1')?.textContent?.toLowerCase() === to, view)
  await settled(page)
}
const axe = async (page: Page, scheme: 'light' | 'dark', where: string): Promise<string[]> =>
  (await axeFindings(page, scheme)).map(finding => `${where}: ${finding}`)
describe('the administrators’ page in a browser', function () {
  this.timeout(120_000)
  let w: AdminWorld
  let cleo: UserId
  let ann: UserId
  let codes: string[]

  before(async () => {
    w = await adminWorld()
    ;({ cleo, ann, codes } = await busyMonth(w))
    const { store } = w.db
    const by = { kind: 'user' as const, id: ann }
    await transact(store, async tx => {
      const sink = { type: 'jsonl', target: '/var/log/wardroom/audit.jsonl', options: {}, shown: {}, identify: false }
      await addSink(tx, { ...sink, name: 'archive' }, by)
      await addSink(tx, { ...sink, name: 'siem', type: 'syslog', target: 'siem.clinic.example:6514' }, by)
      await setSinkState(tx, 'siem', 'paused', by)
      // As two turns leave it whose receiver could not be reached.
      const failed = { tries: 2, last_error: 'refused', last_error_at: tx.now }
      await tx.sql('audit_sink').where({ name: 'archive' }).update(failed)
      const about = { user: '@tom:clinic.example', role: 'admin', by: ann, second: 'nobody' }
      await raise(tx, { rule: 'new-admin', key: 'tom', about, count: 1, first: 3, last: 3, at: tx.now })
      await raise(tx, {
        rule: 'stale-checkpoint',
        key: 'queue',
        about: { minutes: '7' },
        count: 1,
        first: null,
        last: null,
        at: tx.now,
      })
    })
    await w.settled()
  })
  after(async () => {
    await closeBrowser()
    await w?.stop()
  })
  afterEach(() => {
    expect(w.errors.splice(0), 'errors in the browser, broken security policy included').to.deep.equal([])
    expect(w.log.problems()).to.deep.equal([])
  })

  it('lets an officer in by one tap on a link that then leads nowhere', async () => {
    const link = await w.link(cleo)
    const page = await w.page({ viewport: { width: 390, height: 844 } })
    await page.goto(link)
    await page.getByRole('button', { name: 'Sign in on this browser' }).click()
    await titled(page, 'Timeline').waitFor()
    expect(page.url()).to.equal(`${w.url}/#timeline`)
    expect(await page.evaluate(() => document.activeElement?.tagName)).to.equal('H1')
    await page.reload()
    await titled(page, 'Timeline').waitFor()
    const other = await w.page()
    await other.goto(link)
    await other.getByRole('button', { name: 'Sign in on this browser' }).click()
    await titled(other, 'This link does not work any more').waitFor()
    expect(await other.getByText('!admin link').isVisible()).to.equal(true)
    await other.context().close()
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await titled(page, 'You are signed out').waitFor()
    await page.reload()
    await titled(page, 'Open your link').waitFor()
    await page.context().close()
  })

  it('shows the log and narrows it to one patient, one action, one outcome, one period', async () => {
    const page = await w.signedIn(cleo)
    await settled(page)
    const lines = page.locator('.entry-words')
    const first = await lines.count()
    await page.getByRole('button', { name: 'Earlier entries' }).click()
    await page.waitForFunction(n => document.querySelectorAll('.entry').length > n, first)
    await page.getByRole('button', { name: 'Filters' }).click()
    await page.getByRole('textbox', { name: 'Patient' }).fill(codes[0] ?? '')
    await page.getByLabel('What').selectOption('link.verify')
    await page.getByLabel('Outcome').selectOption('refused')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.entry')].every(e => e.textContent?.includes('Refused')),
    )
    await settled(page)
    const shown = await page.locator('.entry').count()
    const { id } = await w.db.store.db('patient').where({ code: codes[0] }).first('id')
    const { ref } = await w.db.store.db('audit_subject').where({ kind: 'patient', value: id }).first('ref')
    const wanted = { patient_ref: ref, action: 'link.verify', outcome: 'refused' }
    const fit = await w.db.store.db('audit_entry').where(wanted).select('idx')
    expect(shown).to.equal(fit.length).and.to.be.greaterThan(0)
    expect(await page.locator('main').textContent()).to.not.match(/Maria|Alvarez|pt_/)
    expect(page.url()).to.equal(`${w.url}/#timeline`)
    await page.locator('.entry-line').first().click()
    await page.getByText(/^!audit reveal #\d+ reason/).waitFor()
    expect(await page.locator('.entry-more').textContent())
      .to.include(`#${ref.slice(0, 8)}`)
      .and.not.include(ref)
    await page.getByRole('button', { name: 'Remove the filter Outcome: Refused' }).click()
    await page.waitForFunction(n => document.querySelectorAll('.entry').length > n, shown)
    await page.getByRole('button', { name: 'Today' }).click()
    await page.getByText('Nothing in the log fits these filters.').waitFor()
    await page.getByRole('button', { name: 'Clear all' }).click()
    await page.waitForFunction(() => document.querySelectorAll('.entry').length === 50)
    await page.getByRole('button', { name: 'Filters' }).click()
    await page.getByLabel('Who did it').fill('not an id')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByRole('alert').getByText('cannot be understood').waitFor()
    await page.context().close()
  })

  it('shows an administrator no patient, and only the report on commands', async () => {
    const page = await w.signedIn(ann)
    await settled(page)
    expect(await page.locator('.entry-about').count()).to.equal(0)
    await page.getByRole('button', { name: 'Filters' }).click()
    expect(await page.getByRole('textbox', { name: 'Patient' }).count()).to.equal(0)
    await go(page, 'reports')
    expect(await page.getByRole('radio').count()).to.equal(0)
    await page.getByRole('heading', { name: 'Commands, by use' }).waitFor()
    await page.context().close()
  })

  it('draws reports whose figures are those of the log', async () => {
    const page = await w.signedIn(cleo)
    await go(page, 'reports')
    const image = page.getByRole('img', { name: /^Chart: Each day\./ })
    expect(await image.getAttribute('aria-label')).to.match(/Looked at: \d+, Messages: \d+, Changes: \d+\.$/)
    await page.getByLabel('Commands').check()
    await page.getByRole('heading', { name: 'Commands, by use' }).waitFor()
    const given: { object_ref: string; n: number }[] = await w.db.store
      .db('audit_entry')
      .where({ action: 'command.run' })
      .groupBy('object_ref')
      .count({ n: '*' })
      .select('object_ref')
    for (const { object_ref: command, n } of given) {
      const bar = page.locator('.bars li').filter({ hasText: `!${command}` })
      expect(await bar.locator('.bar-figure').textContent(), command).to.equal(String(n))
    }
    await page.getByLabel('Links and texts').check()
    await page.getByRole('heading', { name: 'From link to answer' }).waitFor()
    const funnel = page.locator('.bars').first().locator('li')
    expect(await funnel.first().textContent()).to.match(/^Links made\d+$/)
    await page.getByLabel('Month').selectOption({ index: 8 })
    await page.getByText('Nothing happened in this month.').waitFor()
    await page.context().close()
  })

  it('shows sinks, alerts and the checkpoint as they are', async () => {
    const page = await w.signedIn(cleo)
    await go(page, 'sinks')
    const archive = page.locator('.sinks > li').filter({ hasText: 'archive' })
    expect(await archive.textContent())
      .to.include('/var/log/wardroom/audit.jsonl')
      .and.include('Failing')
    expect(await archive.textContent()).to.match(/0 of \d+ entries.*refused.*2 failed tries/)
    expect(await page.locator('.sinks > li').filter({ hasText: 'siem' }).textContent()).to.include('Paused')
    await go(page, 'alerts')
    const open = page.locator('.alerts').first()
    expect(await open.textContent())
      .to.include('Going on')
      .and.include('Events have waited for 7 minutes')
    expect(await page.locator('.alerts').last().textContent()).to.include('@tom:clinic.example was made admin')
    await w.settled()
    const signedFor = await logSize(w.db.store.db)
    await go(page, 'checkpoint')
    await page.getByText('The signed note').click()
    const [entries, note] = await page.evaluate(() => [
      document.querySelector('.figures dd')?.textContent ?? '',
      document.querySelector('pre')?.textContent ?? '',
    ])
    const size = Number(entries?.replaceAll(',', ''))
    // What was looked at before is in it; this very look comes after.
    expect(size).to.be.within(signedFor, await logSize(w.db.store.db))
    expect(note).to.match(new RegExp(`^clinic\\.example/audit\\n${size}\\n`))
    await page.context().close()
  })

  for (const colorScheme of ['light', 'dark'] as const)
    it(colorScheme === 'light' ? 'has nothing that axe finds' : 'has enough contrast in the dark', async () => {
      const options = {
        viewport: { width: 390, height: 844 },
        colorScheme,
        bypassCSP: true,
        reducedMotion: 'reduce' as const,
      }
      const found: string[] = []
      const page = await w.page(options)
      await page.goto(w.url)
      await titled(page, 'Open your link').waitFor()
      found.push(...(await axe(page, colorScheme, 'how')))
      await page.goto(`${w.url}/sign-in#${'1'.repeat(22)}`)
      await titled(page, 'Sign in').waitFor()
      found.push(...(await axe(page, colorScheme, 'link')))
      await page.getByRole('button', { name: 'Sign in on this browser' }).click()
      await titled(page, 'This link does not work any more').waitFor()
      found.push(...(await axe(page, colorScheme, 'closed')))
      await page.goto(await w.link(cleo))
      await page.getByRole('button', { name: 'Sign in on this browser' }).click()
      await titled(page, 'Timeline').waitFor()
      for (const view of ['alerts', 'sinks', 'checkpoint']) {
        await go(page, view)
        found.push(...(await axe(page, colorScheme, view)))
      }
      await go(page, 'timeline')
      await page.getByRole('button', { name: 'Menu' }).click()
      await page.getByRole('button', { name: 'Filters' }).click()
      await page.getByLabel('Outcome').selectOption('refused')
      await page.getByRole('button', { name: 'Show', exact: true }).click()
      await page.getByRole('button', { name: 'Clear all' }).waitFor()
      await settled(page)
      await page.locator('.entry-line').first().click()
      found.push(...(await axe(page, colorScheme, 'timeline, open')))
      await go(page, 'reports')
      for (const name of ['Links and texts', 'Commands', 'Access']) {
        await page.getByLabel(name).check()
        await settled(page)
        for (const table of await page.locator('summary').all()) await table.click()
        found.push(...(await axe(page, colorScheme, name)))
      }
      await page.context().close()
      expect(found).to.deep.equal([])
    })

  for (const width of long ? [320, 390, 768, 1280] : [320, 1280])
    it(`fits ${width} px: nothing to scroll sideways, every target 44 px high, text of 13 px and more`, async () => {
      const page = await w.signedIn(cleo, { viewport: { width, height: 800 }, reducedMotion: 'reduce' })
      const wrong: string[] = []
      const look = async (where: string) => wrong.push(...(await layoutFaults(page)).map(fault => `${where}: ${fault}`))
      for (const view of views) {
        await go(page, view)
        await look(view)
      }
      await go(page, 'timeline')
      await page.getByRole('button', { name: 'Filters' }).click()
      await page.locator('.entry-line').first().click()
      await look('timeline, open')
      await go(page, 'reports')
      for (const name of ['Links and texts', 'Commands', 'Access']) {
        await page.getByLabel(name).check()
        await settled(page)
        for (const table of await page.locator('summary').all()) await table.click()
        await look(name)
      }
      await page.context().close()
      expect(wrong).to.deep.equal([])
    })

  it('can be used with the keyboard alone, with a focus that is seen', async () => {
    const page = await w.page({ viewport: { width: 1280, height: 900 } })
    await page.goto(await w.link(cleo))
    await titled(page, 'Sign in').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await titled(page, 'Timeline').waitFor()
    await settled(page)
    const reached: string[] = []
    for (let press = 0; press < 20; press++) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const el = document.activeElement as HTMLElement
        return { name: (el.textContent ?? '').trim(), seen: getComputedStyle(el).outlineStyle !== 'none' }
      })
      expect(at.seen, `focus is seen on ${at.name}`).to.equal(true)
      reached.push(at.name)
      if (at.name.startsWith('Filters')) break
    }
    expect(reached).to.include.members(['Refresh', 'Today', 'All'])
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.type('@kim:clinic.example')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Remove the filter Who did it: @kim:clinic.example' }).waitFor()
    await settled(page)
    await page.locator('.entry-line').first().focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('.entry-line').first().getAttribute('aria-expanded')).to.equal('true')
    await page.getByRole('link', { name: 'Checkpoint' }).focus()
    await page.keyboard.press('Enter')
    await titled(page, 'Checkpoint').waitFor()
    expect(await page.evaluate(() => document.activeElement?.textContent)).to.equal('Checkpoint')
    await page.context().close()
  })

  it('warns before the log-off, goes on when asked to, and leaves nothing of the log when nobody answers', async () => {
    const page = await w.page()
    await page.clock.install()
    await page.goto(await w.link(cleo))
    await page.getByRole('button', { name: 'Sign in on this browser' }).click()
    await titled(page, 'Timeline').waitFor()
    await settled(page)
    const pass = async (ms: number) => {
      w.db.store.clock.advance(ms)
      await page.clock.fastForward(ms)
    }
    await pass(minutes(13) + seconds(20))
    await page.getByRole('dialog', { name: 'Are you still there?' }).waitFor()
    expect(await axe(page, 'light', 'warning').catch(() => [])).to.deep.equal([])
    await page.getByRole('button', { name: 'Stay signed in' }).first().click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await pass(minutes(10))
    expect(await titled(page, 'Timeline').isVisible()).to.equal(true)
    await pass(minutes(6))
    await titled(page, 'You are signed out').waitFor()
    expect(await page.locator('.entry').count()).to.equal(0)
    expect(await page.evaluate(() => Object.keys(localStorage).length + Object.keys(sessionStorage).length)).to.equal(0)
    await page.context().close()
  })

  it('says of one view that it cannot be shown, and shows the others', async () => {
    const page = await w.page()
    await page.route('**/api/view/checkpoint', route => route.fulfill({ json: {} }))
    await page.goto(await w.link(cleo))
    await page.getByRole('button', { name: 'Sign in on this browser' }).click()
    await titled(page, 'Timeline').waitFor()
    await page.getByRole('link', { name: 'Checkpoint' }).click()
    await page.getByText('This view could not be shown.').waitFor()
    expect(w.errors.splice(0)).to.deep.equal(['drawing failed checkpoint TypeError'])
    await page.getByRole('link', { name: 'Timeline' }).click()
    await settled(page)
    expect(await page.locator('.entry').count()).to.be.greaterThan(0)
    await page.context().close()
  })

  it('closes within ten seconds when the role is taken away', async () => {
    const eve = await w.person('eve', 'compliance')
    const page = await w.page()
    await page.clock.install()
    await page.goto(await w.link(eve))
    await page.getByRole('button', { name: 'Sign in on this browser' }).click()
    await titled(page, 'Timeline').waitFor()
    await settled(page)
    await transact(w.db.store, tx => revokeRole(tx, { userId: eve, role: 'compliance', by: ann }))
    await page.clock.fastForward(seconds(10))
    await titled(page, 'You are signed out').waitFor()
    expect(await page.getByText('your role was changed').isVisible()).to.equal(true)
    expect(await page.locator('.entry').count()).to.equal(0)
    await page.context().close()
  })
})
