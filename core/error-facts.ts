/** What of an error may be logged or stored: no text that a statement's values, a parser's snippet or a peer's answer could have brought in. */
export type ErrorFacts = { name: string; code?: string; message?: string; at?: string[]; cause?: ErrorFacts }

type Loose = {
  name?: unknown
  message?: unknown
  code?: unknown
  errcode?: unknown
  status?: unknown
  stack?: unknown
  cause?: unknown
  severity?: unknown
}

const codeOf = (e: Loose): string | undefined => {
  const parts = [e.status, e.errcode, e.code].filter(v => typeof v === 'string' || typeof v === 'number')
  return parts.length > 0 ? parts.join(' ') : undefined
}

/** PostgreSQL's messages and details quote values; JSON's quote the text; neither is kept. */
const mayQuote = (e: Loose) => e.severity !== undefined || e.name === 'SyntaxError' || e.name === 'MatrixRefusal'

export const errorFacts = (thrown: unknown, depth = 3): ErrorFacts => {
  if (typeof thrown !== 'object' || thrown === null) return { name: typeof thrown }
  const e = thrown as Loose
  const frames = typeof e.stack === 'string' ? e.stack.split('\n').filter(l => /^\s+at /.test(l)) : []
  return {
    name: String(e.name ?? 'Error'),
    code: codeOf(e),
    message: mayQuote(e) ? undefined : String(e.message ?? ''),
    at: frames.slice(0, 12).map(l => l.trim()),
    cause: e.cause && depth > 0 ? errorFacts(e.cause, depth - 1) : undefined,
  }
}

/** One short line for a table's `reason` column: the kind of error and its codes, never its words. */
export const errorReason = (thrown: unknown): string => {
  const { name, code, cause } = errorFacts(thrown)
  return [name, code, cause?.code].filter(Boolean).join(' ').slice(0, 200)
}

const lostCodes = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_|08|57P0|53300|57014$)/
const lostMessages =
  /Connection (terminated|ended)|connection error and is not queryable|Transaction query already complete|fetch failed|other side closed|socket hang up|timeout exceeded|Unable to acquire a connection/i

/** Was it a peer that is away (database, homeserver, provider), rather than a fault in the work itself? Then trying again later is right. */
export const isOutage = (thrown: unknown): boolean => {
  if (typeof thrown !== 'object' || thrown === null) return false
  const e = thrown as Loose
  if (typeof e.status === 'number' && (e.status >= 500 || e.status === 429)) return true
  if (lostCodes.test(String(e.code ?? '')) || e.name === 'TimeoutError') return true
  return lostMessages.test(String(e.message ?? '')) || isOutage(e.cause)
}
