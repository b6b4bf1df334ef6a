import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { minutes, seconds } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { answerPage } from '../../../core/oncall/pages/engine.ts'
import { requestPage } from '../../../core/oncall/pages/request-page.ts'
import { transact } from '../../../core/store/tx.ts'
import { axeFindings } from '../../support/browser/axe.ts'
import { closeBrowser } from '../../support/browser/chromium.ts'
import { layoutFaults } from '../../support/browser/layout.ts'
import { settled, titled } from '../../support/browser/screens.ts'
import { type AdminWorld, adminWorld } from '../../support/worlds/admin.ts'

const long = process.env.WARDROOM_LONG === '1'
const widths = [320, 390, 768, 1280].flatMap(width => [[width, 'light'] as const, [width, 'dark'] as const])
const screens = ['On call now', 'Schedule', 'Open pages', 'Response times'] as const

const go = async (page: Page, name: (typeof screens)[number]) => {
  await page.evaluate(to => {
    location.hash = to
  }, { 'On call now': 'on-call', Schedule: 'schedule', 'Open pages': 'pages', 'Response times': 'responses' }[name])
  await titled(page, name).waitFor()
  await settled(page)
}
/** Each screen as it may stand, one after the other. */
const throughAll = async (page: Page, look: (where: string) => Promise<void>) => {
  for (const name of screens) {
    await go(page, name)
    if (name === 'Schedule') {
      for (const span of ['Week', 'Month']) {
        await page.getByLabel(span, { exact: true }).check()
        await settled(page)
        for (const table of await page.locator('summary').all()) await table.click()
        await look(span)
      }
      continue
    }
    for (const table of await page.locator('summary').all()) await table.click()
    await look(name)
  }
}

