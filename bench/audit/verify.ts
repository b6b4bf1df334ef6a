import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportLog } from '../../audit/folder/export.ts'
import { verifyFolder } from '../../audit/folder/verify.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { systemRandom } from '../../core/system.ts'
import { hashBytes, leafHash, leafHashes, rootOfHashes } from '../../core/tlog/hash.ts'
import { inclusionProof } from '../../core/tlog/proof.ts'
import type { ReadTile } from '../../core/tlog/tile.ts'
import { verifyInclusion } from '../../core/tlog/verify-proof.ts'
import { makeLog, someEntry, someKeys } from '../../test/support/stored-log.ts'
import type { Bench } from '../bench.ts'
import { figure, median, quantile } from '../figure.ts'

const size = 100_000
const rounds = 7
const proofs = 1000

const perSecond = async (work: () => unknown): Promise<number> => {
  const from = performance.now()
  await work()
  return size / ((performance.now() - from) / 1000)
}

/** What an auditor does with an exported log: verify all of it, and prove single entries. */
export const auditVerify: Bench = {
  area: 'audit',
  figures: ['verify_entries_per_s', 'proof_bytes', 'proof_time'],
  run: async say => {
    say(`audit verification: a folder of ${size} entries`)
    const home = await mkdtemp(join(tmpdir(), 'wardroom-bench-'))
    try {
      const keys = someKeys(systemRandom)
      const entries = Array.from({ length: size }, (_, i) => someEntry(i))
      const log = makeLog(entries)
      const stored = await log.stored({ signer: keys.current })
      const dir = join(home, 'log')
      const done = await exportLog(stored, dir)
      if (isRefusal(done)) throw new Error(done.sentence)
      const against = await log.checkpoint(size - 1, keys.current)
      const bytes = entries.map(e => Buffer.from(e))
      const verified: number[] = []
      const hashed: number[] = []
      // Taking turns, so that whatever else the machine does weighs on both; the first round warms up and does not count.
      for (let r = 0; r <= rounds; r++) {
        const bare = await perSecond(() => rootOfHashes(leafHashes(bytes)))
        const whole = await perSecond(async () => {
          const verdict = await verifyFolder(dir, { against })
          if (isRefusal(verdict) || !verdict.holds) throw new Error('the folder does not verify')
        })
        if (r === 0) continue
        hashed.push(bare)
        verified.push(whole)
      }

      const folder = stored.tile
      const readTile: ReadTile = async name => {
        const tile = await folder(name)
        if (isRefusal(tile)) throw new Error(tile.sentence)
        return tile
      }
      const root = rootOfHashes(leafHashes(bytes))
      const lengths: number[] = []
      const times: number[] = []
      for (let i = 0; i < proofs; i++) {
        const index = (i * 7919) % size
        const from = performance.now()
        const proof = await inclusionProof(readTile, index, size)
        if (!verifyInclusion({ size, root }, index, leafHash(bytes[index] ?? ''), proof))
          throw new Error('a proof does not hold')
        times.push(performance.now() - from)
        lengths.push(proof.length * hashBytes)
      }
      return [
        figure({
          name: 'audit.verify_entries_per_s',
          value: median(verified),
          unit: 'entries/s',
          baseline: median(hashed),
          goal: { ratioAtLeast: 0.5 },
          note: `from an exported folder (bundles, tiles, JSONL, signatures, a pinned checkpoint); baseline: the same ${2 * size - 1} SHA-256 hashes in memory`,
        }),
        figure({
          name: 'audit.proof_bytes',
          value: Math.max(...lengths),
          unit: 'B',
          baseline: Math.ceil(Math.log2(size)) * hashBytes,
          goal: { atMost: 1024 },
          note: `longest of ${proofs} inclusion proofs in a log of ${size} entries; baseline: one hash a level of the tree`,
        }),
        figure({
          name: 'audit.proof_time',
          value: median(times),
          unit: 'ms',
          goal: { atMost: 5 },
          note: `made from the tiles in memory and verified; ${proofs} entries, median; p99 ${quantile(times, 0.99).toPrecision(2)} ms`,
        }),
      ]
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  },
}
