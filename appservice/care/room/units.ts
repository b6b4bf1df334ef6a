import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unitSlug } from '../../../core/domain/care/care-room.ts'
import type { RoomId, UserId } from '../../../core/domain/ids.ts'
import { assetMxc, recordRoom, spaceOf, storeAsset } from '../../../core/store/patients/care.ts'
import { transact } from '../../../core/store/tx.ts'
import type { CareDeps } from '../deps.ts'

const unitUser = (deps: CareDeps, unit: string): UserId =>
  `@r_unit_${unitSlug(unit)}:${deps.ghosts.serverName}` as UserId

/** The Matrix Space of a unit, made the first time that it is needed. Its owner is in no care room. */
export const unitSpace = async (deps: CareDeps, unit: string): Promise<RoomId> => {
  const known = await spaceOf(deps.store.db, unit)
  if (known) return known
  const owner = unitUser(deps, unit)
  await deps.ghosts.ensure(owner)
  const [existing] = await deps.ghosts.roomsOf(owner)
  const space =
    existing ??
    (await deps.ghosts.createRoom(owner, {
      preset: 'private_chat',
      room_version: '11',
      name: unit,
      creation_content: { type: 'm.space' },
      power_level_content_override: { events_default: 100, invite: 50 },
    }))
  await transact(deps.store, async tx => {
    await recordRoom(tx, { roomId: space, class: 'space', unit, by: owner })
    await tx.audit({
      actor: { kind: 'service', id: 'bridge' },
      action: 'room.create',
      object: { kind: 'room', id: space },
      outcome: 'done',
      room: space,
      detail: { class: 'space' },
    })
  })
  return space
}

/** Lists a care room in its unit's Space; closing takes it out again. */
export const addToSpace = async (deps: CareDeps, unit: string, room: RoomId): Promise<void> => {
  await deps.ghosts.setState(
    unitUser(deps, unit),
    await unitSpace(deps, unit),
    'm.space.child',
    { via: [deps.ghosts.serverName] },
    room,
  )
}

export const removeFromSpace = async (deps: CareDeps, unit: string, room: RoomId): Promise<void> => {
  await deps.ghosts.setState(unitUser(deps, unit), await unitSpace(deps, unit), 'm.space.child', {}, room)
}

/** Invites staff to a unit's Space, so that their client shows its care rooms together. */
export const inviteToSpace = async (deps: CareDeps, unit: string, users: readonly string[]): Promise<void> => {
  const space = await unitSpace(deps, unit)
  for (const user of users) await deps.ghosts.invite(unitUser(deps, unit), space, user)
}

/** The avatar of every care room: a person and an open eye. It is the one thing that a busy clinician sees beside the composer. */
export const patientReadsAvatar = async (deps: CareDeps, unit: string): Promise<string> => {
  const name = 'patient-reads.png'
  const known = await assetMxc(deps.store.db, name)
  if (known) return known
  const owner = unitUser(deps, unit)
  await deps.ghosts.ensure(owner)
  const mxc = await deps.ghosts.upload(owner, await readFile(join(import.meta.dirname, name)), 'image/png', name)
  await transact(deps.store, tx => storeAsset(tx, name, mxc))
  return mxc
}
