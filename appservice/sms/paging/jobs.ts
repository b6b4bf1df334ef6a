import { minutes } from '../../../core/domain/clock.ts'
import type { Page } from '../../../core/domain/oncall/paging/page.ts'
import { pageText } from '../../../core/domain/oncall/paging/reply.ts'
import type { ContactJob } from '../../../core/oncall/pages/commit-turns.ts'
import { contactFailed } from '../../../core/oncall/pages/engine.ts'
import type { JobContext, JobHandler, Outcome } from '../../../core/queues/outbox-worker.ts'
import {
  type Contact,
  contactBegun,
  contactOf,
  contactSent,
  endContact,
  unclaimedContactId,
} from '../../../core/store/oncall/page-contacts.ts'
import { lockPage, readPage } from '../../../core/store/oncall/pages.ts'
import { transact } from '../../../core/store/tx.ts'
import { NoAnswer, type SendAnswer } from '../provider.ts'
import type { PagingDeps } from './deps.ts'

/** `pg_….3`: names one contact to the provider. */
export const contactName = (c: ContactJob): string => `${c.page}.${c.key}`
export const readContactName = (text: string): ContactJob | undefined => {
  const m = /^(pg_[0-9a-z]{8,40})\.(\d{1,6})$/.exec(text)
  return m?.[1] && m[2] ? { page: m[1], key: m[2] } : undefined
}

/** Is something still wanted of whom this contact calls? */
const isWanted = (page: Page, c: Contact): boolean => {
  if (c.way === 'line') return page.phase === 'exhausted'
  const asked = page.asked.find(a => a.person === c.person)
  return page.phase !== 'resolved' && (asked?.state === 'asked' || asked?.state === 'ignored')
}

const numberOf = (d: PagingDeps, c: Contact): Promise<string | null | undefined> =>
  transact(d.store, tx =>
    c.way === 'line' ? d.duty.line(tx, c.person) : d.duty.person(tx, c.person).then(p => p.phone),
  )

/** `find`: the provider's ids that this contact may have after a try of which nobody knows how it ended; without it the provider's own report is waited for. */
type Way = {
  send(to: string, page: Page, contact: string): Promise<SendAnswer>
  find?(to: string, page: Page, since: number): Promise<string[]>
}

const backOff = (attempts: number): number => Math.min(4000, 500 * 2 ** Math.min(attempts, 5))

/**
 * One contact, once. It is noted as begun before it is handed over; a later try that finds it begun asks the provider first (a call: waits for its report), so
 * that a crash between the provider's answer and our commit neither loses nor repeats it. A provider that stays away is given up soon: the next way to the person is due.
 */
const contactOnce = (d: PagingDeps, way: Way): JobHandler => {
  const { store, log } = d
  const failed = (c: ContactJob, code: string): Outcome => ({
    kind: 'done',
    apply: tx => contactFailed(tx, d.duty, c, code),
  })
  const later = (job: { createdAt: number; attempts: number }, c: ContactJob, code: string, wait: number): Outcome =>
    store.clock.now() - job.createdAt > (d.patienceMs ?? 40_000) || store.clock.now() < job.createdAt - 1000
      ? failed(c, code)
      : { kind: 'retry', after: wait, reason: code }
  const taken = (c: ContactJob, providerId: string): Outcome => ({
    kind: 'done',
    apply: tx => contactSent(tx, c, { providerId }),
  })

  /** False when nobody wants it any more. The page is locked: whoever takes it before this has committed is not called after it. */
  const begin = (c: Contact): Promise<boolean> =>
    transact(store, async tx => {
      const stored = await lockPage(tx, c.page)
      if (stored && isWanted(stored.page, c)) {
        await contactBegun(tx, c)
        return true
      }
      await endContact(tx, c, 'skipped')
      return false
    })

  const attempt = async (c: Contact, page: Page, to: string, ctx: JobContext): Promise<Outcome | SendAnswer> => {
    if (c.state === 'sending' && !way.find) {
      const passed = store.clock.now() - (c.begunAt ?? c.at)
      const wait = d.uncertainMs ?? 2000
      if (passed >= 0 && passed < wait) return { kind: 'retry', after: wait - passed, reason: 'a report may come' }
    }
    if (c.state === 'sending' && way.find) {
      const since = (c.begunAt ?? c.at) - minutes(2)
      const had = await unclaimedContactId(store.db, c, await way.find(to, page, since))
      if (had) return taken(c, had)
    }
    if (!(await begin(c))) return { kind: 'done' }
    await ctx.step('send')
    return way.send(to, page, contactName(c))
  }

  return async (job, ctx) => {
    const which = job.payload as ContactJob
    const c = await contactOf(store.db, which.page, which.key)
    const stored = await readPage(store.db, which.page)
    if (!c || !stored || (c.state !== 'queued' && c.state !== 'sending')) return { kind: 'done' }
    const to = await numberOf(d, c)
    if (!to) return failed(which, 'no-number')
    try {
      const result = await attempt(c, stored.page, to, ctx)
      if (result.kind === 'taken') {
        log.info({ pageId: c.page, contact: c.key, way: c.way }, 'page handed over')
        return taken(c, result.providerId)
      }
      if (result.kind !== 'refused') return result
      log.warn({ pageId: c.page, contact: c.key, way: c.way, code: result.code }, 'page refused by the provider')
      if (result.class !== 'transient') return failed(which, result.code)
      return later(job, which, result.code, result.retryAfterMs ?? backOff(job.attempts))
    } catch (e) {
      if (!(e instanceof NoAnswer)) throw e
      log.warn({ pageId: c.page, contact: c.key, way: c.way, code: e.code }, 'the provider gave no answer')
      return later(job, which, e.code, d.uncertainMs ?? 2000)
    }
  }
}

