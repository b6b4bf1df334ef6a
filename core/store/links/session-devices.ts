import type { DeviceId, SessionId } from '../../domain/ids.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

/** A Matrix device that a session made, whether or not it is there still. */
export type SessionDevice = { deviceId: DeviceId; userId: string; sessionId: SessionId }

/**
 * Devices that must not be there any more: their session has ended or has moved to another device. `one` narrows to a session. A device younger than ten
 * seconds waits, because its creation at the homeserver may be under way, unless `one` is given.
 */
export const doomedDevices = async (db: Db, now: number, one?: SessionId): Promise<SessionDevice[]> => {
  const rows: { device_id: DeviceId; user_id: string; session_id: SessionId }[] = await db('session_device as d')
    .join('session as s', 's.id', 'd.session_id')
    .whereNull('d.gone_at')
    .whereRaw('(s.ended_at is not null or s.device_id is distinct from d.device_id)')
    .modify(q => (one ? q.where('s.id', one) : q.where('d.created_at', '<', now - 10_000)))
    .select('d.device_id', 'd.user_id', 'd.session_id')
    .limit(200)
  return rows.map(r => ({ deviceId: r.device_id, userId: r.user_id, sessionId: r.session_id }))
}

/** The homeserver has deleted the device. */
export const markDeviceGone = async (tx: Tx, d: SessionDevice): Promise<void> => {
  const changed = await tx
    .sql('session_device')
    .where({ device_id: d.deviceId })
    .whereNull('gone_at')
    .update({ gone_at: tx.now })
  if (changed > 0)
    await tx.audit({
      actor: { kind: 'service', id: 'sessions' },
      action: 'device.delete',
      object: { kind: 'device', id: d.deviceId },
      outcome: 'done',
    })
}

/**
 * Was the device given up while the homeserver was still making it? Then it counts as there again, so that it is deleted once more.
 * Call it after the homeserver has confirmed the creation.
 */
export const deviceCameLate = async (tx: Tx, device: DeviceId): Promise<boolean> => {
  const row = await tx
    .sql('session_device as d')
    .join('session as s', 's.id', 'd.session_id')
    .where('d.device_id', device)
    .first('s.ended_at', 's.device_id')
  if (!row || (row.ended_at === null && row.device_id === device)) return false
  await tx.sql('session_device').where({ device_id: device }).update({ gone_at: null })
  return true
}
