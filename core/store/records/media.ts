import type { Instant } from '../../domain/clock.ts'
import { days } from '../../domain/clock.ts'
import type { RecordClass } from '../../domain/records/facts.ts'
import type { StoreDeps, Tx } from '../tx.ts'

/** Notes which files (`server/id`) a message carries, and that it carries no others. Safe to repeat. */
export const noteMedia = async (tx: Tx, event: string, media: readonly string[]): Promise<void> => {
  await tx.sql('record_opened').insert({ event_id: event }).onConflict().ignore()
  if (media.length === 0) return
  await tx
    .sql('record_media')
    .insert(media.map(mxc => ({ event_id: event, mxc })))
    .onConflict()
    .ignore()
}

/** How long before its message a page's upload may lie: it is kept while a person is asked once more who they are. */
const uploadLife = days(1)

/**
 * A patient's page has sent a message: it may carry what that person uploaded shortly before. Which one of several it is stands in the encryption, so that each
 * of them goes when the last such message goes.
 */
export const noteSentFromPage = async (tx: Tx, person: string, event: string): Promise<void> => {
  const media: string[] = await tx
    .sql('session_upload')
    .where({ person_id: person })
    .where('at', '>', tx.now - uploadLife)
    .pluck('media')
  await noteMedia(tx, event, media)
}

/** A file all of whose known messages are gone. `from`, `until`: when it could have been passed on. */
export type LooseMedia = { mxc: string; rooms: string[]; event: string; from: Instant; until: Instant }

/** Somebody may pass on what they have on their screen a little after it is gone. */
const slack = 60_000

/** Files that no living message is known to carry any more, of the rooms of these classes; what was destroyed is not among them. */
export const looseMedia = async (
  { db }: Pick<StoreDeps, 'db'>,
  { classes, limit }: { classes: readonly RecordClass[]; limit: number },
): Promise<LooseMedia[]> => {
  const { rows } = await db.raw(
    `select m.mxc, array_agg(distinct r.room_id) as rooms, max(r.event_id) as event, min(r.sent_at) as from_at, max(r.destroyed_at) as until_at
     from record_media m join record r on r.event_id = m.event_id
     where m.mxc in (
       select g.mxc from record_media g join record d on d.event_id = g.event_id where d.destroyed_at is not null and d.class = any(?::text[])
     )
     group by m.mxc having bool_and(r.destroyed_at is not null) order by random() limit ?`,
    [[...classes], limit] as never,
  )
  return (rows as Record<string, unknown>[]).map(r => ({
    mxc: r.mxc as string,
    rooms: r.rooms as string[],
    event: r.event as string,
    from: r.from_at as Instant,
    until: (r.until_at as Instant) + slack,
  }))
}

/**
 * May a living message still carry it? One whose files we do not know (of a care room, of a room that is not covered), sent by somebody who was in a room in
 * which the file was, while it was there: a forwarded attachment keeps its address.
 */
export const mayBeCarried = async (
  { db }: Pick<StoreDeps, 'db'>,
  media: Pick<LooseMedia, 'from' | 'until'>,
  people: readonly string[],
): Promise<boolean> => {
  const { rows } = await db.raw(
    `select 1 from record r
     where r.sender = any(?::text[]) and r.sent_at between ? and ? and r.destroyed_at is null and r.session_id is not null
       and not exists (select 1 from record_opened o where o.event_id = r.event_id) limit 1`,
    [[...people], media.from, media.until] as never,
  )
  return rows.length > 0
}

/** Notes that files are destroyed, with an entry each in the audit log. */
export const noteMediaDestroyed = async (
  tx: Tx,
  media: readonly (LooseMedia & { found: boolean })[],
): Promise<void> => {
  const gone = await tx
    .sql('record_media')
    .whereIn(
      'mxc',
      media.map(m => m.mxc),
    )
    .delete()
    .returning('mxc')
  const now = new Set(gone.map(g => g.mxc as string))
  await tx
    .sql('session_upload')
    .whereIn('media', [...now])
    .delete()
  await tx.auditAll(
    media
      .filter(m => now.has(m.mxc))
      .map(m => ({
        actor: { kind: 'service', id: 'records' },
        action: 'record.media',
        object: { kind: 'event', id: m.event },
        outcome: 'done',
        room: m.rooms[0],
        detail: { was_there: m.found },
      })),
  )
}
