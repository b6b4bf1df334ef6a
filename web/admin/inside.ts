import type { Session } from '../admin-contract.ts'
import { type Api, ApiError } from './api.ts'
import type { Times } from './format.ts'
import { text } from './text.ts'

export type Gone = keyof typeof text.door.gone

/** What every screen of somebody who is signed in gets. */
export type Inside = {
  api: Api
  session: Session
  times: Times
  /** The on-call role that was looked at last: in memory alone, as every choice. */
  role: { current: string | undefined }
  /** The server knows this session no more. */
  gone(why: Gone): void
}

/** What went wrong, for the person; undefined when the session is over, which `gone` then says. */
export const problemOf = (error: unknown, { gone }: Pick<Inside, 'gone'>): string | undefined => {
  if (!(error instanceof ApiError)) throw error
  switch (error.status) {
    case 401:
      gone('else')
      return undefined
    case 0:
      return text.problem.network
    case 400:
      return text.problem.filter
    case 403:
      return text.problem.forbidden
    case 404:
      return text.problem.gone
    case 429:
      return text.problem.many
    default:
      return text.problem.server
  }
}
