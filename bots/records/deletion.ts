import type { RoomId, UserId } from '../../core/domain/ids.ts'
import { forgetEntry } from '../../core/matrix/escrow/forget-entry.ts'
import type { DeletionDeps } from '../../core/records/deletion.ts'
import { isCovered } from '../../core/store/records/coverage.ts'
import { listEscrows } from '../../core/store/records/escrow.ts'
import { forgetSession, isInUse, sessionsOver } from '../../core/store/records/sessions.ts'

type Deps = Pick<DeletionDeps, 'store' | 'homeserver'>

/** Nothing living is left of a session that nobody uses any more: the escrow forgets its key. */
const forgetEverywhere = async ({ store, homeserver }: Deps, room: RoomId, session: string): Promise<void> => {
  for (const { owner, version } of await listEscrows(store.db))
    if (version !== null) await forgetEntry(homeserver, owner, room, session, version)
  await forgetSession(store, { room, session })
}

/** What a deletion run left because somebody might still have written in the session. */
export const forgetOver = async (d: Deps): Promise<void> => {
  for (const { room, session, dead } of await sessionsOver(d.store)) {
    if (dead) await forgetEverywhere(d, room as RoomId, session)
    else await forgetSession(d.store, { room, session })
  }
}

/** Who removes messages in rooms of the staff: in covered ones the records bot, to which their maker's power was lent; and the escrow forgets with them. */
export const staffDeletion = ({
  store,
  homeserver,
  bot,
  records,
}: Deps & { bot: UserId; records: UserId }): Pick<DeletionDeps, 'classes' | 'speaker' | 'forgetSession'> => ({
  classes: ['staff', 'direct', 'role', 'desk'],
  speaker: async room => ((await isCovered(store.db, room)) ? records : bot),
  // A key that is thrown away while its session goes on would be missing for what is said next.
  forgetSession: async (room: RoomId, session: string) => {
    if (!(await isInUse(store, { room, session }))) await forgetEverywhere({ store, homeserver }, room, session)
  },
})
