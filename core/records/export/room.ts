import { isoOf } from '../../domain/clock.ts'
import { type ExportLine, fileOf, kindOf, mediaPath } from '../../domain/records/export-line.ts'
import { type MemberChange, pageLine, pageRoom, pageRoomEnd } from '../../domain/records/export-page.ts'
import type { Decryptor } from '../../matrix/export/decryptor.ts'
import type { Homeserver } from '../../matrix/homeserver.ts'
import { isTakenBack, receiptsOf, type ToldRoom } from '../../store/records/export-rooms.ts'
import type { ExportRequest } from '../../store/records/exports.ts'
import { copyOf } from '../../store/records/recall.ts'
import type { StoreDeps } from '../../store/tx.ts'
import { contentHash, isPruned } from './canonical.ts'
import type { EventHash } from './manifest.ts'
import { fetchMedia } from './media.ts'
import type { PackageWriter, PackedFile } from './package-writer.ts'
import type { Scratch } from './scratch.ts'
import { type Pdu, type StoredEvent, storedEvents } from './stored-events.ts'

/** The files that all rooms are written into. */
export type Sheets = Record<'messages' | 'events' | 'membership' | 'receipts' | 'unreadable' | 'page', Scratch>

/** What is counted over all rooms; `why`: events that could not be read, by code. */
export type Tally = { counts: Record<string, number>; why: Record<string, number>; files: PackedFile[] }

export type RoomDeps = {
  store: StoreDeps
  /** Acts as the bots, which may see every room's events. */
  bots: Homeserver
  /** Acts as `member`, somebody of ours who fetches the room's files. */
  homeserver: Homeserver
  member: string
  /** Beside which file scratch files lie. */
  beside: string
  writer: PackageWriter
  sheets: Sheets
  tally: Tally
}

const add = (to: Record<string, number>, name: string) => {
  to[name] = (to[name] ?? 0) + 1
}
const json = (v: unknown) => `${JSON.stringify(v)}\n`

/** Who joined and left, from the room's beginning: membership at each time follows from it. */
const membership = async (d: RoomDeps, r: ExportRequest, room: string): Promise<MemberChange[]> => {
  const changes: MemberChange[] = []
  for await (const { id, event } of storedEvents(d.bots, { room, until: r.until, type: 'm.room.member' })) {
    const one = {
      at: isoOf(event.origin_server_ts),
      user: String(event.state_key ?? ''),
      membership: String(event.content.membership ?? ''),
      by: event.sender,
    }
    changes.push(one)
    await d.sheets.membership.write(json({ room_id: room, event_id: id, ...one }))
    add(d.tally.counts, 'membership')
  }
  return changes
}

/** Of a patient's copy, only what the patient and caregivers themselves have read. */
const receipts = async (d: RoomDeps, r: ExportRequest, room: string, people: ReadonlyMap<string, string>) => {
  for (const one of await receiptsOf(d.store.db, room, r.until)) {
    if (r.copy && !people.has(one.user)) continue
    await d.sheets.receipts.write(json({ room_id: room, ...one, at: isoOf(one.at) }))
    add(d.tally.counts, 'receipts')
  }
}

/** The event with its content, from the homeserver or from the sealed copy; a patient's copy has nothing of what was taken back. */
const sourceOf = async (
  d: RoomDeps,
  r: ExportRequest,
  e: StoredEvent,
): Promise<Pick<ExportLine, 'source'> & { pdu: Pdu | null }> => {
  if (r.copy && (e.removed || (await isTakenBack(d.store.db, e.id)))) return { source: 'gone', pdu: null }
  if (!isPruned(e.event)) return { source: 'homeserver', pdu: e.event }
  const copy = r.copy ? undefined : ((await copyOf(d.store, e.id)) as Pdu | undefined)
  return copy && !isPruned(copy) ? { source: 'sealed-copy', pdu: copy } : { source: 'gone', pdu: e.event }
}

const lineOf = async (d: RoomDeps, r: ExportRequest, keys: Decryptor, e: StoredEvent): Promise<ExportLine> => {
  const { source, pdu } = await sourceOf(d, r, e)
  const encrypted = e.event.type === 'm.room.encrypted'
  const opened =
    source === 'gone'
      ? { why: 'destroyed' }
      : encrypted && pdu
        ? await keys.open({ ...pdu, event_id: e.id } as never)
        : { type: e.event.type, content: pdu?.content ?? {} }
  const clear = 'why' in opened ? null : opened
  const about = kindOf({ ...e.event, ...(pdu ?? {}) }, clear)
  return {
    event_id: e.id,
    room_id: e.event.room_id,
    sent_at: isoOf(e.event.origin_server_ts),
    sender: e.event.sender,
    ...about,
    type: clear?.type ?? e.event.type,
    content: clear?.content ?? null,
    encrypted,
    ...(e.removed ? { removed: { ...e.removed, at: isoOf(e.removed.at) } } : {}),
    source,
    ...('why' in opened ? { unreadable: opened.why } : {}),
    ...(e.unseen ? { unseen: true as const } : {}),
    stored: pdu,
  }
}

const withMedia = async (d: RoomDeps, line: ExportLine): Promise<ExportLine> => {
  const file = line.type === 'm.room.message' || line.type === 'm.sticker' ? fileOf(line.content) : undefined
  if (!file) return line
  const { name, type } = file
  const found = await fetchMedia({ homeserver: d.homeserver, userId: d.member, beside: d.beside }, file)
  if ('missing' in found) {
    add(d.tally.counts, 'missing_media')
    return { ...line, media: { missing: found.missing, name, type } }
  }
  add(d.tally.counts, 'media')
  const path = mediaPath(d.tally.counts.media ?? 0, type)
  d.tally.files.push(await d.writer.addScratch(path, found.scratch, found.size))
  return { ...line, media: { path, name, type, ...found.size } }
}

/** Writes one room: who was in it, receipts, every event of the range, its files. Holds one page of events in memory. Returns how many events. */
export const writeRoom = async (
  d: RoomDeps,
  r: ExportRequest,
  { room }: Pick<ToldRoom, 'room'>,
  { keys, people, name }: { keys: Decryptor; people: ReadonlyMap<string, string>; name: string },
): Promise<number> => {
  const { sheets, tally } = d
  await sheets.page.write(pageRoom({ room, name, members: await membership(d, r, room) }))
  await receipts(d, r, room, people)
  const range = { room, until: r.until, ...(r.since === null ? {} : { since: r.since }) }
  const query = r.about.kind === 'user' ? { ...range, sender: r.about.user } : range
  let events = 0
  for await (const stored of storedEvents(d.bots, query)) {
    const line = await withMedia(d, await lineOf(d, r, keys, stored))
    const hash: EventHash = { event_id: line.event_id, room_id: room, sha256: contentHash(line.stored) }
    await sheets.messages.write(json(line))
    await sheets.events.write(json(hash))
    await sheets.page.write(pageLine(line, people))
    if (line.unreadable) {
      add(tally.why, line.unreadable)
      await sheets.unreadable.write(json({ event_id: line.event_id, room_id: room, why: line.unreadable }))
    }
    add(tally.counts, line.what)
    add(tally.counts, 'events')
    events++
  }
  await sheets.page.write(pageRoomEnd)
  return events
}
