import type { Actor } from '../../domain/audit/event.ts'
import type { Instant } from '../../domain/clock.ts'
import { advance } from '../../domain/oncall/paging/escalation.ts'
import { onEvent } from '../../domain/oncall/paging/events.ts'
import type { Page, PageEvent, Turn } from '../../domain/oncall/paging/page.ts'
import { isDue } from '../../domain/oncall/paging/timeline.ts'
import { withoutChat } from '../../domain/oncall/paging/without-chat.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { isChatAway } from '../../store/oncall/chat-away.ts'
import { endContact, noteAnswered } from '../../store/oncall/page-contacts.ts'
import { lockFreePages, lockPage, noteTimeline, type StoredPage } from '../../store/oncall/pages.ts'
import type { Tx } from '../../store/tx.ts'
import { type CommittedTurn, commitTurns } from './commit-turns.ts'
import type { Duty } from './duty.ts'
import { type LookedUp, lookUp } from './look-up.ts'

/** The turn as it can be now: without cards where the homeserver is away. */
export const onlyWhatGoes = (turn: Turn, now: Instant, ports: LookedUp): Turn =>
  ports.chatAway ? withoutChat(turn, now, ports) : turn

export const pager: Actor = { kind: 'service', id: 'pages' }

/** Does what is due of these pages, in one transaction; how many were free and due. */
export const advancePages = async (tx: Tx, duty: Duty, ids: readonly string[]): Promise<number> => {
  const due = (await lockFreePages(tx, ids)).filter(s => isDue(s.page, tx.now))
  const turns: CommittedTurn[] = []
  const chatAway = due.length > 0 && (await isChatAway(tx.sql))
  for (const stored of due) {
    const ports = await lookUp(tx, duty, { page: stored.page, chatAway })
    const turn = onlyWhatGoes(advance(stored.page, tx.now, ports), tx.now, ports)
    turns.push({ stored, turn, actor: pager, ports })
  }
  await commitTurns(tx, turns)
  return due.length
}

const byOf = (e: PageEvent): string | undefined => ('by' in e ? e.by : undefined)

const answered = async (tx: Tx, page: Page, e: PageEvent): Promise<void> => {
  const by = byOf(e)
  if (by === undefined || e.kind === 'again' || e.kind === 'raise') return
  const what = { kind: 'answer', by, answer: e.kind, ...('way' in e ? { way: e.way } : {}) } as const
  await noteTimeline(tx, [{ page: page.id, what }])
  if (e.kind === 'accept' || e.kind === 'decline') await noteAnswered(tx, page.id, by)
}

/** An answer to a page, or a report about it, in the caller's transaction. A refusal changes nothing; it stands in the timeline and the audit log. */
export const answerPage = async (
  tx: Tx,
  duty: Duty,
  id: string,
  event: PageEvent,
  actor: Actor = pager,
): Promise<StoredPage | Refusal> => {
  const stored = await lockPage(tx, id)
  if (!stored) return refuse('unknown-page', 'There is no such page.')
  if (stored.closedAt !== null && stored.page.phase !== 'resolved')
    return refuse('closed', 'This page was closed long ago.')
  const ports = await lookUp(tx, duty, { page: stored.page, event })
  const given = onEvent(stored.page, event, tx.now, ports)
  const turn = isRefusal(given) ? given : onlyWhatGoes(given, tx.now, ports)
  if (isRefusal(turn)) {
    const by = byOf(event)
    if (by !== undefined)
      await noteTimeline(tx, [{ page: id, what: { kind: 'refused', by, answer: event.kind, code: turn.code } }])
    await tx.audit({
      actor,
      action: 'page.refuse',
      object: { kind: 'page', id: stored.page.ref },
      outcome: 'refused',
      reason: turn.code,
      detail: { answer: event.kind },
    })
    return turn
  }
  await answered(tx, turn.page, event)
  await commitTurns(tx, [{ stored, turn, actor, ports }])
  return { ...stored, page: turn.page, version: stored.version + 1 }
}

/** A contact failed for good: the next rung of the person's ladder is taken. Told twice, it counts once. */
export const contactFailed = async (
  tx: Tx,
  duty: Duty,
  contact: { page: string; key: string },
  error: string,
): Promise<void> => {
  // The page before its contacts, as everywhere: two transactions never wait for one another.
  if (!(await lockPage(tx, contact.page))) return
  if (await endContact(tx, contact, 'failed', error))
    await answerPage(tx, duty, contact.page, { kind: 'failed', key: contact.key })
}
