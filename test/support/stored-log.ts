import type { StoredLog } from '../../audit/folder/stored-log.ts'
import type { Random } from '../../core/domain/clock.ts'
import { refuse } from '../../core/domain/refusal.ts'
import { checkpointText } from '../../core/tlog/checkpoint.ts'
import { hashBytes, leafHashes } from '../../core/tlog/hash.ts'
import { generateSigningKey, type SigningKey } from '../../core/tlog/key.ts'
import { signatureLine, signNote } from '../../core/tlog/note.ts'
import { tileWidth } from '../../core/tlog/tile.ts'
import { appendLeaves, emptyTree, rootOf, treeFromTiles } from '../../core/tlog/tree.ts'

const origin = 'ward.example/audit'
const at = { now: () => Date.parse('2026-03-01T12:00:00Z') }

/** An entry as the audit log writes it, of a realistic length. */
export const someEntry = (i: number): string =>
  JSON.stringify({
    v: 1,
    id: i,
    at: new Date(1.77e12 + i).toISOString(),
    actor: { kind: 'user', id: `@nurse${i % 40}:ward.example`, device: 'ABCDEFGHIJ' },
    action: 'patient.view',
    object: { kind: 'patient', ref: 'q3Zr8bYw0Jm2yX4vN1sT6uKfLhGdPoAeCiRzWxVbQ9E' },
    outcome: 'done',
    patient: 'q3Zr8bYw0Jm2yX4vN1sT6uKfLhGdPoAeCiRzWxVbQ9E',
  })

/** Log and witness keys for a test; `old` signed before `current`. */
export const someKeys = (random: Random): { old: SigningKey; current: SigningKey; witness: SigningKey } => ({
  old: generateSigningKey(origin, 'note', random),
  current: generateSigningKey(origin, 'note', random),
  witness: generateSigningKey('witness.example/w1', 'cosignature', random),
})

/** A log in memory, and its checkpoints of any size. */
export const makeLog = (entries: readonly string[]) => {
  const bytes = entries.map(e => Buffer.from(e))
  const { tree, tiles } = appendLeaves(emptyTree(), leafHashes(bytes))
  const stored = new Map(tiles.map(t => [`${t.level}/${t.n}`, t.hashes]))
  const tile: StoredLog['tile'] = async ({ level, n, width }) => {
    const hashes = stored.get(`${level}/${n}`)
    return hashes && hashes.length >= width * hashBytes
      ? hashes.subarray(0, width * hashBytes)
      : refuse('missing', 'It is missing.')
  }
  const readTile = async (name: Parameters<typeof tile>[0]) =>
    stored.get(`${name.level}/${name.n}`) ?? new Uint8Array(0)
  const text = async (size: number) =>
    checkpointText({
      origin,
      size,
      root: rootOf(size === tree.size ? tree : await treeFromTiles(size, readTile)),
    })
  return {
    readTile,
    checkpoint: async (size: number, ...keys: SigningKey[]) => signNote(await text(size), ...keys),
    cosigned: async (size: number, key: SigningKey, witness: SigningKey) =>
      signNote(await text(size), key) + signatureLine(await text(size), witness, at),
    /** What an export takes; without `handover`, the log has only the key that signs. */
    stored: async (o: {
      size?: number
      signer: SigningKey
      handover?: { from: SigningKey; note: string }
      cosigned?: string
      first?: number
    }): Promise<StoredLog> => ({
      note: signNote(await text(o.size ?? tree.size), o.signer),
      vkeys: [...(o.handover ? [o.handover.from] : []), o.signer].map(k => k.verifier.vkey),
      handovers: o.handover ? [o.handover.note] : [],
      cosigned: o.cosigned,
      first: o.first ?? 0,
      tile,
      entries: async (n, width) => bytes.slice(n * tileWidth, n * tileWidth + width),
    }),
  }
}
