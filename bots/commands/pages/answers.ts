import { days } from '../../../core/domain/clock.ts'
import { loadReport } from '../../../core/domain/oncall/admission/load.ts'
import type { PageEvent } from '../../../core/domain/oncall/paging/page.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { answerPage } from '../../../core/oncall/pages/engine.ts'
import { localName } from '../../../core/oncall/pages/look-up.ts'
import { answeredBetween, pagesOf } from '../../../core/store/oncall/page-contacts.ts'
import { openPages, pageByRef, readPage } from '../../../core/store/oncall/pages.ts'
import { type Answer, answer, table } from '../../framework/answer.ts'
import { optional } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { keepers, notStaff, peopleArg, staff } from '../oncall/args.ts'
import { refArg, targetArg } from './page-words.ts'

/** The page that is meant: by its reference, or the only one that wants this person (or that they have). */
const meant = async (
  { tx, sender }: CommandContext,
  ref: string | undefined,
  has: boolean,
): Promise<{ id: string; ref: string } | Refusal> => {
  if (ref !== undefined) {
    const stored = await pageByRef(tx.sql, ref)
    return stored ? { id: stored.page.id, ref } : refuse('unknown-page', `There is no page ${ref}.`)
  }
  const mine = (await pagesOf(tx.sql, sender.userId)).filter(p => p.has === has)
  const [only, second] = mine
  if (!only) return refuse('no-page', 'No page waits for you. !pages shows those that are open.')
  return second ? refuse('which-page', `Which page? ${mine.map(p => p.ref).join(', ')}`) : only
}

/** A slip in a reference must not end somebody else's page, for which people are still being called: that is for those whom it concerns, and for whoever keeps the schedules. */
const mayNotEnd = async ({ tx, sender }: CommandContext, { id, ref }: Page): Promise<Refusal | undefined> => {
  const page = (await readPage(tx.sql, id))?.page
  const concerned = [...(page?.senders ?? []), ...(page?.acceptedBy ?? []), ...(page?.asked ?? []).map(a => a.person)]
  if (concerned.includes(sender.userId) || sender.roles.some(r => keepers.includes(r))) return undefined
  return refuse('not-yours', `${ref} is neither yours nor from you. To take it and then end it: !accept ${ref}`)
}

type Page = { id: string; ref: string }

const give = async (
  c: CommandContext,
  ref: string | undefined,
  event: PageEvent,
  said: (ref: string) => string,
): Promise<Answer | Refusal> => {
  const page = await meant(c, ref, event.kind === 'resolve' || event.kind === 'hand_over')
  if (isRefusal(page)) return page
  const stranger = event.kind === 'resolve' ? await mayNotEnd(c, page) : undefined
  if (stranger) return stranger
  const actor = { kind: 'user', id: c.sender.userId, device: c.sender.deviceId } as const
  const turn = await answerPage(c.tx, clinicDuty, page.id, event, actor)
  return isRefusal(turn) ? turn : answer(said(page.ref))
}

export const pageAccept = command({
  words: ['accept'],
  needs: staff,
  args: { ref: optional(refArg()) },
  help: 'Take a page, so that nobody else is called.',
  run: (c, { ref }) => give(c, ref, { kind: 'accept', by: c.sender.userId, way: 'command' }, r => `${r}: taken.`),
})

export const pageDecline = command({
  words: ['decline'],
  needs: staff,
  args: { ref: optional(refArg()) },
  help: 'Decline a page, or give back one that you took: the next person is called at once.',
  run: (c, { ref }) => give(c, ref, { kind: 'decline', by: c.sender.userId, way: 'command' }, r => `${r}: declined.`),
})

export const pageHandover = command({
  words: ['handover'],
  needs: staff,
  args: { ref: refArg(), to: targetArg() },
  help: 'Hand a page over to a person or to whoever has a role; it stays yours until they take it.',
  run: async (c, { ref, to }) =>
    (to.kind === 'user' ? await notStaff(c.tx, [to.user]) : undefined) ??
    give(c, ref, { kind: 'hand_over', by: c.sender.userId, to }, r => `${r}: they are being called.`),
})

export const pageResolve = command({
  words: ['resolve'],
  needs: staff,
  args: { ref: optional(refArg()) },
  help: 'End a page: what it was about is done.',
  run: (c, { ref }) => give(c, ref, { kind: 'resolve', by: c.sender.userId }, r => `${r}: resolved.`),
})

export const pageChoose = command({
  words: ['choose'],
  needs: staff,
  args: { ref: refArg(), people: peopleArg() },
  help: 'Say whom a page is to reach, after you were asked because somebody is off shift, away or has a namesake.',
  run: async (c, { ref, people }) =>
    (await notStaff(c.tx, people)) ??
    give(
      c,
      ref,
      { kind: 'choose', by: c.sender.userId, people },
      r => `${r}: goes to ${people.map(localName).join(', ')}.`,
    ),
})

export const pageList = command({
  words: ['pages'],
  needs: staff,
  args: {},
  help: 'The pages that are open, the most urgent first; never what they are about.',
  views: 'page.view',
  run: async ({ tx }) => {
    const pages = await openPages(tx.sql)
    if (pages.length === 0) return answer('No page is open.')
    const minutes = (at: number) => `${Math.max(0, Math.round((tx.now - at) / 60_000))} min`
    return answer(
      ...table(
        ['Page', 'Priority', 'For', 'Since', 'State'],
        pages.map(p => [
          p.count > 1 ? `${p.ref} ×${p.count}` : p.ref,
          p.priority,
          p.target,
          minutes(p.createdAt),
          p.acceptedBy.length > 0 ? `${p.phase}: ${p.acceptedBy.map(localName).join(', ')}` : p.phase,
        ]),
      ),
    )
  },
})

export const oncallLoad = command({
  words: ['oncall', 'load'],
  needs: keepers,
  args: {},
  help: 'How often pages interrupted each person in the last seven days, and how soon they answered.',
  views: 'page.view',
  run: async ({ tx, settings }) => {
    const from = tx.now - days(7)
    const zone = settings['clinic.time_zone']
    const hour = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' })
    const isNight = (_: string, at: number) => {
      const h = Number(hour.format(at))
      return h >= 22 || h < 7
    }
    const rows = loadReport(await answeredBetween(tx.sql, from, tx.now), { from, to: tx.now, isNight })
    if (rows.length === 0) return answer('Nobody was paged in the last seven days.')
    return answer(
      ...table(
        ['Person', 'Pages', 'stat/urgent/routine', 'At night', 'Over budget', 'Unanswered', 'Half within'],
        rows.map(r => [
          localName(r.person),
          String(r.total),
          `${r.stat}/${r.urgent}/${r.routine}`,
          String(r.night),
          String(r.overBudget),
          String(r.unanswered),
          r.medianMs === null ? '–' : `${Math.round(r.medianMs / 1000)} s`,
        ]),
      ),
    )
  },
})
