import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import type { Log } from '../log.ts'

const sentences = {
  'bad-request': 'This request cannot be understood.',
  'not-found': 'There is nothing here.',
  'not-here': 'This request does not come from the page.',
  'too-many': 'Too many requests. Please wait a little and try again.',
  session: 'This page is closed. Please open the link again.',
  reauth: 'Please confirm again who you are.',
  forbidden: 'Your role does not see this.',
  unavailable: 'This does not work at the moment. Please try again soon.',
} as const
export type RefusalCode = keyof typeof sentences

/** The error form of every page's contract. */
type Refused = { error: { code: string; sentence: string } }

/** Answers in the contract's error form; the sentence is the code's, so that nothing of the request is repeated. */
export const refuseWith = (res: Response, status: number, code: RefusalCode): void => {
  if (res.headersSent) return void res.destroy()
  res.locals.refusal = code
  const body: Refused = { error: { code, sentence: sentences[code] } }
  res.status(status).json(body)
}

/** The body by its schema, or undefined after a 400. */
export const parsed = <S extends z.ZodType>(schema: S, req: Request, res: Response): z.infer<S> | undefined => {
  const result = schema.safeParse(req.body)
  if (result.success) return result.data
  refuseWith(res, 400, 'bad-request')
  return undefined
}

/** The origins that are ours; in a try-out on this machine, however the browser names it. */
const originsOf = (publicUrl: string, embedded: boolean): Set<string> => {
  const { origin, hostname, port, protocol } = new URL(publicUrl)
  const names = ['localhost', '127.0.0.1', '[::1]']
  if (!embedded || !names.includes(hostname)) return new Set([origin])
  return new Set(names.map(name => new URL(`${protocol}//${name}${port ? `:${port}` : ''}`).origin))
}

/**
 * What a browser's POST must look like: from our own page by `Sec-Fetch-Site` or `Origin`, and JSON, which no form of another site can send. Reads pass
 * unless the browser says that another site makes them.
 */
export const fromOurPage = (publicUrl: string, embedded: boolean): RequestHandler => {
  const ours = originsOf(publicUrl, embedded)
  return (req, res, next) => {
    const { origin, 'sec-fetch-site': site } = req.headers
    const foreign = (site !== undefined && site !== 'same-origin') || (origin !== undefined && !ours.has(origin))
    const read = req.method === 'GET' || req.method === 'HEAD'
    if (foreign && !(read && site === 'none')) return refuseWith(res, 403, 'not-here')
    if (read) return next()
    if (site === undefined && origin === undefined) return refuseWith(res, 403, 'not-here')
    if (!req.is('application/json')) return refuseWith(res, 415, 'bad-request')
    next()
  }
}

/** Runs `work` and, unless `quick` says that the answer tells itself what was found, lets at least `ms` pass, so that its time tells nothing. */
export const atLeast = async <T>(ms: number, work: () => Promise<T>, quick: (result: T) => boolean): Promise<T> => {
  const begun = performance.now()
  const result = await work()
  const left = ms - (performance.now() - begun)
  if (left > 0 && !quick(result)) await new Promise(done => setTimeout(done, left))
  return result
}

/** The last handler: a body that cannot be read is the caller's fault, everything else is ours and logged without the request. */
export const failures =
  (log: Log) =>
  (error: Error & { status?: number; type?: string }, req: Request, res: Response, _next: NextFunction): void => {
    if (error.status !== undefined && error.status >= 400 && error.status < 500) {
      refuseWith(res, error.status, 'bad-request')
      return
    }
    const route: unknown = (req.route as { path?: unknown } | undefined)?.path
    log.error({ route: typeof route === 'string' ? route : 'page', error: error.message }, 'a request failed')
    refuseWith(res, 503, 'unavailable')
  }
