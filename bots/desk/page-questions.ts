import type { EventId, RoomId, UserId } from '../../core/domain/ids.ts'
import { guardWords } from '../../core/domain/oncall/admission/misdirection.ts'
import { choiceKeys, readChoice } from '../../core/domain/oncall/paging/reply.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { clinicDuty } from '../../core/oncall/pages/clinic-duty.ts'
import type { AskJob } from '../../core/oncall/pages/commit-turns.ts'
import { answerPage } from '../../core/oncall/pages/engine.ts'
import { localName } from '../../core/oncall/pages/look-up.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { type JobHandler, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { putQuestion, questionOf, readPage } from '../../core/store/oncall/pages.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { answer } from '../framework/answer.ts'
import { say } from '../framework/say.ts'
import type { DeskDeps } from './deps.ts'
import { content } from './message-content.ts'

/** `page.ask`: is this page meant for them? The right people are one tap away each: the bot's own reactions are the buttons. */
export const askSender =
  (d: DeskDeps, openDirect: (user: UserId) => Promise<RoomId>): JobHandler =>
  async job => {
    const { page: id, person } = job.payload as AskJob
    const stored = await readPage(d.store.db, id)
    const guard = stored?.page.guard
    if (!stored || !guard || stored.page.phase !== 'asking') return { kind: 'done' }
    const choices = choiceKeys(guard)
    const names = (people: readonly string[]) => people.map(localName).join(', ')
    const taps = choices.map(c => `${c.key} ${names(c.people)}${c.people === guard.intended ? ' all the same' : ''}`)
    const text = [
      `${stored.page.ref}: ${guardWords(guard.reasons, localName)} Nobody is called yet. Tap whom to page:`,
      taps.join(' · '),
      `Or write !choose ${stored.page.ref} @somebody. Without your word everybody named here is paged.`,
    ].join('\n')
    const roomId = await openDirect(person as UserId)
    const eventId = await d.bot.send(roomId, 'm.room.message', content({ text }), { txnId: txnIdFor(job.id, 'ask') })
    for (const { key } of choices)
      await d.bot.react(roomId, eventId as EventId, key, { txnId: txnIdFor(job.id, `tap ${key}`) })
    return { kind: 'done', apply: tx => putQuestion(tx, { eventId, page: id, person, roomId }) }
  }

/** The sender's tap under the guard's question; any other reaction is only a reaction. */
export const choiceByReaction = async (d: Pick<DeskDeps, 'store'>, event: InboxEvent): Promise<Effects | undefined> => {
  const relation = event.content['m.relates_to'] as
    | { event_id?: unknown; key?: unknown; rel_type?: unknown }
    | undefined
  const { event_id: about, key } = relation ?? {}
  if (relation?.rel_type !== 'm.annotation' || typeof about !== 'string' || typeof key !== 'string') return undefined
  const asked = await questionOf(d.store.db, about)
  if (!asked || asked.person !== event.sender || asked.roomId !== event.roomId) return undefined
  const stored = await readPage(d.store.db, asked.page)
  const people = stored?.page.guard ? readChoice(stored.page.guard, key) : undefined
  if (!stored || !people) return undefined
  const by = event.sender
  return {
    kind: 'done',
    apply: async tx => {
      const turn = await answerPage(
        tx,
        clinicDuty,
        asked.page,
        { kind: 'choose', by, people },
        { kind: 'user', id: by },
      )
      const said = isRefusal(turn) ? turn.sentence : `${stored.page.ref}: goes to ${people.map(localName).join(', ')}.`
      await say(tx, `page-choice:${event.eventId}`, { user: by }, answer(said))
    },
  }
}
