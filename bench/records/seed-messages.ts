import { createHash } from 'node:crypto'
import type { RoomId } from '../../core/domain/ids.ts'
import { encryptFor } from '../../core/matrix/encrypt.ts'
import { canonicalJson } from '../../core/records/export/canonical.ts'
import type { Db } from '../../core/store/db.ts'
import type { Clinician } from '../../test/support/clinician.ts'

type Pdu = Record<string, unknown> & { content: Record<string, unknown> }

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64')
const unpadded = (base64: string) => base64.replace(/=+$/, '')

/** The event with the hashes that its content has, and its id (server-server API, "Calculating the reference hash for an event"; room versions 11 and 12). */
const withId = (pdu: Pdu): { id: string; pdu: Pdu } => {
  const { unsigned, signatures, hashes, ...hashed } = pdu
  const whole: Pdu = { ...pdu, hashes: { sha256: unpadded(sha256(canonicalJson(hashed))) } }
  const { unsigned: _, signatures: __, ...left } = whole
  const reference = sha256(canonicalJson({ ...left, content: {} }))
  return { id: `$${unpadded(reference).replaceAll('+', '-').replaceAll('/', '_')}`, pdu: whole }
}

const atOnce = 500

/**
 * Puts encrypted messages of `from` into a room past the homeserver's front door, as if they had come long ago: sending them would take minutes. `template`: a message
 * of theirs in that room.
 */
export const seedMessages = async (
  synapse: Db,
  { from, room, template, count }: { from: Clinician; room: string; template: string; count: number },
): Promise<void> => {
  const crypto = from.client.getCrypto()
  if (!crypto) throw new Error('the clinician has no encryption')
  const stored = await synapse('event_json').where({ event_id: template }).first()
  const like = JSON.parse(stored.json) as Pdu
  // Before everything that is there, other measurements' events included.
  const { least } = (await synapse('events').min({ least: 'stream_ordering' }).first()) ?? {}
  const before = Math.min(Number(least ?? 0), 0) - count
  for (let at = 0; at < count; at += atOnce) {
    const ids: string[] = []
    const jsons: string[] = []
    const orders: number[] = []
    for (let n = at; n < Math.min(at + atOnce, count); n++) {
      const words = {
        msgtype: 'm.text',
        body: `Message ${n}, as long as most of them are: please take the tablets after breakfast.`,
      }
      const content = await encryptFor(from.client, crypto, room as RoomId, 'm.room.message', words)
      const { id, pdu } = withId({ ...like, content, origin_server_ts: Number(like.origin_server_ts) - 1 })
      ids.push(id)
      jsons.push(JSON.stringify(pdu))
      orders.push(before + n - 1)
    }
    await synapse.transaction(async sql => {
      await sql.raw(
        `insert into event_json (event_id, room_id, internal_metadata, json, format_version)
         select s.id, j.room_id, j.internal_metadata, s.json, j.format_version
         from event_json j, unnest(?::text[], ?::text[]) as s(id, json) where j.event_id = ?`,
        [ids, jsons, template] as never,
      )
      await sql.raw(
        `insert into events (event_id, topological_ordering, type, room_id, processed, outlier, depth, origin_server_ts, received_ts, sender, contains_url,
           instance_name, stream_ordering)
         select s.id, e.topological_ordering, e.type, e.room_id, e.processed, e.outlier, e.depth, e.origin_server_ts - 1, e.received_ts, e.sender, e.contains_url,
           e.instance_name, s.stream_ordering
         from events e, unnest(?::text[], ?::bigint[]) as s(id, stream_ordering) where e.event_id = ?`,
        [ids, orders, template] as never,
      )
    })
  }
}
