import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { SeededRandom } from '../random.ts'

/** `twice`: every request comes again a little later. `mixed`: reports are acknowledged at once and come late, in any order, twice. */
export type Road = 'plain' | 'twice' | 'mixed'

/** What lies between a provider and our public address: passes requests on to a process that may be dead for a moment, doubles them and mixes up their order. */
export const roughRoad = async (port: number, random: SeededRandom) => {
  let road: Road = 'plain'
  const onTheWay = new Set<Promise<unknown>>()
  const pass = async (url: string, headers: IncomingHttpHeaders, body: string) => {
    for (let tries = 0; ; tries++)
      try {
        const answer = await fetch(`http://127.0.0.1:${port}${url}`, {
          method: 'POST',
          headers: {
            'content-type': String(headers['content-type']),
            'x-twilio-signature': String(headers['x-twilio-signature']),
          },
          body,
          signal: AbortSignal.timeout(5000),
        })
        return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
      } catch {
        if (tries >= 30) return { status: 502, type: null, text: '' }
        await pause(100)
      }
  }
  const later = (ms: number, work: () => Promise<unknown>) => {
    const task: Promise<unknown> = pause(ms)
      .then(work)
      .finally(() => onTheWay.delete(task))
    onTheWay.add(task)
  }
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const part of req) body += String(part)
    const url = req.url ?? '/'
    const again = () => pass(url, req.headers, body)
    if (road === 'mixed' && /^\/(voice\/(status|text)|sms\/status)/.test(url)) {
      later(random.int(300), again)
      later(random.int(300), again)
      return void res.writeHead(204).end()
    }
    const answer = await again()
    res.writeHead(answer.status, answer.type ? { 'content-type': answer.type } : {}).end(answer.text)
    if (road !== 'plain') later(random.int(50), again)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    is: (r: Road) => {
      road = r
    },
    /** Resolves when nothing is on the way any more. */
    quiet: async () => {
      while (onTheWay.size > 0) await Promise.all(onTheWay)
    },
    stop: () =>
      new Promise<void>(done => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
