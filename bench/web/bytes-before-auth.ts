import { browser, closeBrowser } from '../../test/support/browser/chromium.ts'
import { afterRun } from '../after-run.ts'
import type { Bench } from '../bench.ts'
import { figure } from '../figure.ts'
import { type WardPatient, ward } from '../ward.ts'

type Transfer = { wire: number; unpacked: number; over: boolean }

/** What a telephone loads for everything that is seen before the identity is confirmed; the crypto library, which comes while the person types, is not part of it. */
export const bytesBeforeAuth: Bench = {
  area: 'web',
  figures: ['bytes_before_auth'],
  run: async say => {
    const w = await ward(say)
    afterRun(closeBrowser)
    const patient = (await w.patients(1))[0] as WardPatient
    const context = await (await browser()).newContext({ locale: 'en-US', viewport: { width: 390, height: 844 } })
    try {
      const page = await context.newPage()
      const cdp = await context.newCDPSession(page)
      const transfers = new Map<string, Transfer>()
      let tapped = false
      cdp.on('Network.requestWillBeSent', ({ requestId, request }) => {
        const preloaded = tapped && new URL(request.url).pathname.startsWith('/assets/')
        if (!preloaded) transfers.set(requestId, { wire: 0, unpacked: 0, over: false })
      })
      cdp.on('Network.dataReceived', ({ requestId, dataLength }) => {
        const transfer = transfers.get(requestId)
        if (transfer) transfer.unpacked += dataLength
      })
      cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        const transfer = transfers.get(requestId)
        if (transfer) Object.assign(transfer, { wire: encodedDataLength, over: true })
      })
      await cdp.send('Network.enable')
      await page.goto(await w.link(patient), { waitUntil: 'networkidle' })
      tapped = true
      await page.getByRole('button', { name: 'Open my message' }).click()
      await page.getByLabel('Year').waitFor()
      const all = [...transfers.values()].filter(t => t.over)
      const sum = (of: (t: Transfer) => number) => all.reduce((total, t) => total + of(t), 0) / 1000
      return [
        figure({
          name: 'web.bytes_before_auth',
          value: sum(t => t.wire),
          unit: 'kB',
          baseline: sum(t => t.unpacked),
          goal: { atMost: 30 },
          note: `${all.length} answers with their headers, brotli; baseline: the same unpacked`,
        }),
      ]
    } finally {
      await context.close()
    }
  },
}
