import type { RoomId, UserId } from '../../core/domain/ids.ts'
import { forgetEntry } from '../../core/matrix/escrow/forget-entry.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { DeletionDeps } from '../../core/records/deletion.ts'
import { isCovered } from '../../core/store/records/coverage.ts'
import { listEscrows } from '../../core/store/records/escrow.ts'
import { forgetSession } from '../../core/store/records/sessions.ts'
import type { StoreDeps } from '../../core/store/tx.ts'

/** Who removes messages in rooms of the staff: in covered ones the records bot, to which their maker's power was lent; and the escrow forgets with them. */
export const staffDeletion = ({
  store,
  homeserver,
  bot,
  records,
}: {
  store: StoreDeps
  homeserver: Homeserver
  bot: UserId
  records: UserId
}): Pick<DeletionDeps, 'classes' | 'speaker' | 'forgetSession'> => ({
  classes: ['staff', 'direct', 'role', 'desk'],
  speaker: async room => ((await isCovered(store.db, room)) ? records : bot),
  forgetSession: async (room: RoomId, session: string) => {
    for (const { owner, version } of await listEscrows(store.db))
      if (version !== null) await forgetEntry(homeserver, owner, room, session, version)
    await forgetSession(store, { room, session })
  },
})
