import type { Log } from '../../../core/log.ts'
import type { Secret } from '../../../core/secret.ts'
import { sign } from '../twilio.ts'

export type SignedPost = (url: string, form: Record<string, string>) => Promise<string | undefined>

/** Posts forms as Twilio does, signed, trying again for a while when nobody listens. The answer's words, or undefined where there was none. */
export const signedPost =
  (o: { authToken: Secret; log: Log; stopping: AbortSignal; wait(ms: number): Promise<void> }): SignedPost =>
  async (url, form) => {
    for (let attempt = 0; attempt < 6 && !o.stopping.aborted; attempt++) {
      if (attempt > 0) await o.wait(250 * 2 ** attempt)
      try {
        const answer = await fetch(url, {
          method: 'POST',
          body: new URLSearchParams(form),
          headers: { 'x-twilio-signature': sign(o.authToken, url, form), 'user-agent': 'TwilioProxy/1.1 (local)' },
          signal: AbortSignal.any([o.stopping, AbortSignal.timeout(15_000)]),
        })
        const text = await answer.text()
        if (answer.status < 500) {
          if (answer.ok) return text
          o.log.warn({ status: answer.status }, 'a report of the local SMS server was refused')
          return undefined
        }
      } catch (err) {
        if (attempt === 5) o.log.warn({ code: (err as Error).name }, 'nobody took a report of the local SMS server')
      }
    }
    return undefined
  }

/** Waits that end at once when the server stops. */
export const waiter =
  (stopping: AbortSignal) =>
  (ms: number): Promise<void> =>
    new Promise(done => {
      const end = () => {
        clearTimeout(timer)
        stopping.removeEventListener('abort', end)
        done()
      }
      const timer = setTimeout(end, ms)
      stopping.addEventListener('abort', end)
      if (stopping.aborted) end()
    })
