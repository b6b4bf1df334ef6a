import pg from 'pg'

/** Steps of paging after which something is durable or has left the process, by what a statement says; the values tell which news or job it is. */
const statements: Readonly<Record<string, { sql: RegExp; value?: RegExp }>> = {
  'page stored': { sql: /^insert into "page" / },
  'step taken': { sql: /^update page p set priority/ },
  'contact handed to the outbox': { sql: /^insert into page_contact/ },
  'text or call begun': { sql: /^update "page_contact" set "state" = .*"begun_at"/ },
  'provider’s id noted': { sql: /^update page_contact set provider_id/ },
  'answer received': { sql: /^insert into "inbound_text"/ },
  'answer stored': { sql: /^update "page_contact" set "answered_at"/ },
  declined: { sql: /^insert into "page_news"/, value: /"kind":"declined"/ },
  escalated: { sql: /^insert into "page_news"/, value: /"kind":"asked".*"step":1/ },
  exhausted: { sql: /^insert into "page_news"/, value: /"kind":"exhausted"/ },
  'handed over': { sql: /^insert into "page_news"/, value: /"kind":"handing_over"/ },
  'taken over': { sql: /^insert into "page_news"/, value: /"kind":"handed_over"/ },
  resolved: { sql: /^insert into "page_news"/, value: /"kind":"resolved"/ },
  'desk’s notice queued': { sql: /^insert into "outbox"/, value: /^desk\.alert$/ },
  'clock settled': { sql: /^update page set state = m\.state/ },
}

export type KillStep = { step: string; when: 'before' | 'after'; nth: number }
export type Kills = {
  arm(kill: KillStep): void
  /** The process comes to a step outside the database, or has done it. */
  reach(step: string, when: 'before' | 'after'): void
}

/** Kills this process, as kill -9 does, when it comes for the nth time to a step: just before its transaction is committed (or the request leaves), or just after. */
export const killsHere = (): Kills => {
  let armed: KillStep | undefined
  const reach: Kills['reach'] = (step, when) => {
    if (armed?.step === step && armed.when === when && --armed.nth <= 0) process.kill(process.pid, 'SIGKILL')
  }
  const marks = new WeakMap<object, Set<string>>()
  type Query = (this: object, config: unknown, values?: unknown, done?: unknown) => unknown
  const client = pg.Client.prototype as unknown as { query: Query }
  const original = client.query
  client.query = function (config, values, done) {
    const { text, values: bound } = (typeof config === 'string' ? { text: config } : config) as {
      text?: string
      values?: unknown[]
    }
    const mine = marks.get(this) ?? new Set()
    marks.set(this, mine)
    if (/^begin/i.test(text ?? '')) mine.clear()
    for (const [name, { sql, value }] of Object.entries(statements))
      if (sql.test(text ?? '') && (!value || bound?.some(v => typeof v === 'string' && value.test(v)))) mine.add(name)
    if (!/^commit/i.test(text ?? '')) return original.call(this, config, values, done)
    const reached = [...mine]
    mine.clear()
    for (const name of reached) reach(name, 'before')
    const told = (callback: unknown) => (typeof callback === 'function' ? wrapped(callback, reached) : callback)
    return original.call(this, config, told(values), told(done))
  }
  const wrapped =
    (callback: unknown, reached: readonly string[]) =>
    (...args: unknown[]) => {
      for (const name of reached) reach(name, 'after')
      return (callback as (...a: unknown[]) => unknown)(...args)
    }
  return {
    arm: kill => {
      armed = kill
    },
    reach,
  }
}
