import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { JWK } from 'jose'
import { isoOf } from '../../domain/clock.ts'
import type { PatientId } from '../../domain/ids.ts'
import { pageEnd, pageStart, unreadableWords } from '../../domain/records/export-page.ts'
import { rangeWords } from '../../domain/records/export-request.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { openDecryptor } from '../../matrix/export/decryptor.ts'
import { patientById } from '../../store/patients/patients.ts'
import { listEscrows } from '../../store/records/escrow.ts'
import { ghostsWithKeys, roomsOfExport, type ToldRoom } from '../../store/records/export-rooms.ts'
import { beginExport, type ExportRequest, exportMatter, failExport, finishExport } from '../../store/records/exports.ts'
import { transact } from '../../store/tx.ts'
import { type Manifest, type ManifestRoom, paths } from './manifest.ts'
import { openPackage, type PackageWriter } from './package-writer.ts'
import { auditProofs } from './proofs.ts'
import { type RoomDeps, type Sheets, type Tally, writeRoom } from './room.ts'
import { type KeyDeps, keysOfRoom } from './room-keys.ts'
import { openScratch } from './scratch.ts'

export type ExportRunDeps = KeyDeps & {
  serverName: string
  /** Resolves when the log has taken in what was committed before: false when that takes too long. */
  logged: () => Promise<boolean>
  say?: (line: string) => void
}

/** `recovery`: the officers' key, joined in memory. `shares`: the numbers of the shares, for the log. `by`: who runs the program. */
export type ExportRun = { id: string; recovery: JWK; shares: string; by: string; out: string }

export type ExportResult = { bytes: number; fileSha256: string; manifestSha256: string; manifest: Manifest }

const sheetNames = ['messages', 'events', 'membership', 'receipts', 'unreadable', 'page'] as const

const openSheets = async (beside: string): Promise<Sheets> => {
  const opened = await Promise.all(sheetNames.map(async name => [name, await openScratch(beside)] as const))
  return Object.fromEntries(opened) as Sheets
}

/** Who the opaque users of a care room are. */
const peopleOf = async (d: ExportRunDeps, { patient }: ToldRoom): Promise<Map<string, string>> => {
  if (!patient) return new Map()
  const [ghosts, one] = [await ghostsWithKeys(d.store.db, patient), await patientById(d.store.db, patient as PatientId)]
  return new Map([
    ...ghosts.map(g => [g.ghost, g.kind === 'patient' ? 'The patient' : 'A caregiver'] as const),
    ...(one?.serviceUser ? [[one.serviceUser, 'Wardroom'] as const] : []),
  ])
}

const nameOf = async (d: ExportRunDeps, room: ToldRoom): Promise<string> => {
  const patient = room.patient ? await patientById(d.store.db, room.patient) : null
  const kind = { care: 'Care room', staff: 'Staff room', direct: 'Direct chat', role: 'Role room', desk: 'Desk room' }
  return patient ? `${kind[room.class]} of ${patient.code}` : kind[room.class]
}

const requestOf = async (d: ExportRunDeps, r: ExportRequest): Promise<Manifest['request']> => {
  const { kind, ...about } = r.about
  return {
    id: r.id,
    about: { kind, ...about },
    since: r.since === null ? null : isoOf(r.since),
    until: isoOf(r.until),
    copy: r.copy,
    reason: r.copy ? null : await exportMatter(d.store, r.id),
    requested_by: r.requestedBy,
    requested_at: isoOf(r.requestedAt),
    approved_by: r.approvedBy ?? '',
    approved_at: isoOf(r.approvedAt ?? 0),
    run: r.runs,
    recipients: r.recipients,
  }
}

/** Who fetches files of a room: somebody of ours who is in it. */
const memberOf = async (d: ExportRunDeps, room: ToldRoom): Promise<Pick<RoomDeps, 'homeserver' | 'member'>> => {
  const patient = room.patient && room.class === 'care' ? await patientById(d.store.db, room.patient) : null
  if (patient?.serviceUser) return { homeserver: d.ghosts, member: patient.serviceUser }
  const [escrow] = await listEscrows(d.store.db)
  return { homeserver: d.bots, member: escrow?.owner ?? `@wardroom:${d.serverName}` }
}

const writeRooms = async (
  d: ExportRunDeps,
  r: ExportRequest,
  run: ExportRun,
  at: Pick<RoomDeps, 'writer' | 'sheets' | 'tally'>,
): Promise<{ rooms: ManifestRoom[]; people: Map<string, string> }> => {
  const rooms: ManifestRoom[] = []
  const everybody = new Map<string, string>()
  for (const room of await roomsOfExport(d.store.db, r.id)) {
    const { keys, problems } = await keysOfRoom(d, run.recovery, r.id, room)
    const decryptor = await openDecryptor(keys)
    try {
      const people = await peopleOf(d, room)
      for (const [user, who] of people) everybody.set(user, who)
      const deps: RoomDeps = { ...at, ...(await memberOf(d, room)), store: d.store, bots: d.bots, beside: run.out }
      const events = await writeRoom(deps, r, room, { keys: decryptor, people, name: await nameOf(d, room) })
      rooms.push({
        room: room.room,
        class: room.class,
        told_at: room.toldAt === null ? null : isoOf(room.toldAt),
        untold: room.untold,
        events,
        room_keys: keys.length,
        problems,
      })
      d.say?.(`${rooms.length} rooms, ${at.tally.counts.events ?? 0} events`)
    } finally {
      decryptor.close()
    }
  }
  return { rooms, people: everybody }
}

