import type {
  Alerts,
  Checkpoint,
  Deadlines,
  Report,
  ReportQuery,
  Session,
  SignInAnswer,
  Sinks,
  Timeline,
  TimelineQuery,
} from '../admin-contract.ts'
import type { OnCallNow, OpenPages, Responses, ResponsesQuery, Schedule, ScheduleQuery } from '../oncall-contract.ts'
import { byOwnClock } from '../shared/deadlines.ts'

/** A call that did not work; `status` 0 when there was no answer at all. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number) {
    super(`HTTP ${status}`)
    this.status = status
  }
}

export type Api = ReturnType<typeof createApi>

const patience = 30_000

/** The calls of web/admin-contract.ts. Each throws `ApiError` on anything but a 2xx; the bearer is kept here, in memory alone. */
export const createApi = (http: typeof fetch) => {
  let csrf = ''
  const call = async (path: string, body: unknown = {}): Promise<Response> => {
    const answer = await http(`/api/${path}`, {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
      headers: { 'content-type': 'application/json', ...(csrf ? { authorization: `Bearer ${csrf}` } : {}) },
      body: JSON.stringify(body),
    }).catch(() => null)
    if (answer === null) throw new ApiError(0)
    if (!answer.ok) throw new ApiError(answer.status)
    return answer
  }
  const json = async <T>(path: string, body?: unknown): Promise<T> => (await (await call(path, body)).json()) as T
  const started = (session: Session): Session => {
    csrf = session.csrf
    return byOwnClock(session, Date.now())
  }
  const deadlines = async (path: string): Promise<Deadlines> => byOwnClock(await json<Deadlines>(path), Date.now())

  return {
    /** Null for a link that opens nothing. */
    signIn: async (token: string): Promise<Session | null> => {
      const answer = await json<SignInAnswer>('sign-in', { token })
      return answer.state === 'in' ? started(answer.session) : null
    },
    /** The session that this browser still has, or null. */
    resume: async (): Promise<Session | null> => {
      try {
        return started(await json<Session>('session'))
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null
        throw error
      }
    },
    extend: () => deadlines('session/extend'),
    standing: () => deadlines('session/standing'),
    end: async () => {
      await call('session/end')
      csrf = ''
    },
    timeline: (query: TimelineQuery) => json<Timeline>('view/timeline', query),
    sinks: () => json<Sinks>('view/sinks'),
    checkpoint: () => json<Checkpoint>('view/checkpoint'),
    report: (query: ReportQuery) => json<Report>('view/reports', query),
    alerts: () => json<Alerts>('view/alerts'),
    onCall: (again = false) => json<OnCallNow>(again ? 'view/on-call/again' : 'view/on-call'),
    schedule: (query: ScheduleQuery) => json<Schedule>('view/schedule', query),
    pages: (again = false) => json<OpenPages>(again ? 'view/pages/again' : 'view/pages'),
    responses: (query: ResponsesQuery) => json<Responses>('view/responses', query),
  }
}