/** Job `page.sms` */
const textPage = (d: PagingDeps): JobHandler =>
  contactOnce(d, {
    send: (to, { ref, priority }, contact) => d.phones.text({ to, contact, body: pageText(ref, priority) }),
    find: (to, { ref }, since) => d.phones.findTexts({ to, since, mark: `Ref ${ref}.` }),
  })

/** Job `page.call`: a call that may have been placed reports its beginning under this contact's name; one that does not is placed again: rather two than none. */
const callPage = (d: PagingDeps): JobHandler =>
  contactOnce(d, { send: (to, _page, contact) => d.phones.call(to, contact) })

/** Job `page.hangup`: somebody else has taken it while the telephone rings. */
const hangUp =
  (d: PagingDeps): JobHandler =>
  async job => {
    const { page, key } = job.payload as ContactJob
    const c = await contactOf(d.store.db, page, key)
    const age = d.store.clock.now() - job.createdAt
    if (!c || (c.state !== 'sending' && c.state !== 'sent')) return { kind: 'done' }
    try {
      if (c.providerId) await d.phones.hangUp(c.providerId)
      else if (age < minutes(1)) return { kind: 'retry', after: 1000, reason: 'not known at the provider yet' }
      return {
        kind: 'done',
        apply: async tx => {
          await endContact(tx, c, 'skipped')
        },
      }
    } catch (e) {
      if (!(e instanceof NoAnswer)) throw e
      return age < minutes(2) ? { kind: 'retry', after: backOff(job.attempts), reason: e.code } : { kind: 'done' }
    }
  }

/** The payload of `page.text`: an answer to somebody who texted about a page; no name, no content. */
export type TextBackJob = { to: string; body: string }

/** Job `page.text`: said once, as far as the provider tells; a text that may have gone is not repeated. */
const textBack =
  (d: PagingDeps): JobHandler =>
  async (job, ctx) => {
    const { to, body } = job.payload as TextBackJob
    if ((await ctx.step('send')) === 'again') {
      const had = await d.phones.findTexts({ to, since: job.createdAt - 1000, mark: body })
      if (had.length > 0) return { kind: 'done' }
    }
    const answer = await d.phones.text({ to, body })
    if (answer.kind === 'taken') return { kind: 'done' }
    const again = answer.class === 'transient' && d.store.clock.now() - job.createdAt < minutes(10)
    return again ? { kind: 'retry', after: 5000, reason: answer.code } : { kind: 'failed', reason: answer.code }
  }

/** Every job of the queue `pages`. */
export const pageJobs = (d: PagingDeps): Record<string, JobHandler> => ({
  'page.sms': textPage(d),
  'page.call': callPage(d),
  'page.hangup': hangUp(d),
  'page.text': textBack(d),
})
