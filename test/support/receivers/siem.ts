import type { HttpBehaviour, HttpRequest } from './http.ts'
import { httpServer } from './http.ts'

type Taken = { idx: number; id: number }

type Instead = { answer: HttpBehaviour; after?: true } | undefined

/** A receiver of one of the kinds that sinks speak to, as its maker documents it: what it has taken, in order, and how it behaves next. */
export type Siem = {
  url: string
  /** Entries in the order in which they were taken, repeated ones repeated. */
  taken(): number[]
  /** What it keeps, by its own identifier. */
  stored(): Map<string, unknown>
  requests: HttpRequest[]
  /** Before the real answer: another one instead, for request `n`. `after`: it has taken the batch all the same. */
  behave(next: (n: number) => Instead | Promise<Instead>): void
  /** Entries that it refuses, with a status. */
  refuse(verdict: (idx: number) => number | undefined): void
  stop(): Promise<void>
}

const unauthorized = { status: 401, body: {} }

const splunk = (r: HttpRequest, token: string, refused: (idx: number) => number | undefined) => {
  if (r.headers.authorization !== `Splunk ${token}`)
    return { answer: { status: 401, body: { text: 'Invalid authorization', code: 3 } }, taken: [] }
  const events = r.body.split('\n').map(line => JSON.parse(line) as { event: Taken; time: number; host: string })
  if (events.some(e => refused(e.event.idx)))
    return { answer: { status: 400, body: { text: 'Invalid data format', code: 6 } }, taken: [] }
  const taken = events.map(e => [String(e.event.idx), e.event] as const)
  return { answer: { status: 200, body: { text: 'Success', code: 0 } }, taken }
}

const elastic = (
  r: HttpRequest,
  token: string,
  refused: (idx: number) => number | undefined,
  known: Map<string, unknown>,
) => {
  if (r.headers.authorization !== `ApiKey ${token}`) return { answer: unauthorized, taken: [] }
  const lines = r.body.trimEnd().split('\n')
  const taken: [string, Taken][] = []
  const items = []
  for (let i = 0; i < lines.length; i += 2) {
    const { create } = JSON.parse(lines[i] ?? '') as { create: { _id: string; _index: string } }
    const source = JSON.parse(lines[i + 1] ?? '') as Taken
    const status = known.has(create._id) ? 409 : (refused(source.idx) ?? 201)
    if (status === 201) taken.push([create._id, source])
    const error =
      status < 300
        ? undefined
        : { type: status === 400 ? 'mapper_parsing_exception' : 'es_rejected_execution_exception' }
    items.push({ create: { _id: create._id, status, error } })
  }
  return { answer: { status: 200, body: { errors: items.some(i => i.create.error), items } }, taken }
}

const fhir = (r: HttpRequest, token: string, refused: (idx: number) => number | undefined) => {
  if (r.headers.authorization !== `Bearer ${token}`) return { answer: unauthorized, taken: [] }
  type Resource = { id: string; resourceType: string }
  const bundle = JSON.parse(r.body) as {
    type: string
    entry: { resource: Resource; request: { method: string; url: string } }[]
  }
  const verdicts = bundle.entry.map(({ resource, request }) => {
    const idx = Number(resource.id.split('.').at(-1))
    if (request.method !== 'PUT' || request.url !== `AuditEvent/${resource.id}`) return { idx, status: 400, resource }
    return { idx, status: refused(idx) ?? 200, resource }
  })
  const bad = verdicts.find(v => v.status >= 300)
  if (bundle.type === 'transaction' && bad) return { answer: { status: bad.status, body: {} }, taken: [] }
  const entry = verdicts.map(v => ({ response: { status: `${v.status} whatever` } }))
  const taken = verdicts.filter(v => v.status < 300).map(v => [v.resource.id, { idx: v.idx, id: 0 }] as const)
  return { answer: { status: 200, body: { resourceType: 'Bundle', type: `${bundle.type}-response`, entry } }, taken }
}

const generic = (r: HttpRequest, token: string, refused: (idx: number) => number | undefined) => {
  if (r.headers.authorization !== `Bearer ${token}`) return { answer: unauthorized, taken: [] }
  const items = JSON.parse(r.body) as Taken[]
  if (items.some(i => refused(i.idx))) return { answer: { status: 422 }, taken: [] }
  return { answer: { status: 204 }, taken: items.map(i => [String(i.idx), i] as const) }
}

const kinds = { splunk, elastic, fhir, http: generic }

export const siem = async (kind: keyof typeof kinds, token: string): Promise<Siem> => {
  const taken: number[] = []
  const stored = new Map<string, unknown>()
  let behave: (n: number) => Instead | Promise<Instead> = () => undefined
  let refused: (idx: number) => number | undefined = () => undefined
  const server = await httpServer(async (request, n) => {
    const instead = await behave(n)
    if (instead && !instead.after) return instead.answer
    const result = kinds[kind](request, token, refused, stored)
    for (const [id, item] of result.taken) {
      // The test entry is none of the log.
      if (item.idx >= 0) taken.push(item.idx)
      stored.set(id, item)
    }
    return instead?.answer ?? result.answer
  })
  return {
    url: server.url,
    requests: server.requests,
    taken: () => [...taken],
    stored: () => stored,
    behave: next => {
      behave = next
    },
    refuse: verdict => {
      refused = verdict
    },
    stop: server.stop,
  }
}
