import express, { type Request, type Response } from 'express'
import { listen } from '../../../core/http/listen.ts'

export type ContentHomeserver = {
  url: string
  /** What it still has of each event: removed by us or destroyed, it is gone at once. */
  content: Map<string, unknown>
  /** The events whose removal was sent, in order. */
  removals: string[]
  /** How many calls it has answered. */
  calls(): number
  /** Resolves with the `n`th call from now, before that is answered. */
  call(n: number): Promise<void>
  stop(): Promise<void>
}

/** A homeserver's side of deletion as Wardroom's module and the client-server API have it, over events in memory: a caller may be killed, it stays. */
export const contentHomeserver = async (): Promise<ContentHomeserver> => {
  const content = new Map<string, unknown>()
  const removals: string[] = []
  const waiting: { left: number; done(): void }[] = []
  let calls = 0
  const app = express()
  app.use(express.json({ limit: '1mb' }), (_req, _res, next) => {
    calls++
    for (const w of waiting.splice(0)) {
      if (--w.left <= 0) w.done()
      else waiting.push(w)
    }
    next()
  })
  const events = (req: Request) => (req.body as { events: string[] }).events
  app.post('/_synapse/client/wardroom_copy', (req, res) => {
    res.json({ events: Object.fromEntries(events(req).flatMap(e => (content.has(e) ? [[e, content.get(e)]] : []))) })
  })
  app.post('/_synapse/client/wardroom_destroy', (req, res) => {
    const answer = Object.fromEntries(events(req).map(e => [e, content.has(e) ? 'destroyed' : 'missing']))
    for (const e of events(req)) content.delete(e)
    res.json({ events: answer })
  })
  app.post('/_synapse/client/wardroom_rooms', (_req, res) => void res.json({ server: 'h', rooms: {} }))
  app.post('/_synapse/client/wardroom_traces', (_req, res) => void res.json({ events: {} }))
  app.put('/_matrix/client/v3/rooms/:room/redact/:event/:txn', (req, res) => {
    content.delete(req.params.event)
    removals.push(req.params.event)
    res.json({ event_id: `$removal-of-${req.params.event}` })
  })
  app.use((_req: Request, res: Response) => void res.status(404).json({ errcode: 'M_NOT_FOUND', error: 'nothing' }))
  const server = await listen(app)
  return {
    url: server.url,
    content,
    removals,
    calls: () => calls,
    call: n => new Promise<void>(done => waiting.push({ left: n, done })),
    stop: server.stop,
  }
}