/** What the page says at its end: by reason, not one by one. */
const notesOf = ({ why, counts }: Tally, rooms: readonly ManifestRoom[]): string[] => [
  ...Object.entries(why).map(([code, n]) => `${n} events: ${unreadableWords[code] ?? code}.`),
  ...(counts.missing_media ? [`${counts.missing_media} files are missing; the message says why.`] : []),
  ...rooms.flatMap(({ room, problems }) => problems.map(p => `${room}: ${p}`)),
  ...rooms.filter(r => r.untold).map(r => `${r.room} could not be told of this export: ${r.untold}`),
]

const writeAudit = async (
  d: ExportRunDeps,
  r: ExportRequest,
  put: (path: string, content: string) => Promise<void>,
): Promise<Manifest['audit']> => {
  if (r.copy) return null
  const complete = await d.logged()
  const proofs = await auditProofs(d.store.db, r.id)
  if (!proofs) return { origin_checkpoint_size: 0, entries: 0, complete: false }
  await put(paths.entries, proofs.entries.map(e => `${JSON.stringify(e)}\n`).join(''))
  await put(paths.checkpoint, proofs.checkpoint)
  await put(paths.keys, `${JSON.stringify(proofs.keys, null, 2)}\n`)
  return { origin_checkpoint_size: proofs.size, entries: proofs.entries.length, complete }
}

const writePackage = async (
  d: ExportRunDeps,
  r: ExportRequest,
  run: ExportRun,
  writer: PackageWriter,
): Promise<Pick<ExportResult, 'manifest' | 'manifestSha256'>> => {
  const sheets = await openSheets(run.out)
  try {
    const tally: Tally = { counts: { events: 0 }, why: {}, files: [] }
    const request = await requestOf(d, r)
    await sheets.page.write(
      pageStart({
        title: r.copy ? 'Copy of a conversation' : 'Exported records',
        lines: [
          ['Export', r.id],
          ['Sent', rangeWords(r)],
          ...(request.reason ? [['Why', request.reason] as const] : []),
          ['Asked for by', `${r.requestedBy}, ${request.requested_at}`],
          ['Approved by', `${r.approvedBy}, ${request.approved_at}`],
          ['Homeserver', d.serverName],
        ],
      }),
    )
    const { rooms, people } = await writeRooms(d, r, run, { writer, sheets, tally })
    await sheets.page.write(pageEnd(notesOf(tally, rooms)))
    for (const name of sheetNames)
      tally.files.push(await writer.addScratch(paths[name], sheets[name], await sheets[name].end()))
    const put = async (path: string, content: string) => void tally.files.push(await writer.add(path, content))
    const manifest: Manifest = {
      wardroom: 'export',
      version: 1,
      request,
      made_at: isoOf(d.store.clock.now()),
      homeserver: d.serverName,
      rooms,
      people: Object.fromEntries(people),
      counts: tally.counts,
      unreadable: tally.why,
      audit: await writeAudit(d, r, put),
      files: tally.files,
    }
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    await writer.add(paths.manifest, text)
    return { manifest, manifestSha256: createHash('sha256').update(text).digest('hex') }
  } catch (error) {
    for (const name of sheetNames) await sheets[name].close().catch(() => undefined)
    throw error
  }
}

/**
 * Runs an approved export (issue 4, row 53; DESIGN §8, §10): reads every event of the range with the officers' key, and writes one package that is encrypted to
 * the request's recipients. Nothing decrypted touches a disk. Refused before its rooms were told, when it is not approved, or when its time is over; a run that
 * breaks down leaves no file, says so in the log, and may be repeated. @throws when the homeserver is away or the key is another one.
 */
export const runExport = async (d: ExportRunDeps, run: ExportRun): Promise<ExportResult | Refusal> => {
  const waiting = (await roomsOfExport(d.store.db, run.id)).filter(r => r.toldAt === null && r.untold === null)
  const begun = await transact(d.store, async tx => {
    if (waiting.length > 0) return undefined
    return beginExport(tx, run.id, run)
  })
  if (waiting.length > 0)
    return refuse(
      'not-told',
      `${waiting.length} rooms have not been told of this export yet; the bridge and the bots do it within seconds when they run.`,
    )
  if (!begun) return refuse('unknown-export', `There is no export ${run.id}.`)
  if (isRefusal(begun)) return begun
  const at = new Date(d.store.clock.now())
  let writer: PackageWriter | undefined
  let written = false
  try {
    writer = await openPackage(run.out, { recipients: begun.recipients, at })
    const packed = await writePackage(d, begun, run, writer)
    const { sha256: fileSha256, bytes } = await writer.finish()
    written = true
    const { counts } = packed.manifest
    const done = await transact(d.store, tx =>
      finishExport(tx, run.id, {
        by: run.by,
        fileSha256,
        manifestSha256: packed.manifestSha256,
        counts: { ...counts, rooms: packed.manifest.rooms.length },
      }),
    )
    return done ?? { ...packed, fileSha256, bytes }
  } catch (error) {
    await writer?.abort()
    if (written) await rm(run.out, { force: true })
    await transact(d.store, tx => failExport(tx, begun, { by: run.by, reason: 'broke-down' }))
    throw error
  }
}
