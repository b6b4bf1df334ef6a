import type { ExportLine } from '../../domain/records/export-line.ts'
import type { Homeserver } from '../../matrix/homeserver.ts'
import { contentHash, fitsOwnHash } from './canonical.ts'
import { checkProofs } from './check-proofs.ts'
import { type EventHash, type Manifest, paths } from './manifest.ts'
import { lineListener, type ReadFile, readPackage, textListener } from './read-package.ts'
import { storedCopies } from './stored-events.ts'

export type CheckOptions = {
  /** age identities, `AGE-SECRET-KEY-1…`. */
  identities: readonly string[]
  /** A key of the log that is known from elsewhere. */
  vkey?: string
  /** To compare with what is stored now. */
  homeserver?: Homeserver
  /** SHA-256 of the package and its manifest as the request has them. */
  recorded?: { file: string | null; manifest: string | null }
}

/** `wrong`: at most a hundred. `notes`: what could not be compared, and why. */
export type CheckVerdict = {
  holds: boolean
  wrong: string[]
  notes: string[]
  manifest: Manifest | null
  sha256: string
}

const most = 100

type Seen = {
  manifest: Manifest | null
  /** Per event: the hash of what the package has of it. */
  messages: Map<string, string | null>
  /** Events whose content is not from the homeserver. */
  elsewhere: Set<string>
  media: { path: string; sha256: string; bytes: number }[]
  listed: EventHash[]
  counts: Map<string, number>
  unreadable: number
  audit: { checkpoint: string; keys: string; entries: string[] }
}

const readAll = async (file: string, identities: readonly string[], tell: (what: string) => void) => {
  const seen: Seen = {
    manifest: null,
    messages: new Map(),
    elsewhere: new Set(),
    media: [],
    listed: [],
    counts: new Map(),
    unreadable: 0,
    audit: { checkpoint: '', keys: '[]', entries: [] },
  }
  const count = (name: string) => seen.counts.set(name, (seen.counts.get(name) ?? 0) + 1)
  const message = (text: string) => {
    const line = JSON.parse(text) as ExportLine
    if (seen.messages.has(line.event_id)) tell(`${line.event_id} is there twice.`)
    seen.messages.set(line.event_id, contentHash(line.stored))
    if (line.source !== 'homeserver') seen.elsewhere.add(line.event_id)
    if (line.stored && fitsOwnHash(line.stored) === false) tell(`${line.event_id} does not fit its own hash.`)
    if (line.media && 'path' in line.media) seen.media.push(line.media)
    count(line.what)
    count('events')
  }
  const listeners: Record<string, () => ReturnType<typeof lineListener>> = {
    [paths.messages]: () => lineListener(message),
    [paths.events]: () => lineListener(text => void seen.listed.push(JSON.parse(text) as EventHash)),
    [paths.unreadable]: () => lineListener(() => void seen.unreadable++),
    [paths.membership]: () => lineListener(() => count('membership')),
    [paths.receipts]: () => lineListener(() => count('receipts')),
    [paths.entries]: () => lineListener(text => void seen.audit.entries.push(text)),
    [paths.checkpoint]: () =>
      textListener(text => {
        seen.audit.checkpoint = text
      }),
    [paths.keys]: () =>
      textListener(text => {
        seen.audit.keys = text
      }),
    [paths.manifest]: () =>
      textListener(text => {
        seen.manifest = JSON.parse(text) as Manifest
      }),
  }
  const { files, sha256 } = await readPackage(file, identities, path =>
    Object.hasOwn(listeners, path) ? listeners[path]?.() : undefined,
  )
  return { seen, files, sha256 }
}

/** Every file is there once, with the length and hash that the manifest says, and no other. */
const checkFiles = (files: readonly ReadFile[], manifest: Manifest, tell: (what: string) => void): void => {
  const said = new Map(manifest.files.map(f => [f.path, f]))
  const found = new Set<string>()
  for (const f of files.filter(one => one.path !== paths.manifest)) {
    const wanted = said.get(f.path)
    if (found.has(f.path)) tell(`${f.path} is there twice.`)
    else if (!wanted) tell(`${f.path} is not in the manifest.`)
    else if (wanted.sha256 !== f.sha256 || wanted.bytes !== f.bytes) tell(`${f.path} is not the file of the manifest.`)
    found.add(f.path)
  }
  for (const path of said.keys()) if (!found.has(path)) tell(`${path} is missing.`)
  if (files.filter(f => f.path === paths.manifest).length !== 1) tell('There is more than one manifest.')
}

