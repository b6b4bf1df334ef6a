import { createHash } from 'node:crypto'
import { certificateDigest } from '../../core/domain/records/certificate.ts'
import type { Tell } from './log-keys.ts'
import { layout } from './stored-log.ts'

/** How many deletion certificates there are, how many of them the log's own entries prove, and how many entries belong to runs without one. */
export type CertificateCount = { all: number; hold: number; uncertified: number }

type Certificate = { idx: number; run: string; detail: Record<string, unknown> }
type Run = { ids: number[]; rules: Map<string, number> }
type Entry = {
  id?: unknown
  action?: unknown
  object?: { id?: unknown }
  reason?: unknown
  detail?: Record<string, unknown>
}

const destroyed = Buffer.from('"action":"record.destroy"')
const certified = Buffer.from('"action":"record.certificate"')
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const counts = { by_window: 'window', by_recall: 'recall', by_removal: 'removed' } as const

const parse = (entry: Buffer): Entry | undefined => {
  try {
    return JSON.parse(entry.toString()) as Entry
  } catch {
    return undefined // no entry of ours
  }
}

/** What a certificate says that its run's entries do not; undefined when it holds. */
const contradiction = ({ run, detail }: Certificate, { ids, rules }: Run): string | undefined => {
  if (detail.count !== ids.length)
    return `The certificate of run ${run} counts ${String(detail.count)} destroyed messages; the log has ${ids.length}.`
  const [wrong] = Object.entries(counts).filter(([name, rule]) => (detail[name] ?? 0) !== (rules.get(rule) ?? 0))
  if (wrong) return `The certificate of run ${run} counts other reasons (${wrong[0]}) than its entries have.`
  return detail.digest === certificateDigest(ids, sha256)
    ? undefined
    : `The digest of the certificate of run ${run} is not the one over its entries.`
}

/**
 * Follows deletion certificates (row 50) beside the entries: each must count the `record.destroy` entries of its run, and have their digest. Keeps a number an
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
    if (entry.action !== 'record.destroy') return
    const run = runOf(String(entry.detail?.run ?? ''))
    const rule = String(entry.reason ?? '')
    run.ids.push(Number(entry.id))
    run.rules.set(rule, (run.rules.get(rule) ?? 0) + 1)
  }
  return {
    see: (entries, from) => {
      for (const [i, bytes] of entries.entries()) {
        if (bytes.includes(destroyed)) destruction(parse(bytes) ?? {})
        else if (bytes.includes(certified)) {
          const entry = parse(bytes)
          if (entry?.action === 'record.certificate')
            certificates.push({ idx: from + i, run: String(entry.object?.id ?? ''), detail: entry.detail ?? {} })
        }
      }
    },
    end: (first, tell, unchecked) => {
      let hold = 0
      for (const certificate of certificates) {
        const run = runs.get(certificate.run) ?? { ids: [], rules: new Map<string, number>() }
        const wrong = contradiction(certificate, run)
        if (wrong === undefined) hold++
        else if (first > 0 && run.ids.length < Number(certificate.detail.count))
          unchecked.push(`the certificate of run ${certificate.run}: some of its entries were pruned.`)
        else tell(layout.entries, `Entry ${certificate.idx}: ${wrong}`)
      }
      const names = new Set(certificates.map(c => c.run))
      const uncertified = [...runs].filter(([name]) => !names.has(name)).reduce((n, [, run]) => n + run.ids.length, 0)
      return { all: certificates.length, hold, uncertified }
    },
  }
}
