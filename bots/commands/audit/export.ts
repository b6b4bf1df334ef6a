import type { LogJob } from '../../../core/domain/audit/log-job.ts'
import { refuse } from '../../../core/domain/refusal.ts'
import { latestCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { answer } from '../../framework/answer.ts'
import { type CommandContext, command } from '../../framework/command.ts'

/** Gives the work to the audit process, one at a time, and says how large the log is; undefined while there is no log. */
const order = async (context: CommandContext, kind: 'audit.export' | 'audit.verify'): Promise<number | undefined> => {
  const { tx, sender, room, eventId, thread } = context
  const latest = await latestCheckpoint(tx.sql)
  if (!latest) return undefined
  const payload: LogJob = {
    by: { kind: 'user', id: sender.userId, device: sender.deviceId },
    room: room.roomId,
    thread,
  }
  await tx.enqueue({ queue: 'audit', kind, key: `${kind}:${eventId}`, lane: 'log', payload })
  return latest.size
}

const empty = refuse('no-log', 'The log has no checkpoint yet: does the audit process run?')

export const auditExport = command({
  words: ['audit', 'export'],
  needs: 'compliance',
  args: {},
  help: 'Write the whole log to a folder on the server that anybody can verify with tools of their own.',
  detail: 'The folder holds commitments, no patient; `wardroom audit verify` and other C2SP tools check it.',
  run: async context => {
    const size = await order(context, 'audit.export')
    if (size === undefined) return empty
    const { tx, sender } = context
    // Recorded before anything leaves: an export that breaks off has left something, too.
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'audit.export',
      object: { kind: 'audit', id: 'log' },
      outcome: 'done',
      detail: { count: size },
    })
    return answer(`${size} entries are being exported. I say here where they are.`)
  },
})

export const auditVerify = command({
  words: ['audit', 'verify'],
  needs: 'compliance',
  args: {},
  help: 'Compute the whole log again and compare it with its signed checkpoints and with those that are kept outside.',
  run: async context => {
    const size = await order(context, 'audit.verify')
    return size === undefined ? empty : answer(`${size} entries are being verified. I say here how it went.`)
  },
})
