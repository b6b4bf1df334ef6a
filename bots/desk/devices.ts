import { deviceState } from '../../core/matrix/bot/device-list.ts'
import type { JobHandler } from '../../core/queues/outbox-worker.ts'
import { noteDevices } from '../../core/store/audit/sources/devices-seen.ts'
import type { DeskDeps } from './deps.ts'

/** `desk.devices`: the homeserver said that a person's devices or identity changed, without saying how; the log has what differs. */
export const lookAtDevices =
  (d: DeskDeps): JobHandler =>
  async job => {
    const { user } = job.payload as { user: string }
    const now = await deviceState(d.homeserver, d.bot.userId, user)
    return { kind: 'done', apply: tx => noteDevices(tx, user, now, d.serverName) }
  }
