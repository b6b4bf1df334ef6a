import type { Refusal } from '../../core/domain/refusal.ts'
import type { TileName } from '../../core/tlog/tile.ts'

/** A log as it lies in a database or in an exported folder, with one of its checkpoints. Nothing in it is trusted: `verifyLog` recomputes it. */
export type StoredLog = {
  /** The signed checkpoint (C2SP tlog-checkpoint), over `size` entries. */
  note: string
  /** The log's verifier keys in the order of their use; the last one signs now. */
  vkeys: readonly string[]
  /** For every key after the first, the checkpoint that it and the key before it both signed. */
  handovers: readonly string[]
  /** The newest checkpoint that witnesses cosigned, with their signatures. */
  cosigned?: string
  /** Entries before this index were pruned after the retention period; 0 when none were. */
  first: number
  /** Exactly the hashes that the name asks for; refuses when there are fewer, or in a folder another number of them. */
  tile(name: TileName): Promise<Uint8Array | Refusal>
  /** The entries under level-0 tile `n`, exactly `width` of them. */
  entries(n: number, width: number): Promise<Buffer[] | Refusal>
}

/** Where the parts lie in an exported folder; tiles and bundles lie where C2SP tlog-tiles puts them. */
export const layout = {
  checkpoint: 'checkpoint',
  vkeys: 'vkey',
  entries: 'entries.jsonl',
  cosigned: 'cosigned',
  /** C2SP tlog-tiles calls the first index that is there the minimum index. */
  first: 'minimum-index',
  /** From 1: the handover to the second key of `vkey`. */
  handover: (i: number): string => `handover/${i}`,
} as const
