import type { Request, RequestHandler, Response } from 'express'
import { ipKeyGenerator } from 'express-rate-limit'
import type { Actor, AuditAction } from '../domain/audit/event.ts'
import { minutes, seconds } from '../domain/clock.ts'
import { errorFacts } from '../error-facts.ts'
import type { Log } from '../log.ts'
import { type StoreDeps, transact } from '../store/tx.ts'

/** Who was refused, where a handler knows; it puts it into `res.locals.known`. */
export type KnownCaller = { actor: Actor; patient?: string; room?: string }

/** One refused request. `route`: the name of a route, never an address with what a caller put into it. */
export type RefusedRequest = {
  action: Extract<AuditAction, 'request.refused' | 'request.limited' | 'transaction.refused' | 'webhook.refused'>
  route: string
  status: number
  /** A code. */
  reason?: string
  origin?: { ip: string; agent?: string }
  known?: KnownCaller
}

export type Refusals = {
  /** Resolves when it is in the log, or counted; never throws. */
  note(refused: RefusedRequest): Promise<void>
  /** Notes every answer of 4xx that passes through; `action` may tell by the path whose business it is. */
  watch(action?: (path: string) => RefusedRequest['action']): RequestHandler
  /** Writes down what was counted. */
  stop(): Promise<void>
}

const minute = minutes(1)

/** Address and browser, as the log keeps them. */
export const originOf = (req: Request): { ip: string; agent?: string } => {
  const agent = req.headers['user-agent']
  return { ip: req.ip ?? 'unknown', ...(agent ? { agent: agent.slice(0, 200) } : {}) }
}

/** The route that answered, or the part of the application that refused before any route did; nothing that a caller put into the address. */
const routeOf = (req: Request): string => {
  const part =
    /^\/(_matrix\/app|_matrix|api\/(?:link|session|clinic|check)|api|sms|voice|alarms|assets|oncall|l|metrics)(?=[/?]|$)/.exec(
      req.originalUrl,
    )?.[0] ?? ''
  const path: unknown = (req.route as { path?: unknown } | undefined)?.path
  if (typeof path !== 'string') return part || 'other'
  return path.startsWith(part) ? path : `${part}${path === '/' ? '' : path}`
}

/** Whose business a refusal is on the port that the homeserver pushes to. */
export const refusedHere = (path: string): RefusedRequest['action'] =>
  path.startsWith('/_matrix/app/') ? 'transaction.refused' : 'request.refused'

type Count = { refused: RefusedRequest; minute: number; more: number }

/**
 * Puts refused requests into the audit log, bounded, so that no stranger fills it: of one network, route and status the first in a minute is an event of its own,
 * the others are one event with their count at the minute's end; beyond `perMinute` of them in this process, strangers are counted together. What a
 * killed process had counted is lost, never the first.
 */
export const refusalLog = ({
  store,
  log,
  perMinute = 300,
  lookMs = seconds(10),
}: {
  store: StoreDeps
  log: Log
  perMinute?: number
  lookMs?: number
}): Refusals => {
  const counts = new Map<string, Count>()
  const now = () => Math.floor(store.clock.now() / minute)
  let current = { minute: now(), written: 0 }

  const write = async ({ action, route, status, reason, origin, known }: RefusedRequest, count?: number) => {
    try {
      await transact(store, tx =>
        tx.audit({
          actor: known?.actor ?? { kind: 'anonymous', id: 'browser' },
          action,
          object: { kind: 'route', id: route },
          outcome: 'refused',
          ...(known?.patient ? { patient: known.patient } : {}),
          ...(known?.room ? { room: known.room } : {}),
          ...(origin ? { origin } : {}),
          ...(reason ? { reason } : {}),
          detail: { status, ...(count === undefined ? {} : { count }) },
        }),
      )
      return true
    } catch (err) {
      log.warn({ err: errorFacts(err), action }, 'a refusal could not be recorded; it is counted and written later')
      return false
    }
  }

  // One after the other: two at once would both write the same count.
  let flushing: Promise<void> = Promise.resolve()
  const flush = (all: boolean): Promise<void> => {
    flushing = flushing.then(() => writeCounts(all))
    return flushing
  }

  const writeCounts = async (all: boolean): Promise<void> => {
    for (const [key, c] of counts) {
      if (!all && c.minute >= now()) continue
      if (c.more === 0 || (await write(c.refused, c.more))) counts.delete(key)
    }
  }

  const note: Refusals['note'] = async refused => {
    if (current.minute !== now()) current = { minute: now(), written: 0 }
    const crowd = current.written >= perMinute
    const { origin, known, ...where } = refused
    const one = crowd ? where : refused
    const network = crowd ? 'crowd' : ipKeyGenerator(origin?.ip ?? 'unknown', 64)
    const key = JSON.stringify([
      network,
      where.action,
      where.route,
      where.status,
      crowd ? null : known?.actor.id,
      current.minute,
    ])
    const counted = counts.get(key)
    if (counted) counted.more++
    else {
      const first: Count = { refused: one, minute: current.minute, more: 0 }
      counts.set(key, first)
      current.written++
      if (!(await write(one))) first.more++
    }
  }

  const timer = setInterval(() => void flush(false), lookMs)
  timer.unref()
  return {
    note,
    watch:
      (action = () => 'request.refused') =>
      (req, res, next) => {
        res.once('finish', () => {
          const { statusCode: status } = res
          if (status < 400 || status >= 500 || res.locals.audited === true) return
          const usual = action(req.originalUrl)
          void note({
            action: status === 429 && usual === 'request.refused' ? 'request.limited' : usual,
            route: routeOf(req),
            status,
            reason: codeOf(res),
            origin: originOf(req),
            known: res.locals.known as KnownCaller | undefined,
          })
        })
        next()
      },
    stop: async () => {
      clearInterval(timer)
      await flush(true)
    },
  }
}

const codeOf = (res: Response): string | undefined => {
  const code: unknown = res.locals.refusal
  return typeof code === 'string' ? code.toLowerCase() : undefined
}
