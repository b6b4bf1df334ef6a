import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { UserId } from '../../core/domain/ids.ts'
import { keysOfGhost } from '../../core/matrix/export/ghost-keys.ts'
import { newDeviceId } from '../../core/matrix/our-users.ts'
import { openK } from '../../core/seal.ts'
import { openDb } from '../../core/store/db.ts'
import { personById } from '../../core/store/patients/patients.ts'
import { clinician } from '../../test/support/clinician.ts'
import { approvedExport, exportTold } from '../../test/support/exports.ts'
import { stack, stopStack } from '../../test/support/stack.ts'
import { testBridge } from '../../test/support/worlds/bridge.ts'
import { afterRun } from '../after-run.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'
import { scaled } from '../scale.ts'
import type { ExportTaken, ExportTask } from './export-child.ts'
import { seedMessages } from './seed-messages.ts'

const messages = scaled(5000, 200)
const rounds = 3
const run = promisify(execFile)

/** An export of one care room whose link was never opened, from the officers' key to the encrypted package, beside nothing but decrypting the same messages. */
export const recordsExport: Bench = {
  area: 'records',
  figures: ['export_messages_per_s', 'export_mb'],
  run: async say => {
    say(`records: an export of ${messages} messages, ${rounds} times`)
    afterRun(stopStack)
    const s = await stack()
    const bridge = await testBridge()
    const lee = await clinician('lee')
    const folder = mkdtempSync(join(tmpdir(), 'wardroom-bench-'))
    const synapse = openDb(s.postgresUrl('synapse'), { max: 2, name: 'bench' })
    try {
      await bridge.grant(lee.userId)
      const patient = await bridge.enrol(lee)
      const template = await lee.send(patient.room, 'the first')
      await seedMessages(synapse, { from: lee, room: patient.room, template, count: messages })
      const { store, homeserver } = bridge.deps
      const person = await personById(store.db, patient.person)
      const k = await openK(bridge.privateKeys.keeper, patient.ghost, person?.k ?? '')
      const userId = patient.ghost as UserId
      const device = { homeserver, userId, deviceId: newDeviceId(store.random), k, rooms: [patient.room] }
      const { keys } = await keysOfGhost(device)
      const recipient = await identityToRecipient(await generateX25519Identity())
      const common = { url: s.synapse.url, ghosts: s.ghosts.asToken, bots: s.bots.asToken, room: patient.room }
      const child = async (task: ExportTask): Promise<ExportTaken> => {
        const file = join(folder, 'task.json')
        writeFileSync(file, JSON.stringify(task), { mode: 0o600 })
        const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'export-child.ts'), file])
        return JSON.parse(stdout) as ExportTaken
      }
      const exported: ExportTaken[] = []
      const bare: ExportTaken[] = []
      for (let r = 0; r < rounds; r++) {
        const until = Date.now() + 60_000
        bare.push(await child({ ...common, until, kind: 'bare', keys, sender: lee.userId }))
        const about = { kind: 'patient', patient: patient.id } as const
        const id = await approvedExport(store, { about, recipient })
        await exportTold(store, id)
        const out = join(folder, `${r}.age`)
        const own = {
          id,
          out,
          databaseUrl: bridge.db.url,
          sealing: bridge.db.keys,
          recovery: bridge.privateKeys.recovery,
        }
        exported.push(await child({ ...common, ...own, until, kind: 'export' }))
      }
      const rate = (all: readonly ExportTaken[]) => median(all.map(x => x.messages / (x.ms / 1000)))
      const peak = (all: readonly ExportTaken[]) => Math.max(...all.map(x => x.peakMb))
      const note = `${messages} messages in ${new Set(keys.map(key => key.session_id)).size} sessions, one care room; baseline: the crypto library decrypts them and does nothing else`
      return [
        figure({
          name: 'records.export_messages_per_s',
          value: rate(exported),
          unit: 'messages/s',
          baseline: rate(bare),
          goal: { ratioAtLeast: 0.3 },
          note: `${note}; the export begins with K, which is opened, and ends with the encrypted file`,
        }),
        figure({
          name: 'records.export_mb',
          value: peak(exported),
          unit: 'MB',
          baseline: peak(bare),
          goal: { aboveBaselineAtMost: 100 },
          note: `peak of a process of its own; ${note}`,
        }),
      ]
    } finally {
      await synapse.destroy()
      await lee.stop()
      await bridge.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
