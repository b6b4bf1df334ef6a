import { minutes } from '../../core/domain/clock.ts'
import { latestCheckpoint, type StoredCheckpoint } from '../../core/store/audit/log/checkpoints.ts'
import { tileReader } from '../../core/store/audit/log/tiles.ts'
import {
  hasNews,
  isPostWaiting,
  keepPlaces,
  noteCosigned,
  notePinned,
  noteUnreached,
  type Place,
  placesNow,
} from '../../core/store/pins/pins.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { transact } from '../../core/store/tx.ts'
import { consistencyProof } from '../../core/tlog/proof.ts'
import type { AuditDeps } from '../deps.ts'
import { writeOnce } from './folder.ts'
import { addCheckpoint, readWitness, type Witness } from './witness.ts'

/** What a witness holds that this log does not fit, until it is asked again. */
export type Conflicts = Map<string, { rule: 'rollback' | 'fork'; pinned: number }>

type Settings = Awaited<ReturnType<typeof readSettings>>
export const folderPlace = 'folder'
export const witnessPlace = (w: Witness): string => `witness ${w.key.name}`

export const witnessesOf = (settings: Pick<Settings, 'audit.witnesses'>): Witness[] =>
  settings['audit.witnesses'].flatMap(w => readWitness(w) ?? [])

/** Notes that a place holds another history, and once what it holds. */
const noteConflict = async (
  deps: AuditDeps,
  conflicts: Conflicts,
  place: string,
  c: { rule: 'rollback' | 'fork'; size: number; pinned: number },
): Promise<void> => {
  const known = conflicts.get(place)
  conflicts.set(place, { rule: c.rule, pinned: c.pinned })
  await transact(deps.store, async tx => {
    await noteUnreached(tx, place, c.rule)
    if (known?.rule === c.rule) return
    await tx.audit({
      actor: { kind: 'service', id: 'pins' },
      action: 'checkpoint.conflict',
      object: { kind: 'checkpoint', id: String(c.size) },
      outcome: 'failed',
      detail: { place, size: c.size, pinned: c.pinned },
    })
  })
}

const intoFolder = async (deps: AuditDeps, c: StoredCheckpoint, conflicts: Conflicts): Promise<void> => {
  const { store } = deps
  try {
    const came = await writeOnce(deps.pinFolder, c)
    if (came === 'other')
      return noteConflict(deps, conflicts, folderPlace, { rule: 'fork', size: c.size, pinned: c.size })
    await transact(store, tx => notePinned(tx, folderPlace, c))
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).syscall && (e as NodeJS.ErrnoException).code
    if (!code) throw e
    await transact(store, tx => noteUnreached(tx, folderPlace, code))
  }
}

/**
 * The bot posts it: it alone can encrypt. One job at a time; what came of it, the bot notes. No key that is remembered: what could not be posted (no room yet) is
 * posted again although the log has not grown.
 */
const intoRoom = (deps: AuditDeps, c: StoredCheckpoint): Promise<void> =>
  transact(deps.store, async tx => {
    if (await isPostWaiting(tx)) return
    const payload = { size: c.size, origin: deps.origin, vkey: deps.vkeys().at(-1) }
    await tx.enqueue({ queue: 'bots', kind: 'pins.post', lane: 'pins', payload })
  })

/** Asks once with what it is known to have, and once more with what it says it has. */
export const askWitness = async (
  deps: AuditDeps,
  w: Witness,
  c: StoredCheckpoint,
  known: number,
  conflicts: Conflicts,
): Promise<void> => {
  const place = witnessPlace(w)
  const { store } = deps
  const ask = async (old: number) => {
    const proof = await consistencyProof(tileReader(store.db), old, c.size)
    return addCheckpoint(w, { old, proof, note: c.note, size: c.size })
  }
  let answer = await ask(known)
  if (answer.kind === 'has' && answer.size <= c.size) answer = await ask(answer.size)
  if (answer.kind === 'has' || answer.kind === 'inconsistent') {
    const rule = answer.size > c.size ? 'rollback' : 'fork'
    return noteConflict(deps, conflicts, place, { rule, size: c.size, pinned: answer.size })
  }
  if (answer.kind === 'failed') {
    const { error } = answer
    return transact(store, tx => noteUnreached(tx, place, error))
  }
  conflicts.delete(place)
  const { line } = answer
  return transact(store, tx => noteCosigned(tx, { size: c.size, witness: w.key.name, line, place }))
}

/**
 * Puts the newest checkpoint wherever it is due: into the folder, to the room, to the witnesses. A place that cannot be reached is asked again at the next turn; what
 * the log got meanwhile comes with the next checkpoint.
 */
export const pinWhereDue = async (deps: AuditDeps, conflicts: Conflicts): Promise<void> => {
  const { store } = deps
  const settings = await readSettings(store.db)
  const latest = await latestCheckpoint(store.db)
  if (!latest) return
  const now = store.clock.now()
  const places = await placesNow(store.db)
  const witnesses = witnessesOf(settings)
  const room = settings['audit.pin_room'] === 'none' ? [] : ['room', 'homeserver']
  await transact(store, tx => keepPlaces(tx, [folderPlace, ...room, ...witnesses.map(witnessPlace)]))
  const due = async (place: string, every: number): Promise<Place | undefined> => {
    const known = places.get(place) ?? { place, okAt: null, okSize: 0, failingSince: null, error: null }
    if (known.okAt !== null && now - known.okAt < minutes(every) && known.failingSince === null) return undefined
    // A log that is shorter than what the place has must be asked about, too.
    return known.okSize > latest.size || (await hasNews(store.db, known.okSize)) ? known : undefined
  }
  if (await due(folderPlace, settings['audit.folder_minutes'])) await intoFolder(deps, latest, conflicts)
  if (room.length > 0 && (await due('room', settings['audit.pin_minutes']))) await intoRoom(deps, latest)
  for (const w of witnesses) {
    const known = await due(witnessPlace(w), settings['audit.witness_minutes'])
    if (!known) continue
    await askWitness(deps, w, latest, known.okSize <= latest.size ? known.okSize : 0, conflicts)
  }
}
