import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `down`: connections break. `silent`: nothing is ever answered. `lost`: it is done and the answer breaks off. `failing`: 503. */
export type HomeserverMood = 'up' | 'down' | 'silent' | 'lost' | 'failing'
export type Sent = { room: string; body: string }

/** The one call of a homeserver that pages make: `PUT /send/<room>/<txnId>`, once for each transaction id, and `GET /_matrix/client/versions`. */
export const farHomeserver = async () => {
  let mood: HomeserverMood = 'up'
  const events = new Map<string, Sent>()
  const server = createServer(async (req, res) => {
    let text = ''
    for await (const part of req) text += String(part)
    const [, path, room = '', txn = ''] = (req.url ?? '').split('/')
    if (mood === 'down') return void req.socket.destroy()
    if (mood === 'silent') return
    if (mood === 'failing') return void res.writeHead(503).end('{}')
    if (path === 'send' && !events.has(txn)) {
      const content = JSON.parse(text) as { body: string; 'm.new_content'?: { body: string } }
      events.set(txn, { room: decodeURIComponent(room), body: content['m.new_content']?.body ?? content.body })
    }
    if (mood === 'lost') return void req.socket.destroy()
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ event_id: `$${txn}` }))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    is: (m: HomeserverMood) => {
      mood = m
    },
    sent: (): Sent[] => [...events.values()],
    forget: () => events.clear(),
    stop: () =>
      new Promise<void>(done => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
