import { minutes } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { ensureUser } from '../../../core/matrix/our-users.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { cliniciansGranted } from '../../../core/store/patients/care.ts'
import type { CareDeps } from '../deps.ts'

/** How often the list is published although nothing changed, and how long the homeserver may believe it: a Wardroom that is away lets nobody in. */
export const staffListTimes = { everyMs: minutes(5), lifeMs: minutes(15) }

type ListDeps = Pick<CareDeps, 'store' | 'homeserver'> & { ghosts: Pick<CareDeps['ghosts'], 'serverName'> }

/**
 * Tells the Synapse module whom members may invite into care rooms: the holders of a clinical role, as account data of `@r_staff`, a service user that is in
 * no room (docs/decisions, "who may be invited into a care room"). Only our application service can write it; the module reads it from Synapse's own cache.
 */
export const publishStaff = async ({ store, homeserver, ghosts }: ListDeps): Promise<void> => {
  const userId = `@r_staff:${ghosts.serverName}` as UserId
  await ensureUser(homeserver, userId)
  const users = await cliniciansGranted(store.db)
  const path = `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/org.wardroom.staff`
  await homeserver.request('PUT', path, { userId, body: { users, until: store.clock.now() + staffListTimes.lifeMs } })
}

/** Job `care.staff-list`: after every change of a role. */
export const staffList =
  (deps: CareDeps): JobHandler =>
  async () => {
    await publishStaff(deps)
    return { kind: 'done' }
  }
