import { wallClock } from '../../../core/domain/audit/period.ts'
import { logState } from '../../../core/store/audit/log/log-state.ts'
import { sinkHealth } from '../../../core/store/sinks/sinks.ts'
import { answer, fields, heading, table } from '../../framework/answer.ts'
import { command } from '../../framework/command.ts'
import { ago } from '../patient-status.ts'

export const auditStatus = command({
  words: ['audit', 'status'],
  needs: ['compliance', 'admin'],
  args: {},
  help: 'How the audit log is: its size, its newest checkpoint, what waits, its sinks, and who outside holds a checkpoint.',
  run: async ({ tx, sender, settings }) => {
    const zone = settings['clinic.time_zone']
    const when = (at: number) => {
      const { day, time } = wallClock(at, zone)
      return `${day} ${time} (${ago(at, tx.now)})`
    }
    const log = await logState(tx.sql)
    const sinks = await sinkHealth(tx.sql, tx.now)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'audit.view',
      object: { kind: 'audit', id: 'status' },
      outcome: 'done',
    })
    const waits =
      log.waiting.oldest === null
        ? 'nothing'
        : `${log.waiting.events} events, the oldest ${ago(log.waiting.oldest, tx.now)}`
    return answer(
      fields(
        ['Entries', String(log.latest?.size ?? 0)],
        ['Newest checkpoint', log.latest ? when(log.latest.at) : 'none yet: does the audit process run?'],
        ...(log.latest ? [['Root', Buffer.from(log.latest.root).toString('base64')] as const] : []),
        ['Waiting to come in', waits],
        ...(log.first > 0 ? [['Pruned', `entries before #${log.first}`] as const] : []),
      ),
      heading('Exported to'),
      ...(sinks.length === 0
        ? ['No sink. !audit sink add makes one.']
        : table(
            ['Sink', 'Type', 'State', 'Waiting', 'Set aside', 'Last error'],
            sinks.map(s => [s.name, s.type, s.state, String(s.lagEntries), String(s.dead), s.lastErrorCode ?? '']),
          )),
      heading('Checkpoints kept outside'),
      ...(log.pins.length + log.witnesses.length === 0
        ? ['None: without one, nobody could show that the whole log was replaced.']
        : table(
            ['Where', 'Entries', 'When', 'State'],
            [
              ...log.pins.map(p => [p.place, String(p.size), p.at > 0 ? when(p.at) : '', p.failing ?? 'ok']),
              ...log.witnesses.map(w => [`witness ${w.name}`, String(w.size), when(w.at), 'cosigned']),
            ],
          )),
    )
  },
})
