import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { databaseLog } from '../../audit/folder/database-log.ts'
import { exportLog } from '../../audit/folder/export.ts'
import { verifyFolder } from '../../audit/folder/verify.ts'
import type { Verdict, VerifyOptions } from '../../audit/folder/verify-log.ts'
import { logOrigin } from '../../core/log-keys.ts'
import { logSize } from '../../core/store/audit/log/entries.ts'
import { rotateAuditKey } from '../../core/store/audit/log/rotate.ts'
import { latestPinned } from '../../core/store/pins/pins.ts'
import { inSnapshot } from '../../core/store/snapshot.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'
import { orExplain, withStore } from '../open-store.ts'

type Options = Record<string, string>

const connection = 'wardroom-audit-command'

const textOf = (file: string | undefined): string | undefined => {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Explained(`${file} cannot be read: ${(cause as Error).message}.`, { cause })
  }
}

const linesOf = (file: string | undefined): string[] =>
  (textOf(file) ?? '').split('\n').filter(line => line.trim() !== '')

const time = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z')

/** Deletion certificates, as the folder's own entries prove them. */
const certificateLines = ({ certificates: c }: Verdict): string[] => [
  ...(c && c.all > 0 ? [`  ${c.all} deletion certificate${c.all === 1 ? '' : 's'}: ${c.hold} hold`] : []),
  ...(c && c.uncertified > 0
    ? [`  ${c.uncertified} destroyed messages and keys whose run was not complete at that time`]
    : []),
]

/** The verdict as lines for a person; the last one says it in a word. */
const report = (v: Verdict): string[] => [
  `${v.origin || 'a log whose checkpoint cannot be read'}: ${v.size} entries${v.first > 0 ? `, of which those before ${v.first} were pruned` : ''}`,
  `  root ${v.root}`,
  ...v.keys.map((key, i) => `  ${i === 0 ? 'key' : 'then key'} ${key}`),
  ...v.cosigned.map(c => `  cosigned by ${c.name} at ${c.size} entries, ${time(c.at)}`),
  ...(v.against ? [`  compared with a checkpoint over ${v.against.size} entries that was kept elsewhere`] : []),
  ...certificateLines(v),
  ...v.unchecked.map(line => `  not checked: ${line}`),
  ...v.problems.map(p => `  WRONG  ${p.where}: ${p.what}`),
  ...(v.problemCount > v.problems.length ? [`  and ${v.problemCount - v.problems.length} more`] : []),
  v.holds
    ? 'VERIFIED: every entry is as it was signed.'
    : `NOT VERIFIED: ${v.problemCount === 1 ? 'something is' : `${v.problemCount} things are`} wrong.`,
]

const check = async (dir: string, options: VerifyOptions): Promise<number> => {
  const verdict = orExplain(await verifyFolder(dir, options))
  console.log(report(verdict).join('\n'))
  return verdict.holds ? 0 : 1
}

const recordExport = (store: StoreDeps): Promise<void> =>
  transact(store, async tx =>
    tx.audit({
      actor: { kind: 'service', id: `cli/${userInfo().username}` },
      action: 'audit.export',
      object: { kind: 'audit', id: 'log' },
      outcome: 'done',
      detail: { entries: await logSize(tx.sql) },
    }),
  )

const exportTo = async (_: string[], { out, config }: Options): Promise<number> => {
  if (!out) throw new Explained('Say where to: wardroom audit export --out FOLDER.')
  const against = await withStore(config, connection, async store => {
    // Recorded before anything leaves: an export that breaks off has left something, too.
    await recordExport(store)
    return inSnapshot(store.db, async sql => {
      orExplain(await exportLog(orExplain(await databaseLog(sql)), out))
      return latestPinned(sql)
    })
  })
  console.log(
    `The log is in ${out}. Anybody can verify it: wardroom audit verify ${out}, or docs/audit-verification.md.`,
  )
  return check(out, { against })
}

const verify = async ([dir]: string[], o: Options): Promise<number> => {
  if (!dir) throw new Explained('Say which folder: wardroom audit verify FOLDER [--against CHECKPOINT].')
  const [vkey] = linesOf(o.vkey)
  if (o.vkey && !vkey) throw new Explained(`${o.vkey} has no key.`)
  return check(dir, { against: textOf(o.against), vkey, witnesses: linesOf(o.witnesses) })
}

const rotateKey = async (_: string[], { config }: Options): Promise<number> => {
  const made = await withStore(config, connection, async (store, { keys, homeserver }) =>
    rotateAuditKey(store, {
      file: keys.audit,
      origin: logOrigin(homeserver.serverName),
      by: `cli/${userInfo().username}`,
    }),
  )
  console.log(
    `The log has a new key; the next checkpoint is signed by both. Give it to your witnesses and auditors:\n${orExplain(made).vkey}`,
  )
  return 0
}

const verbs = { export: exportTo, verify, 'rotate-key': rotateKey }

/** `wardroom audit export | verify | rotate-key`: the audit log as a folder; verifying needs nothing but that folder. */
export const audit: CliCommand = {
  name: 'audit',
  usage:
    'audit export --out FOLDER | verify FOLDER [--against CHECKPOINT] [--vkey FILE] [--witnesses FILE] | rotate-key',
  about:
    'write the audit log to a folder that anybody can verify; verify one, without a database; give the log a new key',
  run: async args => {
    const { values, rest } = parseOptions(args, { values: ['out', 'against', 'vkey', 'witnesses', 'config'] })
    const [verb = '', ...others] = rest
    const act = Object.entries(verbs).find(([name]) => name === verb)?.[1]
    if (!act) throw new Explained('Say what: wardroom audit export, verify or rotate-key.')
    return act(others, values)
  },
}
