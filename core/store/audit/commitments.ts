import type { Knex } from 'knex'
import { leafOf, type QueuedEvent } from '../../domain/audit/leaf.ts'
import type { StoreDeps } from '../tx.ts'
import { type Owners, ownerOf } from './patients-of.ts'
import { commitment, passing, patientLookup, sealContext, sealedKinds, subjectLookup } from './subjects.ts'

type Named = { kind: string; value: string; lookup: string; owner: string | undefined }

const saltBytes = 16

const store = async (sql: Knex, deps: StoreDeps, fresh: readonly (Named & { ref: string; salt: Buffer })[]) => {
  const values = await Promise.all(
    fresh.map(({ kind, value }) => (sealedKinds.has(kind) ? deps.seal.close(sealContext, value) : value)),
  )
  await sql.raw(
    `insert into audit_subject (ref, kind, value, sealed, lookup, salt, patient, created_at)
     select *, ?::bigint from unnest(?::text[], ?::text[], ?::text[], ?::bool[], ?::text[], ?::bytea[], ?::text[])`,
    [
      deps.clock.now(),
      fresh.map(s => s.ref),
      fresh.map(s => s.kind),
      values,
      fresh.map(s => sealedKinds.has(s.kind)),
      fresh.map(s => s.lookup),
      fresh.map(s => s.salt),
      fresh.map(s => s.owner ?? null),
    ] as Knex.RawBinding[],
  )
}

type Known = { lookup: string; ref: string; patient: string | null }

/** Gives subjects that were named before we knew whose they are to their patient. */
const adopt = async (sql: Knex, known: readonly Known[], named: ReadonlyMap<string, Named>) => {
  const orphans = known.filter(k => k.patient === null && named.get(k.lookup)?.owner !== undefined)
  if (orphans.length === 0) return
  await sql.raw(
    `update audit_subject s set patient = o.patient from unnest(?::text[], ?::text[]) o (lookup, patient)
     where s.lookup = o.lookup and s.patient is null`,
    [orphans.map(o => o.lookup), orphans.map(o => named.get(o.lookup)?.owner ?? '')],
  )
}

/** One batch names the same patients and rooms again and again. */
const rememberedLookups = (seal: StoreDeps['seal']) => {
  const known = new Map<string, string>()
  return (kind: string, value: string, e: QueuedEvent): string => {
    const name = `${kind}\0${value}\0${passing.includes(kind) ? `${e.patient ?? ''}\0${e.at}` : ''}`
    const lookup = known.get(name) ?? subjectLookup(seal, kind, value, e)
    known.set(name, lookup)
    return lookup
  }
}

/**
 * The leaves of these events, in order. Every value that must not stand in the log gets its commitment: the one it has, or a new one that is stored.
 * Those of erased patients are made and forgotten.
 */
export const leavesOf = async (
  sql: Knex,
  deps: StoreDeps,
  events: readonly QueuedEvent[],
  owners: Owners,
): Promise<string[]> => {
  const named = new Map<string, Named>()
  const hashes = new Map<string, string>()
  const ownerHash = (patient: string) => {
    const hash = hashes.get(patient) ?? patientLookup(deps.seal, patient)
    hashes.set(patient, hash)
    return hash
  }
  const lookupOf = rememberedLookups(deps.seal)
  const lookups = events.map(e => {
    const mine: string[] = []
    leafOf(e, (kind, value) => {
      const lookup = lookupOf(kind, value, e)
      mine.push(lookup)
      const owner = ownerOf(e, kind, value, owners)
      if (named.get(lookup)?.owner === undefined)
        named.set(lookup, { kind, value, lookup, owner: owner === undefined ? undefined : ownerHash(owner) })
      return ''
    })
    return mine
  })
  const { rows } = await sql.raw<{ rows: (Known & { gone: boolean })[] }>(
    `select lookup, ref, patient, false as gone from audit_subject where lookup = any(?::text[])
     union all select '', '', patient, true from audit_erased where patient = any(?::text[])`,
    [[...named.keys()], [...hashes.values()]],
  )
  const known = rows.filter(r => !r.gone)
  const erased = new Set(rows.flatMap(r => (r.gone && r.patient ? [r.patient] : [])))
  const refs = new Map(known.map(k => [k.lookup, k.ref]))
  const missing = [...named.values()].filter(s => !refs.has(s.lookup))
  const salts = Buffer.from(deps.random.bytes(saltBytes * missing.length))
  const fresh = missing.map((s, i) => {
    const salt = salts.subarray(i * saltBytes, (i + 1) * saltBytes)
    const ref = commitment(salt, s.kind, s.value)
    refs.set(s.lookup, ref)
    return { ...s, ref, salt }
  })
  const kept = fresh.filter(s => s.owner === undefined || !erased.has(s.owner))
  if (kept.length > 0) await store(sql, deps, kept)
  await adopt(sql, known, named)
  return events.map((e, i) => {
    let next = 0
    return leafOf(e, () => refs.get(lookups[i]?.[next++] ?? '') ?? '')
  })
}
