import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type express from 'express'

export type Listener = { url: string; port: number; stop(): Promise<void> }

/** Serves an app; port 0 picks a free one. `stop` lets running requests finish for `graceMs`, and ends idle keep-alive connections at once. */
export const listen = async (
  app: express.Express,
  { host = '127.0.0.1', port = 0, graceMs = 5000 }: { host?: string; port?: number; graceMs?: number } = {},
): Promise<Listener> => {
  const server = createServer(app)
  server.requestTimeout = 300_000 // a photograph over a slow telephone line
  server.headersTimeout = 15_000
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      done()
    })
  })
  const actual = (server.address() as AddressInfo).port
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return {
    url: `http://${shown.includes(':') ? `[${shown}]` : shown}:${actual}`,
    port: actual,
    stop: () =>
      new Promise(done => {
        const force = setTimeout(() => server.closeAllConnections(), graceMs)
        server.close(() => {
          clearTimeout(force)
          done()
        })
        server.closeIdleConnections()
      }),
  }
}
