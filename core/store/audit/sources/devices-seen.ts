import type { Tx } from '../../tx.ts'
import { namesIn } from './homeserver-news.ts'

/**
 * Compares a person's devices and cross-signing identity with what was seen last, notes them, and writes `device.change` where they differ. Counts only: the
 * devices themselves are in the table. Safe to repeat.
 */
export const noteDevices = async (
  tx: Tx,
  user: string,
  now: { devices: readonly string[]; identity: string | null },
  serverName: string,
): Promise<void> => {
  await tx.sql.raw('select pg_advisory_xact_lock(hashtextextended(?, 2))', [`devices ${user}`])
  const seen: { devices: string[]; identity: string | null } | undefined = await tx
    .sql('device_seen')
    .where({ user_id: user })
    .first('devices', 'identity')
  const row = { devices: [...now.devices], identity: now.identity, at: tx.now }
  await tx
    .sql('device_seen')
    .insert({ user_id: user, ...row })
    .onConflict('user_id')
    .merge(row)
  const before = seen?.devices ?? []
  const added = now.devices.filter(d => !before.includes(d))
  const removed = before.filter(d => !now.devices.includes(d))
  const identity =
    (seen?.identity ?? null) === now.identity
      ? null
      : now.identity === null
        ? 'removed'
        : seen?.identity
          ? 'replaced'
          : 'new'
  if (added.length + removed.length === 0 && identity === null) return
  const { actor, patient } = (await namesIn(tx, [], [user], serverName)).user(user)
  const [only] = added.length === 1 ? added : added.length === 0 && removed.length === 1 ? removed : []
  await tx.audit({
    actor,
    action: 'device.change',
    object: actor.kind === 'person' ? { kind: 'person', id: actor.id } : { kind: 'device', id: only ?? 'several' },
    outcome: 'done',
    ...(patient ? { patient } : {}),
    ...(seen ? {} : { reason: 'first-seen' }),
    detail: { added: added.length, removed: removed.length, ...(identity ? { identity } : {}) },
  })
}
