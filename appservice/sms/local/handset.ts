import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import express from 'express'
import { showPhone } from '../../../core/phone.ts'
import { handsetPage, listPage } from './handset-html.ts'
import { handsetOf, type LocalMessage, type LocalState } from './state.ts'

/** What the telephone's screen needs of a text. */
export type Shown = { sid: string; mine: boolean; body: string; at: number; status: string }

const shown = (m: LocalMessage): Shown => ({
  sid: m.sid,
  mine: m.direction === 'inbound',
  body: m.body,
  at: m.createdAt,
  status: m.status,
})
/** On its way a text is at the provider, not on the telephone. */
const arrived = (m: LocalMessage) => m.direction !== 'outbound-api' || m.status === 'sent' || m.status === 'delivered'

export type HandsetOptions = {
  state: LocalState
  /** The patient page's address: its links open inside the telephone. */
  publicUrl: string
  /** Pages that may show the handset in a frame. */
  frameAncestors: readonly string[]
  /** Open event streams, ended when the server stops. */
  streams: Set<express.Response>
}

/** Asks the patient page whether it lets itself be framed from here; a page that is not there yet counts as one that does. */
const framable = async (page: string): Promise<boolean> => {
  try {
    const answer = await fetch(new URL('/check', page), { method: 'HEAD', signal: AbortSignal.timeout(2000) })
    const ancestors = /frame-ancestors([^;]*)/.exec(answer.headers.get('content-security-policy') ?? '')?.[1]
    return ancestors === undefined ? !answer.headers.has('x-frame-options') : !ancestors.includes("'none'")
  } catch {
    return true
  }
}

const asset = (name: string) => readFileSync(join(import.meta.dirname, 'page', name), 'utf8')

/** `/handset`: all telephones; `/handset/:number`: one, where texts arrive live, links open and answers are typed. */
export const handsetRoutes = ({ state, publicUrl, frameAncestors, streams }: HandsetOptions): express.Router => {
  const router = express.Router()
  const page = new URL(publicUrl).origin
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    `frame-src ${page}`,
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors 'self' ${frameAncestors.join(' ')}`,
  ].join('; ')
  router.use('/handset', (_req, res, next) => {
    res.set({
      'content-security-policy': policy,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    next()
  })
  const css = asset('handset.css')
  const js = asset('handset.js')
  router.get('/handset/handset.css', (_req, res) => void res.type('css').send(css))
  router.get('/handset/handset.js', (_req, res) => void res.type('js').send(js))

  router.get('/handset', (_req, res) => {
    const latest = new Map<string, LocalMessage>()
    for (const m of state.messages()) latest.set(handsetOf(m), m)
    const rows = [...latest].map(([number, m]) => ({
      number,
      pretty: showPhone(number),
      last: m.body,
      at: m.createdAt,
    }))
    res.type('html').send(listPage(rows.toSorted((a, b) => b.at - a.at)))
  })

  const numberOf = (given: string): string | null => {
    const e164 = `+${given.replace(/\D/g, '')}`
    return /^\+\d{6,15}$/.test(e164) ? e164 : null
  }
  router.get('/handset/:number', async (req, res) => {
    const number = numberOf(req.params.number)
    if (!number) {
      res.status(404).type('html').send(listPage([]))
      return
    }
    res.type('html').send(handsetPage({ number, pretty: showPhone(number), page, frames: await framable(page) }))
  })
  router.get('/handset/:number/events', (req, res) => {
    const number = numberOf(req.params.number)
    if (!number) {
      res.status(404).end()
      return
    }
    res.writeHead(200, { 'content-type': 'text/event-stream', connection: 'keep-alive' })
    const send = (m: LocalMessage) => {
      if (handsetOf(m) === number && arrived(m)) res.write(`data: ${JSON.stringify(shown(m))}\n\n`)
    }
    for (const m of state.messages()) send(m)
    res.write('event: ready\ndata: {}\n\n')
    state.changes.on('message', send)
    streams.add(res)
    res.on('close', () => {
      state.changes.off('message', send)
      streams.delete(res)
    })
  })
  return router
}
