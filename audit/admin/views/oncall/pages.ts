import { z } from 'zod'
import { type OpenPageState, openPageStates } from '../../../../core/store/oncall/open-pages.ts'
import { onCallRoles } from '../../../../core/store/oncall/read.ts'
import type { OpenPage, OpenPages, PageState } from '../../../../web/oncall-contract.ts'
import { view } from '../view.ts'
import { namesFor } from './duty.ts'

/** More than anybody can look at; how many there are in all is said. */
const most = 200

const escalatesTo = ({ phase, queue, plan, step, round }: OpenPageState['page']): OpenPage['escalatesTo'] => {
  if (phase !== 'open') return null
  if (queue.length > 0) return 'next-person'
  if (round < (plan.steps[step]?.repeat ?? 0)) return 'again'
  return step + 1 < plan.steps.length ? 'next-step' : 'fallback'
}

/** The stored page without what it is about, and without who wrote it. */
const shown = ({ page, target, createdAt }: OpenPageState, roles: ReadonlyMap<string, string>): OpenPage => {
  const [, kind, name = ''] = /^(\S+) (.+)$/.exec(target) ?? []
  const step = page.plan.steps[page.step]
  const contacts = page.asked.flatMap(a =>
    (a.state === 'asked' || a.state === 'ignored') && a.ladder.dueAt !== null ? [a.ladder.dueAt] : [],
  )
  return {
    ref: page.ref,
    priority: page.priority,
    state: page.phase as PageState,
    target: name,
    role: kind === 'role' ? (roles.get(name) ?? name) : null,
    createdAt,
    count: page.count,
    step: Math.min(page.step + 1, page.plan.steps.length),
    steps: page.plan.steps.length,
    round: page.round + 1,
    rounds: (step?.repeat ?? 0) + 1,
    waitsFor: page.asked.filter(a => a.state === 'asked').map(a => a.person),
    acceptedBy: [...page.acceptedBy],
    handedTo: [...(page.handover?.to ?? [])],
    escalatesAt: page.phase === 'exhausted' ? null : page.dueAt,
    escalatesTo: escalatesTo(page),
    contactAt: contacts.length === 0 ? null : Math.min(...contacts),
  }
}

/** The pages that are not over: where each stands, and what happens next. */
export const pages = view({
  name: 'pages',
  needs: ['supervisor', 'admin'],
  follow: true,
  body: z.strictObject({}),
  read: async ({ tx }) => {
    const open = await openPageStates(tx.sql, most)
    const roles = new Map((await onCallRoles(tx)).map(({ role }) => [role.key, role.name]))
    const list = open.pages.map(p => shown(p, roles))
    const people = list.flatMap(p => [
      ...p.waitsFor,
      ...p.acceptedBy,
      ...p.handedTo,
      ...(p.role === null ? [p.target] : []),
    ])
    const answer: OpenPages = { pages: list, total: open.total, names: await namesFor(tx, people), now: tx.now }
    return { answer, seen: { detail: { pages: open.total } } }
  },
})
