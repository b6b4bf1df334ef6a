import type { z } from 'zod'
import type { AuditEvent } from '../../../core/domain/audit/event.ts'
import type { PageRole } from '../../../core/domain/audit/visible.ts'
import type { Settings } from '../../../core/domain/settings/settings.ts'
import type { AdminSession } from '../../../core/store/admin/admin-sessions.ts'
import type { Tx } from '../../../core/store/tx.ts'
import type { ViewName } from '../../../web/admin-contract.ts'
import type { Denied } from '../within.ts'

export type ViewContext = { tx: Tx; session: AdminSession; settings: Settings; origin: string }

/** What the look is recorded with: the filter, in codes and numbers; a patient or room by its own identifier, which the log commits to. */
export type Seen = Pick<AuditEvent, 'patient' | 'room' | 'detail'>

/** One screen of the page: what it asks for, and how that is read. */
export type View = {
  name: ViewName
  /** Who sees it: a live one of these roles is enough. */
  needs: readonly PageRole[]
  /** The page asks again by itself under `<name>/again`: that keeps no session alive, and is in the log once in some minutes. */
  follow?: true
  body: z.ZodType
  read(context: ViewContext, body: unknown): Promise<{ answer: object; seen: Seen } | Denied>
}

/** Makes a view whose `read` gets the body as its schema types it. */
export const view = <S extends z.ZodType>(spec: {
  name: ViewName
  needs: readonly PageRole[]
  follow?: true
  body: S
  read(context: ViewContext, body: z.infer<S>): Promise<{ answer: object; seen: Seen } | Denied>
}): View => ({ ...spec, read: (context, body) => spec.read(context, body as z.infer<S>) })

/** Those of these views that somebody with these roles sees. */
export const seenBy = (all: readonly View[], roles: readonly PageRole[]): View[] =>
  all.filter(v => v.needs.some(role => roles.includes(role)))
