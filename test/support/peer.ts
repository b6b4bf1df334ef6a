import express from 'express'
import { listen } from '../../core/http/listen.ts'

/** A small real HTTP peer that, like an SMS provider, counts what it accepted and can be asked what it has of a reference. */
export type Peer = {
  url: string
  count(ref: string): number
  /** References in the order in which they were accepted, repeated ones repeated. */
  accepted(): string[]
  /** Called after a message was accepted and before it is answered. */
  beforeAnswer(hook: (ref: string) => Promise<void> | void): void
  send(ref: string): Promise<void>
  stop(): Promise<void>
}

export const testPeer = async (): Promise<Peer> => {
  const accepted: string[] = []
  let hook: (ref: string) => Promise<void> | void = () => undefined
  const app = express().use(express.json())
  app.post('/messages', async (req, res) => {
    const { ref } = req.body as { ref: string }
    accepted.push(ref)
    await hook(ref)
    res.status(201).json({ sid: `SM${accepted.length}` })
  })
  app.get('/messages/:ref', (req, res) => void res.json({ found: accepted.includes(req.params.ref) }))
  const server = await listen(app, { graceMs: 100 })
  return {
    url: server.url,
    count: ref => accepted.filter(r => r === ref).length,
    accepted: () => [...accepted],
    beforeAnswer: next => {
      hook = next
    },
    send: ref => sendTo(server.url, ref),
    stop: server.stop,
  }
}

export const sendTo = async (url: string, ref: string): Promise<void> => {
  const response = await fetch(`${url}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ref }),
  })
  if (!response.ok) throw new Error(`the peer answered ${response.status}`)
}

export const peerHas = async (url: string, ref: string): Promise<boolean> => {
  const response = await fetch(`${url}/messages/${encodeURIComponent(ref)}`)
  return ((await response.json()) as { found: boolean }).found
}
