import { readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import { isRefusal } from '../../core/domain/refusal.ts'
import { createLog } from '../../core/log.ts'
import type { RoomKey } from '../../core/matrix/escrow/backup-key.ts'
import { openDecryptor } from '../../core/matrix/export/decryptor.ts'
import { createHomeserver } from '../../core/matrix/homeserver.ts'
import { runExport } from '../../core/records/export/run.ts'
import { type StoredEvent, storedEvents } from '../../core/records/export/stored-events.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import { openDb } from '../../core/store/db.ts'
import { systemClock, systemRandom } from '../../core/system.ts'

/** What the measurement hands to a process of its own, in a file that only its owner reads. `bare`: decrypts and nothing else. */
export type ExportTask = { url: string; ghosts: string; bots: string; room: string; until: number } & (
  | { kind: 'bare'; keys: RoomKey[]; sender: string }
  | { kind: 'export'; id: string; out: string; databaseUrl: string; sealing: SealingKeys; recovery: JWK }
)
export type ExportTaken = { messages: number; ms: number; peakMb: number }

const peakMb = () => process.resourceUsage().maxRSS / 1024

const bare = async (task: ExportTask & { kind: 'bare' }): Promise<ExportTaken> => {
  const homeserver = createHomeserver({ url: task.url, asToken: secret(task.bots) })
  const events: StoredEvent[] = []
  for await (const e of storedEvents(homeserver, { room: task.room, until: task.until, sender: task.sender }))
    if (e.event.type === 'm.room.encrypted') events.push(e)
  const decryptor = await openDecryptor(task.keys)
  const from = performance.now()
  for (const { id, event } of events) {
    const opened = await decryptor.open({ ...event, event_id: id })
    if ('why' in opened) throw new Error(`a message could not be read: ${opened.why}`)
  }
  return { messages: events.length, ms: performance.now() - from, peakMb: peakMb() }
}

const whole = async (task: ExportTask & { kind: 'export' }): Promise<ExportTaken> => {
  const as = (token: string) => createHomeserver({ url: task.url, asToken: secret(token) })
  const db = openDb(task.databaseUrl, { max: 4, name: 'bench-export' })
  const store = { db, clock: systemClock, random: systemRandom, seal: createSeal(task.sealing) }
  const log = createLog('bench', 'error')
  const from = performance.now()
  const done = await runExport(
    { store, ghosts: as(task.ghosts), bots: as(task.bots), log, serverName: 'bench', logged: async () => true },
    { id: task.id, recovery: task.recovery, shares: '1-2', by: 'bench', out: task.out },
  )
  const ms = performance.now() - from
  await db.destroy()
  if (isRefusal(done)) throw new Error(done.sentence)
  if (Object.keys(done.manifest.unreadable).length > 0) throw new Error(JSON.stringify(done.manifest.unreadable))
  return { messages: done.manifest.counts.message ?? 0, ms, peakMb: peakMb() }
}

const file = process.argv[2]
if (file) {
  const task = JSON.parse(readFileSync(file, 'utf8')) as ExportTask
  console.log(JSON.stringify(await (task.kind === 'bare' ? bare(task) : whole(task))))
  process.exit(0)
}