describe('the on-call views in a browser', function () {
  this.timeout(120_000)
  let w: AdminWorld
  let sue: UserId
  let bob: UserId
  const refs: string[] = []

  const page = async (priority: 'routine' | 'urgent' | 'stat') => {
    const made = await transact(w.db.store, tx =>
      requestPage(tx, clinicDuty, {
        target: { kind: 'role', role: 'cardiology' },
        priority,
        sender: sue,
        actor: { kind: 'user', id: sue },
        content: { text: 'Maria Alvarez has no pulse', from: sue, why: [] },
        what: `matter ${refs.length}`,
      }),
    )
    if (isRefusal(made)) throw new Error(made.sentence)
    refs.push(made.ref)
    return made
  }
  const accept = (id: string, by: UserId) =>
    transact(w.db.store, tx => answerPage(tx, clinicDuty, id, { kind: 'accept', by, way: 'command' }))
  const set = async (who: UserId, text: string) => {
    const shown = await w.ask(who, text)
    const done = shown.body.includes('Nothing is changed yet') ? await w.ask(who, '!confirm') : shown
    expect(done.mark, `${text}: ${done.body}`).to.equal('✅')
  }

  before(async () => {
    w = await adminWorld({ first: 'On call now' })
    // Tuesday, 12:00 in New York; its clocks go back on the Sunday of that week.
    w.db.store.clock.set(Date.UTC(2026, 9, 27, 16))
    sue = await w.person('sue', 'supervisor')
    bob = await w.person('bob', 'clinician')
    for (const name of ['cyd', 'eve', 'fay']) await w.person(name, 'clinician')
    await set(bob, '!oncall me name "Bob Miller"')
    await set(sue, '!oncall role add cardiology "Cardiology on call" fallback @sue zone America/New_York')
    await set(sue, '!oncall role add surgery "Surgery on call" fallback @bob zone Europe/Berlin')
    await set(sue, '!oncall set cardiology days people @bob @cyd every 1 day start 2026-10-26 08:00')
    await set(
      sue,
      '!oncall set cardiology nights people @eve @fay every 1 day start 2026-10-26 19:00 only "mon-fri 19:00-07:00"',
    )
    await set(sue, '!oncall set surgery all people @fay every week start 2026-10-26 08:00 only "mon-fri 00:00-24:00"')
    await set(sue, '!oncall override cardiology replace @eve instead @bob from 2026-10-30 10:00 to 2026-10-30 16:00')
    await set(sue, '!oncall absent @cyd from 2026-11-01 00:00 to 2026-11-02 00:00')
    for (const [i, priority] of (['stat', 'urgent', 'routine', 'stat', 'urgent'] as const).entries()) {
      const { id } = await page(priority)
      w.db.store.clock.advance(seconds(20 * (i + 1)))
      if (i !== 1) await accept(id, bob)
    }
  })
  after(async () => {
    await closeBrowser()
    await w?.stop()
  })
  afterEach(() => {
    expect(w.errors.splice(0), 'errors in the browser, broken security policy included').to.deep.equal([])
    expect(w.log.problems()).to.deep.equal([])
  })

  it('open on who is on now: people, until when, who is next, the fallback, and roles that nobody has', async () => {
    const p = await w.signedIn(sue)
    await settled(p)
    expect(await p.getByRole('navigation').allTextContents()).to.deep.equal([screens.join('')])
    const row = p.getByRole('row').filter({ hasText: 'Surgery on call' })
    expect(await row.textContent())
      .to.include('fay')
      .and.include('Sat 31 Oct, 00:00 (Europe/Berlin)')
      .and.include('Bob Miller Nobody on')
    await p.getByText('Somebody is on for every role.').waitFor()
    await p.getByRole('button', { name: 'Schedule of Surgery on call' }).click()
    await titled(p, 'Schedule').waitFor()
    await p.getByRole('heading', { name: /^Surgery on call, 26 October 2026/ }).waitFor()
    await p.context().close()
  })

  it('show a week and a month in the role’s zone, with gaps, changes by hand, absences and a day of 25 hours; with the keyboard alone', async () => {
    const p = await w.signedIn(sue)
    await go(p, 'Schedule')
    const day = (name: string) => p.locator('.week-day').filter({ hasText: name })
    expect(await day('Friday 30 October').locator('li').allTextContents()).to.deep.include(
      '10:00–16:00eve  Changed by hand',
    )
    const sunday = await day('Sunday 1 November').textContent()
    expect(sunday)
      .to.include('this day has 25 hours')
      .and.include('00:00 GMT-4–08:00 GMT-5')
      .and.include('sue')
      .and.include('Nobody on')
    expect(sunday).to.include('Away: cyd')
    expect(await p.locator('.block-gap').count()).to.be.greaterThan(0)
    await p.getByRole('cell', { name: 'Sun 1 Nov, 00:00' }).waitFor()
    await p.getByLabel('Week', { exact: true }).focus()
    await p.keyboard.press('ArrowRight')
    await p.getByRole('heading', { name: 'Cardiology on call, October 2026' }).waitFor()
    await settled(p)
    const later = p.getByRole('button', { name: 'Later' })
    await later.focus()
    await p.keyboard.press('Enter')
    await p.getByRole('heading', { name: 'Cardiology on call, November 2026' }).waitFor()
    expect(await later.evaluate(el => el === document.activeElement)).to.equal(true)
    expect(await p.locator('.month td:not(.no-day)').count()).to.equal(30)
    await p.getByLabel('Role').selectOption('surgery')
    await p.getByRole('heading', { name: 'Surgery on call, November 2026' }).waitFor()
    await settled(p)
    expect(await p.locator('.month .gap').count()).to.be.greaterThan(5)
    await p.emulateMedia({ media: 'print' })
    expect(await p.locator('.side').isVisible()).to.equal(false)
    expect(await p.locator('.month').isVisible()).to.equal(true)
    await p.context().close()
  })

  it('show open pages as they change, without a reload and without a word of theirs, and say so when they are not up to date', async () => {
    const p = await w.page()
    await p.clock.install()
    await p.goto(await w.link(sue))
    await p.getByRole('button', { name: 'Sign in on this browser' }).click()
    await titled(p, 'On call now').waitFor()
    await go(p, 'Open pages')
    const card = (ref: string | undefined) => p.getByRole('listitem').filter({ hasText: ref ?? '' })
    const calling = await card(refs[1]).textContent()
    expect(calling)
      .to.include('Urgent')
      .and.include('Calling')
      .and.include('cyd')
      .and.match(/Next.* at \d\d:\d\d:\d\d/)
    await p.getByText('5 pages are open, 1 taken by nobody yet.').waitFor()
    const { id, ref } = await page('stat')
    await p.clock.fastForward(seconds(5))
    await card(ref).getByText('Calling').waitFor()
    await accept(id, bob)
    await p.clock.fastForward(seconds(5))
    await card(ref).getByText('Taken', { exact: true }).waitFor()
    expect(await p.locator('main').textContent()).to.not.match(/Maria|Alvarez|pulse|matter/)
    await p.route('**/api/view/**', route => route.abort())
    await p.clock.fastForward(seconds(5))
    await p.getByRole('alert').getByText('This is how it was').waitFor()
    expect(await card(ref).count()).to.equal(1)
    await p.unroute('**/api/view/**')
    await p.clock.fastForward(seconds(5))
    await p.getByRole('alert').waitFor({ state: 'detached' })
    await p.clock.fastForward(minutes(16))
    await titled(p, 'You are signed out').waitFor()
    expect(await p.getByText(ref).count()).to.equal(0)
    await p.context().close()
  })

  it('draw response times with their figures beside', async () => {
    const p = await w.signedIn(sue)
    await go(p, 'Response times')
    const bar = p.locator('.bars li').filter({ hasText: 'Cardiology on call, Routine' })
    expect(await bar.textContent()).to.match(/1 page50.% in 1 min( \d\d s)? · 90.% in/)
    await p.getByLabel('30 days').check()
    await settled(p)
    expect(await p.locator('.bars li').count()).to.equal(3)
    await p.context().close()
  })

  for (const [width, scheme] of long
    ? widths
    : ([
        [1280, 'light'],
        [320, 'dark'],
      ] as const))
    it(`have nothing that axe finds, in the ${scheme}, and fit ${width} px`, async () => {
      const options = {
        viewport: { width, height: 800 },
        colorScheme: scheme,
        bypassCSP: true,
        reducedMotion: 'reduce' as const,
      }
      const p = await w.signedIn(sue, options)
      const found: string[] = []
      await throughAll(p, async where => {
        const all = [...(await layoutFaults(p)), ...(await axeFindings(p, scheme))]
        found.push(...all.map(fault => `${where}: ${fault}`))
      })
      await p.context().close()
      expect(found).to.deep.equal([])
    })
})
