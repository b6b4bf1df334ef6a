import type { Coverage } from '../../../core/domain/records/coverage.ts'
import { type CoveredRoom, coverageReport } from '../../../core/store/records/coverage.ts'
import { listEscrows } from '../../../core/store/records/escrow.ts'
import { answer, fields, table } from '../../framework/answer.ts'
import { command } from '../../framework/command.ts'

const policyWords: Record<Coverage, string> = {
  none: 'no room: nobody keeps records of what staff write to one another',
  staff: 'staff rooms; direct chats are not covered',
  staff_and_direct: 'staff rooms and direct chats',
}

const reasons: Record<string, string> = {
  banned: 'the records bot is banned there',
  nobody_may_invite: 'no member of this homeserver may invite',
  nobody_may_name_it: 'no member may name the bot as a service, without which the chat would not look like one of two',
}

const remark = ({ state, reason, unread }: CoveredRoom): string =>
  state === 'impossible'
    ? (reasons[reason ?? ''] ?? 'the homeserver refused it')
    : `${unread} messages without their key: the sender’s client did not share it with the bot`

export const retentionCoverage = command({
  words: ['retention', 'coverage'],
  needs: ['compliance', 'admin'],
  args: {},
  help: 'Of which rooms of the staff records are kept, and where that is not possible.',
  detail: 'Which rooms are covered is the setting records.coverage. Care rooms never are.',
  run: async ({ tx, sender, settings }) => {
    const { counts, notable } = await coverageReport(tx.sql)
    const escrows = (await listEscrows(tx.sql)).filter(e => e.version !== null)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId },
      action: 'retention.view',
      object: { kind: 'policy', id: 'coverage' },
      outcome: 'done',
    })
    const rooms = (kind: string, ...states: string[]) =>
      String(counts.filter(c => c.class === kind && states.includes(c.state)).reduce((n, c) => n + c.rooms, 0))
    const newest = escrows.at(-1)
    return answer(
      fields(
        ['Covered', policyWords[settings['records.coverage']]],
        ['Staff rooms with the bot', rooms('staff', 'covered')],
        ['Direct chats with the bot', rooms('direct', 'covered')],
        [
          'Rooms where it is not possible',
          String(counts.filter(c => c.state === 'impossible').reduce((n, c) => n + c.rooms, 0)),
        ],
        [
          'Key escrow',
          newest
            ? `since ${new Date(newest.createdAt).toISOString().slice(0, 10)}; only officers together open it`
            : 'none yet',
        ],
      ),
      ...(notable.length > 0
        ? table(
            ['Room', 'Class', ''],
            notable.map(r => [`https://matrix.to/#/${r.room}`, r.class, remark(r)]),
          )
        : []),
    )
  },
})
