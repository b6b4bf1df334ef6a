import { setTimeout as pause } from 'node:timers/promises'
import type { CDPSession, Page } from 'playwright-core'
import { browser, closeBrowser } from '../../test/support/browser/chromium.ts'
import { birthDay } from '../../test/support/worlds/wardroom.ts'
import { afterRun } from '../after-run.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'
import { scaled } from '../scale.ts'
import { type Ward, type WardPatient, ward } from '../ward.ts'

const messages = 50
const visits = scaled(5)

/** What a telephone far out has, and what it is: 1.6 Mbit/s both ways, 150 ms, a quarter of this machine's speed. */
const slowTelephone = async (cdp: CDPSession): Promise<void> => {
  const bytesPerSecond = 1_600_000 / 8
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 150,
    downloadThroughput: bytesPerSecond,
    uploadThroughput: bytesPerSecond,
  })
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 })
}

const toTheForm = async (page: Page, link: string): Promise<void> => {
  await page.goto(link)
  await page.getByRole('button', { name: 'Open my message' }).click()
  await page.getByLabel('Month').fill(birthDay.month)
  await page.getByLabel('Day').fill(birthDay.day)
  await page.getByLabel('Year').fill(birthDay.year)
}

/** One visit in a new browser profile: from the answer that confirms the identity to the first message that can be read, in ms. */
const visit = async (w: Ward, patient: WardPatient, how: { slow: boolean; onTheForm: number }): Promise<number> => {
  const context = await (await browser()).newContext({ locale: 'en-US', viewport: { width: 390, height: 844 } })
  try {
    const page = await context.newPage()
    if (how.slow) await slowTelephone(await context.newCDPSession(page))
    await toTheForm(page, await w.link(patient))
    await pause(how.onTheForm)
    const confirmed = page.waitForResponse(answer => answer.url().endsWith('/api/link/verify'))
    await page.getByRole('button', { name: 'Continue' }).click()
    await confirmed
    const from = performance.now()
    await page
      .getByText(/^Message \d+ of/)
      .first()
      .waitFor({ timeout: 90_000 })
    return performance.now() - from
  } finally {
    await context.close()
  }
}

/** How long a patient waits who has proved who they are, in Chromium, with fifty messages in the room. */
export const firstDecrypted: Bench = {
  area: 'web',
  figures: ['first_decrypted_ms', 'first_decrypted_slow_ms'],
  run: async say => {
    const w = await ward(say)
    afterRun(closeBrowser)
    const patient = (await w.patients(1))[0] as WardPatient
    say(`web: ${messages} messages, then ${visits} visits, and ${visits} on a slow telephone`)
    for (let n = 1; n <= messages; n++) await w.lee.send(patient.room, `Message ${n} of ${messages}`)
    const times = async (slow: boolean, onTheForm: number): Promise<number[]> => {
      const all: number[] = []
      for (let n = 0; n < visits; n++) all.push(await visit(w, patient, { slow, onTheForm }))
      return all
    }
    const fast = await times(false, 5000)
    const slow = await times(true, 10_000)
    const note = (all: number[], seconds: number) =>
      `median of ${all.length} visits (${all.map(t => Math.round(t)).join(', ')}), each after ${seconds} s on the identity form`
    return [
      figure({
        name: 'web.first_decrypted_ms',
        value: median(fast),
        unit: 'ms',
        goal: { atMost: 1500 },
        note: note(fast, 5),
      }),
      figure({
        name: 'web.first_decrypted_slow_ms',
        value: median(slow),
        unit: 'ms',
        baseline: median(fast),
        goal: { atMost: 6000 },
        note: note(slow, 10),
      }),
    ]
  },
}
