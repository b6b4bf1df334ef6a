import { minutes, seconds } from '../../core/domain/clock.ts'
import type { RoomId, UserId } from '../../core/domain/ids.ts'
import type { AnswerWay, Page } from '../../core/domain/oncall/paging/page.ts'
import { type ReadReply, readReaction, readReply } from '../../core/domain/oncall/paging/reply.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { errorReason, isOutage } from '../../core/error-facts.ts'
import { MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { clinicDuty } from '../../core/oncall/pages/clinic-duty.ts'
import type { ContactJob, EditJob } from '../../core/oncall/pages/commit-turns.ts'
import { answerPage, contactFailed } from '../../core/oncall/pages/engine.ts'
import { localName } from '../../core/oncall/pages/look-up.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { type JobHandler, txnIdFor } from '../../core/queues/outbox-worker.ts'
import {
  contactByProviderId,
  contactLate,
  contactOf,
  contactSent,
  contactsWith,
  endContact,
  pagesOf,
} from '../../core/store/oncall/page-contacts.ts'
import { openContent, type PageContent, pageByRef, readPage } from '../../core/store/oncall/pages.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { isStaff } from '../../core/store/staff/roles.ts'
import type { Tx } from '../../core/store/tx.ts'
import { answer } from '../framework/answer.ts'
import { say } from '../framework/say.ts'
import type { DeskDeps } from './deps.ts'
import { content } from './message-content.ts'

const priorityWords = { routine: 'Routine page', urgent: 'Urgent page', stat: 'STAT page' } as const

const stateWords = (page: Page, person: string): string => {
  const asked = page.asked.find(a => a.person === person)
  if (page.phase === 'resolved') return 'Resolved.'
  if (page.acceptedBy.includes(person)) return `Yours. When it is done: !resolve ${page.ref}`
  if (page.phase === 'accepted' && asked?.state !== 'asked')
    return `Taken by ${page.acceptedBy.map(localName).join(', ')}. Nothing is wanted of you.`
  if (asked?.state === 'declined') return 'You have declined.'
  return `✅ or !accept ${page.ref} takes it · ❌ or !decline ${page.ref} calls the next person`
}

/** The card as it stands now: everything about the page, in the person's encrypted chat. */
export const cardWords = (page: Page, target: string, c: PageContent | null, person: string): string =>
  [
    `🔔 ${priorityWords[page.priority]} ${page.ref}${page.count > 1 ? ` (×${page.count})` : ''} · ${target}`,
    ...(c ? [`From ${c.from}: ${c.text}`, ...c.why, ...(c.note ? [c.note] : [])] : []),
    ...(c?.link ? [c.link] : []),
    stateWords(page, person),
  ].join('\n')

type OpenDirect = (user: UserId) => Promise<RoomId>
/** `page.card`: once, to the person's own chat with the bot. Where it cannot be delivered the next way is due at once; the card is tried on and follows. */
const sendCard =
  (d: DeskDeps, openDirect: OpenDirect): JobHandler =>
  async job => {
    const which = job.payload as ContactJob
    const c = await contactOf(d.store.db, which.page, which.key)
    const stored = await readPage(d.store.db, which.page)
    if (!c || !stored || c.state !== 'queued') return { kind: 'done' }
    const asked = stored.page.asked.find(a => a.person === c.person)
    const wanted =
      stored.page.phase !== 'resolved' &&
      (stored.page.acceptedBy.includes(c.person) ||
        asked?.state === 'asked' ||
        asked?.state === 'ignored' ||
        asked?.state === 'unreachable')
    if (!wanted)
      return {
        kind: 'done',
        apply: async tx => {
          await endContact(tx, c, 'skipped')
        },
      }
    try {
      const roomId = await openDirect(c.person as UserId)
      const words = cardWords(stored.page, stored.target, await openContent(d.store, d.store.db, which.page), c.person)
      const providerId = await d.bot.send(roomId, 'm.room.message', content({ text: words }), {
        txnId: txnIdFor(job.id, 'card'),
      })
      return { kind: 'done', apply: tx => contactSent(tx, c, { providerId, roomId }) }
    } catch (e) {
      if (e instanceof MatrixRefusal && !isOutage(e))
        return { kind: 'done', apply: tx => contactFailed(tx, clinicDuty, which, errorReason(e)) }
      const age = d.store.clock.now() - job.createdAt
      if (!isOutage(e)) throw e
      return {
        kind: 'retry',
        after: age < minutes(10) ? seconds(2) : minutes(1),
        reason: errorReason(e),
        apply: async tx => {
          if (await contactLate(tx, c, errorReason(e)))
            await answerPage(tx, clinicDuty, which.page, { kind: 'failed', key: which.key })
        },
      }
    }
  }

/** `page.edit`: the person's last card says what has become of the page. Who took it without a card, by command or by telephone, is shown it now: they must read what it is about. */
const editCard =
  (d: DeskDeps, openDirect: OpenDirect): JobHandler =>
  async job => {
    const { page, person } = job.payload as EditJob
    const stored = await readPage(d.store.db, page)
    const card = (await contactsWith(d.store.db, page, person)).findLast(c => c.way === 'matrix' && c.providerId)
    if (!stored) return { kind: 'done' }
    const has = stored.page.phase !== 'resolved' && stored.page.acceptedBy.includes(person)
    if (!card && !has) return { kind: 'done' }
    const words = content({
      text: cardWords(stored.page, stored.target, await openContent(d.store, d.store.db, page), person),
    })
    try {
      if (card?.providerId && card.roomId) {
        const edit = {
          ...words,
          body: `* ${words.body}`,
          'm.new_content': words,
          'm.relates_to': { rel_type: 'm.replace', event_id: card.providerId },
        }
        await d.bot.send(card.roomId as RoomId, 'm.room.message', edit, { txnId: txnIdFor(job.id, 'edit') })
      } else {
        const roomId = await openDirect(person as UserId)
        await d.bot.send(roomId, 'm.room.message', words, { txnId: txnIdFor(job.id, 'show') })
      }
    } catch (e) {
      // Somebody who has left the chat sees no card to change.
      if (!(e instanceof MatrixRefusal) || isOutage(e)) throw e
    }
    return { kind: 'done' }
  }

export const pageCardJobs = (d: DeskDeps, openDirect: OpenDirect): Record<string, JobHandler> => ({
  'page.card': sendCard(d, openDirect),
  'page.edit': editCard(d, openDirect),
})

const give = async (
  tx: Tx,
  event: InboxEvent,
  page: string,
  said: ReadReply['answer'],
  way: AnswerWay,
): Promise<void> => {
  const by = event.sender
  const actor = { kind: 'user', id: by } as const
  // Their card is from before their role was taken away, or suspended: whoever comes next is still called.
  if (!(await isStaff(tx, by))) {
    const about = { object: { kind: 'page', id: page }, outcome: 'refused', reason: 'no-role' } as const
    await tx.audit({ actor, action: 'page.refuse', ...about, detail: { answer: said } })
    return
  }
  const turn = await answerPage(tx, clinicDuty, page, { kind: said, by, way }, actor)
  // What was understood is confirmed by the page itself.
  if (isRefusal(turn)) await say(tx, `page-answer:${event.eventId}`, { user: by }, answer(turn.sentence))
}

/** A reaction to somebody's own card; any other is only a reaction. */
export const pageByReaction = async (d: Pick<DeskDeps, 'store'>, event: InboxEvent): Promise<Effects | undefined> => {
  const relation = event.content['m.relates_to'] as
    | { event_id?: unknown; key?: unknown; rel_type?: unknown }
    | undefined
  if (
    relation?.rel_type !== 'm.annotation' ||
    typeof relation.event_id !== 'string' ||
    typeof relation.key !== 'string'
  )
    return undefined
  const said = readReaction(relation.key)
  const contact = said && (await contactByProviderId(d.store.db, relation.event_id))
  if (!said || !contact || contact.person !== event.sender || contact.roomId !== event.roomId) return undefined
  return { kind: 'done', apply: tx => give(tx, event, contact.page, said, 'reaction') }
}

/** What somebody writes in their chat with the bot, where a page waits for them: `ok`, `7Q4K`, `no 7Q4K`. Undefined: it is no answer to a page. */
export const pageByReply = async (
  d: Pick<DeskDeps, 'store'>,
  event: InboxEvent,
  text: string,
  content: Readonly<Record<string, unknown>>,
): Promise<Effects | undefined> => {
  const said = readReply(text.replace(/^(?:> .*\n)+\n?/, ''))
  if (!said) return undefined
  const relation = content['m.relates_to'] as { 'm.in_reply_to'?: { event_id?: unknown } } | undefined
  const repliedTo = relation?.['m.in_reply_to']?.event_id
  const card = typeof repliedTo === 'string' ? await contactByProviderId(d.store.db, repliedTo) : undefined
  const mine = await pagesOf(d.store.db, event.sender)
  const named = said.ref === undefined ? undefined : await pageByRef(d.store.db, said.ref)
  const open = mine.filter(p => !p.has)
  const pages = named
    ? [{ id: named.page.id, ref: named.page.ref }]
    : card?.person === event.sender
      ? [{ id: card.page, ref: '' }]
      : open
  const [only, second] = pages
  if (!only) return undefined
  if (!second) return { kind: 'done', apply: tx => give(tx, event, only.id, said.answer, 'reply') }
  const which = answer(`Which page? Answer with its reference: ${pages.map(p => p.ref).join(', ')}.`)
  return { kind: 'done', apply: tx => say(tx, `page-answer:${event.eventId}`, { user: event.sender }, which) }
}