/** Every event of the list is there once, with its hash, and no other; counts and files fit. */
const checkEvents = (seen: Seen, manifest: Manifest, tell: (what: string) => void): void => {
  const listed = new Set<string>()
  for (const { event_id, sha256 } of seen.listed) {
    if (listed.has(event_id)) tell(`${event_id} is listed twice.`)
    else if (!seen.messages.has(event_id)) tell(`${event_id} is missing.`)
    else if (seen.messages.get(event_id) !== sha256) tell(`${event_id} is not what was listed.`)
    listed.add(event_id)
  }
  for (const id of seen.messages.keys()) if (!listed.has(id)) tell(`${id} is not listed.`)
  const files = new Map(manifest.files.map(f => [f.path, f]))
  for (const m of seen.media) {
    const f = files.get(m.path)
    if (f?.sha256 !== m.sha256 || f.bytes !== m.bytes) tell(`${m.path} is not the file that its message has.`)
  }
  const unreadable = Object.values(manifest.unreadable).reduce((sum, n) => sum + n, 0)
  if (unreadable !== seen.unreadable) tell(`${paths.unreadable} has ${seen.unreadable} lines, not ${unreadable}.`)
  const counted: Record<string, number> = { ...Object.fromEntries(seen.counts), media: seen.media.length }
  for (const [name, n] of Object.entries(manifest.counts))
    if (name !== 'missing_media' && (counted[name] ?? 0) !== n)
      tell(`There are ${counted[name] ?? 0} ${name}, not ${n}.`)
}

const atOnce = 200

/** Compares each message with what the homeserver stores now. What it has no more cannot be compared, which is no fault of the package. */
const checkStored = async (homeserver: Homeserver, seen: Seen, tell: (what: string) => void): Promise<string[]> => {
  const ids = [...seen.messages].filter(([id, hash]) => hash !== null && !seen.elsewhere.has(id)).map(([id]) => id)
  let same = 0
  for (let at = 0; at < ids.length; at += atOnce) {
    const some = ids.slice(at, at + atOnce)
    const copies = await storedCopies(homeserver, some)
    for (const id of some) {
      const copy = copies.get(id)
      if (!copy || Object.keys(copy.content).length === 0) continue
      if (contentHash(copy) === seen.messages.get(id)) same++
      else if ('ciphertext' in copy.content) tell(`${id} is not what the homeserver stores.`)
    }
  }
  return [
    `${same} of ${seen.messages.size} events are what the homeserver stores now; the others are room state or gone there.`,
  ]
}

/**
 * Reads a package back and proves that nothing was lost or changed: the encryption's own authentication, the hash of every file, every event once with the
 * hash of its ciphertext, each event's own content hash, the audit proofs; with access, also what the homeserver stores. @throws when the file cannot be read or decrypted.
 */
export const checkExport = async (file: string, o: CheckOptions): Promise<CheckVerdict> => {
  const wrong: string[] = []
  const tell = (what: string) => {
    if (wrong.length < most) wrong.push(what)
  }
  const { seen, files, sha256 } = await readAll(file, o.identities, tell)
  const { manifest } = seen
  const notes: string[] = []
  if (manifest?.wardroom !== 'export' || manifest.version !== 1) tell('It has no manifest that this program knows.')
  else {
    checkFiles(files, manifest, tell)
    checkEvents(seen, manifest, tell)
    if (manifest.audit) {
      for (const what of checkProofs(seen.audit, manifest, o.vkey)) tell(what)
      if (!manifest.audit.complete)
        notes.push('The audit log had not taken in everything when the package was written.')
      if (!o.vkey)
        notes.push("The log's key is the package's own: give --vkey to compare it with the one that you know.")
    } else notes.push("A patient's copy has no part of the audit log.")
    if (o.homeserver) notes.push(...(await checkStored(o.homeserver, seen, tell)))
  }
  const manifestHash = files.find(f => f.path === paths.manifest)?.sha256
  if (o.recorded && (o.recorded.file !== sha256 || o.recorded.manifest !== manifestHash))
    tell('It is not the package that was written when the export was run.')
  return { holds: wrong.length === 0, wrong, notes, manifest, sha256 }
}
