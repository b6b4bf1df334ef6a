import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { JWK } from 'jose'
import { readRegistration } from '../../config/registration.ts'
import type { ServiceConfig } from '../../config/service.ts'
import { seconds } from '../../core/domain/clock.ts'
import { readKeyFile } from '../../core/keys.ts'
import { createLog } from '../../core/log.ts'
import { createHomeserver } from '../../core/matrix/homeserver.ts'
import { type CheckVerdict, checkExport } from '../../core/records/export/check.ts'
import { runExport } from '../../core/records/export/run.ts'
import { joinRecovery, type RecoveryShare } from '../../core/recovery.ts'
import { secret } from '../../core/secret.ts'
import { auditExport, exportById, isExportQueued } from '../../core/store/records/exports.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'
import { orExplain, withStore } from '../open-store.ts'

type Given = { values: Record<string, string>; lists: Record<string, string[]> }

const connection = 'wardroom-export-command'
const by = () => `cli/${userInfo().username}`

const homeserverOf = (config: ServiceConfig, which: 'bots' | 'ghosts') =>
  createHomeserver({
    url: config.homeserver.url,
    asToken: secret(readRegistration(config.homeserver.registrations[which]).as_token),
  })

const joined = async (files: readonly string[]): Promise<{ key: JWK; numbers: string }> => {
  try {
    const shares = files.map(file => readKeyFile<RecoveryShare>(file))
    const numbers = shares.map(s => Number(s.number)).sort((a, b) => a - b)
    return { key: await joinRecovery(shares), numbers: numbers.join('-') }
  } catch (cause) {
    throw new Explained(`${(cause as Error).message}.`, { cause })
  }
}

const explainKey = (cause: unknown): never => {
  if ((cause as { code?: unknown }).code !== 'ERR_JWE_DECRYPTION_FAILED') throw cause
  throw new Explained('These shares make another key than the one to which this installation seals.', { cause })
}

const longestWait = seconds(30)

/** Waits until the audit process has taken in what is about this export. */
const logged = async (store: StoreDeps, id: string): Promise<boolean> => {
  for (let waited = 0; waited < longestWait; waited += 200) {
    if (!(await isExportQueued(store.db, id))) return true
    await new Promise(done => setTimeout(done, 200))
  }
  return false
}

const run = async ([id]: string[], { values: { out, config }, lists: { share = [] } }: Given): Promise<number> => {
  if (!id || !out || share.length === 0)
    throw new Explained(
      'Say which export, with which shares and where to: wardroom export run EXPORT --share A.json --share B.json --out FILE.',
    )
  if (existsSync(out)) throw new Explained(`${out} is there already; a package is never replaced.`)
  const { key, numbers } = await joined(share)
  const result = await withStore(config, connection, async (store, c) => {
    const log = createLog('export', process.env.WARDROOM_LOG_LEVEL ?? 'warn')
    const [ghosts, bots] = [homeserverOf(c, 'ghosts'), homeserverOf(c, 'bots')]
    const deps = { store, ghosts, bots, log, serverName: c.homeserver.serverName }
    const say = (line: string) => console.error(line)
    const run = { id, recovery: key, shares: numbers, by: by(), out }
    return orExplain(await runExport({ ...deps, say, logged: () => logged(store, id) }, run).catch(explainKey))
  })
  const { counts, unreadable, audit } = result.manifest
  const lost = Object.values(unreadable).reduce((sum, n) => sum + n, 0)
  console.log(
    [
      `The package is in ${out}: ${counts.events ?? 0} events, ${counts.media ?? 0} files, ${result.bytes} bytes.`,
      `  SHA-256 of the package   ${result.fileSha256}`,
      `  SHA-256 of its manifest  ${result.manifestSha256}`,
      ...(lost > 0 ? [`  ${lost} events could not be read; unreadable.jsonl says which and why.`] : []),
      ...(counts.missing_media ? [`  ${counts.missing_media} files are missing; their messages say why.`] : []),
      ...(audit && !audit.complete
        ? ['  The audit log had not taken in everything: is the audit process running?']
        : []),
      `Check it with a recipient's key: wardroom export check ${out} --identity KEY.txt`,
    ].join('\n'),
  )
  // The SDK's clients leave timers behind, which would keep the key in memory some seconds longer.
  process.exit(0)
}

/** The private keys of an age key file: what age-keygen writes, with its comments. */
const identitiesIn = (file: string): string[] => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Explained(`${file} cannot be read: ${(cause as Error).message}.`, { cause })
  }
  const keys = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line.startsWith('AGE-SECRET-KEY-'))
  if (keys.length === 0) throw new Explained(`${file} has no age key; age-keygen writes one.`)
  return keys
}

const report = (file: string, v: CheckVerdict): string[] => [
  `${file}: ${v.manifest ? `export ${v.manifest.request.id}, ${v.manifest.counts.events ?? 0} events, made ${v.manifest.made_at}` : 'no export'}`,
  `  SHA-256 ${v.sha256}`,
  ...v.notes.map(note => `  ${note}`),
  ...v.wrong.map(what => `  WRONG  ${what}`),
  v.holds ? 'VERIFIED: nothing is lost and nothing was changed.' : 'NOT VERIFIED.',
]

const explainedCheck = async (file: string, o: Parameters<typeof checkExport>[1]): Promise<CheckVerdict> => {
  try {
    return await checkExport(file, o)
  } catch (cause) {
    throw new Explained(
      `${file} cannot be read: it is damaged, cut off, or was not encrypted to this key (${(cause as Error).message}).`,
      { cause },
    )
  }
}

const check = async ([file]: string[], { values }: Given): Promise<number> => {
  const { identity, vkey, config } = values
  if (!file || !identity)
    throw new Explained('Say which file and with which key: wardroom export check FILE --identity KEY.txt.')
  const known = vkey ? { vkey: readFileSync(vkey, 'utf8').trim().split('\n')[0] } : {}
  const options = { identities: identitiesIn(identity), ...known }
  const verdict = config
    ? await withStore(config, connection, async (store, c) => {
        // Which export it is, only the package says.
        const { manifest } = await explainedCheck(file, options)
        const r = manifest ? await exportById(store.db, manifest.request.id) : undefined
        const recorded = { file: r?.fileSha256 ?? null, manifest: r?.manifestSha256 ?? null }
        const found = await explainedCheck(file, { ...options, recorded, homeserver: homeserverOf(c, 'bots') })
        if (r)
          await transact(store, tx =>
            auditExport(tx, r, {
              action: 'check',
              outcome: found.holds ? 'done' : 'failed',
              actor: { kind: 'service', id: by() },
            }),
          )
        return found
      })
    : await explainedCheck(file, options)
  console.log(report(file, verdict).join('\n'))
  return verdict.holds ? 0 : 1
}

const verbs = { run, check }

/** `wardroom export run | check`: officers write the package of an approved export; anybody with a recipient's key checks one. */
export const exportRecords: CliCommand = {
  name: 'export',
  usage:
    'export run EXPORT --share FILE --share FILE --out FILE [--config FILE] | check FILE --identity KEY.txt [--vkey FILE] [--config FILE]',
  about:
    'write the package of an approved export with shares of the recovery key; check that a package is whole and unchanged',
  run: async args => {
    const { values, lists, rest } = parseOptions(args, {
      values: ['out', 'identity', 'vkey', 'config'],
      lists: ['share'],
    })
    const [verb = '', ...others] = rest
    const act = Object.entries(verbs).find(([name]) => name === verb)?.[1]
    if (!act) throw new Explained('Say what: wardroom export run or check.')
    return act(others, { values, lists })
  },
}
