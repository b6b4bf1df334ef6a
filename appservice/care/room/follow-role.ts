import type { RoomId, UserId } from '../../../core/domain/ids.ts'
import { permits } from '../../../core/domain/roles.ts'
import { MatrixRefusal } from '../../../core/matrix/homeserver.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { listPatients } from '../../../core/store/patients/patients.ts'
import { listGrants } from '../../../core/store/staff/roles.ts'
import type { CareDeps } from '../deps.ts'

/** Takes a person out of a room as its owner; false when they were not in it. */
export const removeMember = async (deps: CareDeps, owner: UserId, roomId: RoomId, user: UserId): Promise<boolean> => {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/kick`
  try {
    const body = { user_id: user, reason: 'No longer part of the care team.' }
    await deps.homeserver.request('POST', path, { userId: owner, body })
    return true
  } catch (e) {
    if (e instanceof MatrixRefusal && e.status === 403) return false
    throw e
  }
}

/**
 * Job `care.follow-role`: somebody who lost the roles clinician and supervisor, or whose identity changed, leaves every care room; what is written from then on
 * is not encrypted for them (row 20). One who still holds such a role is left alone.
 */
export const followRole =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { user } = job.payload as { user: UserId }
    const held = (await listGrants(deps.store.db, { userId: user }))
      .filter(g => g.suspendedAt === null)
      .map(g => g.role)
    if (permits(held, ['clinician'])) return { kind: 'done' }
    const left: { roomId: RoomId; patient: string }[] = []
    for (const { id, roomId, serviceUser } of await listPatients(deps.store.db))
      if (roomId && serviceUser && (await removeMember(deps, serviceUser, roomId, user)))
        left.push({ roomId, patient: id })
    return {
      kind: 'done',
      apply: async tx => {
        for (const { roomId, patient } of left)
          await tx.audit({
            actor: { kind: 'service', id: 'bridge' },
            action: 'room.member',
            object: { kind: 'room', id: roomId },
            outcome: 'done',
            reason: 'role-lost',
            patient,
            room: roomId,
            detail: { removed: true },
          })
      },
    }
  }
