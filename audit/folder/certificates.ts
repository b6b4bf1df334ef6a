import { createHash } from 'node:crypto'
import { certificateDigest } from '../../core/domain/records/certificate.ts'
import { exitParts } from '../../core/domain/records/exit.ts'
import type { Tell } from './log-keys.ts'
import { layout } from './stored-log.ts'

/** How many deletion certificates there are, how many of them the log's own entries prove, and how many entries belong to runs without one. */
export type CertificateCount = { all: number; hold: number; uncertified: number }

type Certificate = { idx: number; action: string; run: string; detail: Record<string, unknown> }
type Run = { ids: number[]; rules: Map<string, number> }
type Entry = {
  id?: unknown
  action?: unknown
  object?: { id?: unknown }
  reason?: unknown
  detail?: Record<string, unknown>
}

/** A certificate of this action counts and digests the entries of that one. */
const proves: Readonly<Record<string, string>> = {
  'record.certificate': 'record.destroy',
  'key.certificate': 'key.destroy',
}
const marks = [...Object.keys(proves), ...Object.values(proves)].map(action => Buffer.from(`"action":"${action}"`))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** What a certificate counts, by the reasons of its run's entries. */
const counts: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'record.certificate': [
    ['by_window', 'window'],
    ['by_recall', 'recall'],
    ['by_removal', 'removed'],
  ],
  'key.certificate': exitParts.map(what => [`by_${what}`, what] as const),
}
const nouns: Readonly<Record<string, string>> = { 'record.certificate': 'messages', 'key.certificate': 'keys' }

const parse = (entry: Buffer): Entry | undefined => {
  try {
    return JSON.parse(entry.toString()) as Entry
  } catch {
    return undefined // no entry of ours
  }
}

/** Marks that may be in one of the entries. Those of one bundle lie in one buffer, so that four searches do for 256 of them. */
const marksIn = (entries: readonly Buffer[]): Buffer[] => {
  const buffer = entries[0]?.buffer
  if (buffer === undefined) return []
  let from = buffer.byteLength
  let to = 0
  for (const entry of entries) {
    if (entry.buffer !== buffer) return marks
    from = Math.min(from, entry.byteOffset)
    to = Math.max(to, entry.byteOffset + entry.length)
  }
  const bundle = Buffer.from(buffer, from, to - from)
  return marks.filter(mark => bundle.includes(mark))
}

/** What a certificate says that its run's entries do not; undefined when it holds. */
const contradiction = ({ action, run, detail }: Certificate, { ids, rules }: Run): string | undefined => {
  if (detail.count !== ids.length)
    return `The certificate of run ${run} counts ${String(detail.count)} destroyed ${nouns[action]}; the log has ${ids.length}.`
  const [wrong] = (counts[action] ?? []).filter(([name, rule]) => (detail[name] ?? 0) !== (rules.get(rule) ?? 0))
  if (wrong) return `The certificate of run ${run} counts other reasons (${wrong[0]}) than its entries have.`
  return detail.digest === certificateDigest(ids, sha256)
    ? undefined
    : `The digest of the certificate of run ${run} is not the one over its entries.`
}

/**
 * Follows certificates of deletions and of destroyed keys (rows 50, 53) beside the entries: each must count the `record.destroy` or `key.destroy` entries of its run, and have their digest. Keeps a number an
 * entry in memory. `end` tells which do not hold; where entries were pruned before `first`, one with fewer entries than it counts cannot be checked.
 */
export const followCertificates = (): {
  see(entries: readonly Buffer[], from: number): void
  end(first: number, tell: Tell, unchecked: string[]): CertificateCount
} => {
  const runs = new Map<string, Run>()
  const certificates: Certificate[] = []
  const runOf = (name: string): Run => {
    const known = runs.get(name) ?? { ids: [], rules: new Map<string, number>() }
    runs.set(name, known)
    return known
  }
  const destruction = (entry: Entry): void => {
    const run = runOf(`${String(entry.action)} ${String(entry.detail?.run ?? '')}`)
    const rule = String(entry.reason ?? '')
    run.ids.push(Number(entry.id))
    run.rules.set(rule, (run.rules.get(rule) ?? 0) + 1)
  }
  return {
    see: (entries, from) => {
      const here = marksIn(entries)
      if (here.length === 0) return
      for (const [i, bytes] of entries.entries()) {
        if (!here.some(mark => bytes.includes(mark))) continue
        const entry = parse(bytes)
        const action = String(entry?.action)
        if (!entry) continue
        if (Object.values(proves).includes(action)) destruction(entry)
        else if (Object.hasOwn(proves, action))
          certificates.push({ idx: from + i, action, run: String(entry.object?.id ?? ''), detail: entry.detail ?? {} })
      }
    },
    end: (first, tell, unchecked) => {
      let hold = 0
      for (const certificate of certificates) {
        const run = runs.get(`${proves[certificate.action]} ${certificate.run}`) ?? {
          ids: [],
          rules: new Map<string, number>(),
        }
        const wrong = contradiction(certificate, run)
        if (wrong === undefined) hold++
        else if (first > 0 && run.ids.length < Number(certificate.detail.count))
          unchecked.push(`the certificate of run ${certificate.run}: some of its entries were pruned.`)
        else tell(layout.entries, `Entry ${certificate.idx}: ${wrong}`)
      }
      const names = new Set(certificates.map(c => `${proves[c.action]} ${c.run}`))
      const uncertified = [...runs].filter(([name]) => !names.has(name)).reduce((n, [, run]) => n + run.ids.length, 0)
      return { all: certificates.length, hold, uncertified }
    },
  }
}
