import { latestCheckpoint } from '../../store/audit/log/checkpoints.ts'
import { findEntries, readLeaves } from '../../store/audit/log/entries.ts'
import { logKeys } from '../../store/audit/log/keys.ts'
import { tileReader } from '../../store/audit/log/tiles.ts'
import type { Db } from '../../store/db.ts'
import { inclusionProof } from '../../tlog/proof.ts'
import type { ProvenEntry } from './manifest.ts'

export type AuditProofs = {
  size: number
  checkpoint: string
  /** The log's keys in the order of their use, with the handovers (core/store/audit/log/keys.ts). */
  keys: { vkey: string; handover: string | null }[]
  entries: ProvenEntry[]
}

const most = 1000

/** Every entry of the log about an export, each with its inclusion proof under the newest checkpoint; null while the log has none. */
export const auditProofs = async (db: Db, exportId: string): Promise<AuditProofs | null> => {
  const head = await latestCheckpoint(db)
  if (!head) return null
  const found = await findEntries(db, { object: exportId, limit: most })
  const readTile = tileReader(db)
  const entries: ProvenEntry[] = []
  for (const { idx } of found.filter(e => e.object.kind === 'export' && e.idx < head.size).reverse()) {
    const [row] = await readLeaves(db, { from: idx, limit: 1 })
    if (row?.idx !== idx) continue
    const proof = await inclusionProof(readTile, idx, head.size)
    entries.push({ index: idx, leaf: row.leaf, proof: proof.map(hash => hash.toString('base64')) })
  }
  const keys = (await logKeys(db)).filter(k => k.fromSize <= head.size)
  return {
    size: head.size,
    checkpoint: head.note,
    keys: keys.map(({ vkey, handover }) => ({ vkey, handover })),
    entries,
  }
}
