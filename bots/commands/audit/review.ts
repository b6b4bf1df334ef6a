import { monthOf, wallClock } from '../../../core/domain/audit/period.ts'
import { accessReport, lastActs } from '../../../core/store/audit/reports.ts'
import { listGrants } from '../../../core/store/staff/roles.ts'
import { answer, heading, list, literal, table } from '../../framework/answer.ts'
import { command } from '../../framework/command.ts'
import { monthArg } from './audit-args.ts'
import { overheard } from './timeline.ts'

/** An access review (row 23): everybody who may do something, beside what they did, so that somebody can say of each whether it is still right. */
export const reviewAccess = command({
  words: ['review', 'access'],
  needs: 'compliance',
  args: { month: monthArg() },
  help: 'Everybody with a role, since when, when they last did something and with how many patients they dealt in a month; first who is unlike the others, who did nothing, and who dealt with patients without a role.',
  detail: 'More of a month: !audit report access. A role that is not needed any more: !role revoke.',
  run: async (context, { month: asked }) => {
    const { tx, sender, settings } = context
    const stopped = overheard(context)
    if (stopped) return stopped
    const zone = settings['clinic.time_zone']
    const month = asked ?? monthOf(tx.now, zone)
    const grants = await listGrants(tx.sql)
    const people = [...new Set(grants.map(g => g.userId as string))].sort()
    const report = await accessReport(tx.sql, month)
    const acts = await lastActs(tx.sql, people)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'audit.report',
      object: { kind: 'report', id: `review ${month}` },
      outcome: 'done',
    })
    const of = (user: string) => report.users.find(u => u.user === user)
    const day = (at: number | undefined) => (at === undefined ? 'never' : wallClock(at, zone).day)
    const begin = report.period.from
    const look = [
      ...report.users.filter(u => u.why.length > 0).map(u => `${u.user}: ${u.why.join('; ')}`),
      ...report.users
        .filter(u => !people.includes(u.user))
        .map(u => `${u.user}: dealt with ${u.patients} patients, and has no role now`),
      ...people
        .filter(p => (acts.get(p) ?? 0) < begin && grants.some(g => g.userId === p && g.grantedAt < begin))
        .map(p => `${p}: has a role and did nothing since that month began`),
      ...[
        ...new Set(
          grants.filter(g => g.suspendedAt !== null).map(g => `${g.userId}: suspended; grant again or revoke`),
        ),
      ],
    ]
    return answer(
      `Access review, ${month} (${zone}): ${people.length} people with a role.`,
      ...(look.length === 0 ? ['Nobody stands out.'] : [heading('To look at'), literal(list(look.slice(0, 30)))]),
      ...table(
        ['Role', 'Person', 'Since', 'By', 'Last act', 'Patients'],
        grants.map(g => [
          g.suspendedAt === null ? g.role : `${g.role} (suspended)`,
          g.userId,
          day(g.grantedAt),
          g.grantedBy,
          day(acts.get(g.userId)),
          String(of(g.userId)?.patients ?? 0),
        ]),
      ).map(literal),
    )
  },
})
