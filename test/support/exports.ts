import type { ExportLine } from '../../core/domain/records/export-line.ts'
import type { ExportAbout } from '../../core/domain/records/export-request.ts'
import type { Manifest } from '../../core/records/export/manifest.ts'
import { readPackage, textListener } from '../../core/records/export/read-package.ts'
import { roomsOfExport } from '../../core/store/records/export-rooms.ts'
import { approveExport, createExport, newExportId } from '../../core/store/records/exports.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { eventually } from './eventually.ts'

export const [asks, approves] = ['@cora:h', '@carl:h']

/** An export up to now that one officer has asked for and another has approved. */
export const approvedExport = async (
  store: StoreDeps,
  { about, recipient, copy = false }: { about: ExportAbout; recipient: string; copy?: boolean },
): Promise<string> => {
  const id = await transact(store, async tx => {
    const made = newExportId(tx)
    const range = { since: null, until: Date.now() + 60_000 }
    const asked = { id: made, about, ...range, copy, recipients: [recipient], matter: 'claim 7' }
    await createExport(tx, { ...asked, by: asks })
    return made
  })
  await transact(store, tx => approveExport(tx, id, { by: approves, hoursOpen: 72 }))
  return id
}

/** Resolves when every room of the export has been told. */
export const exportTold = (store: StoreDeps, id: string): Promise<true> =>
  eventually(async () => (await roomsOfExport(store.db, id)).every(r => r.toldAt !== null) || undefined, {
    what: 'the rooms being told of the export',
  }) as Promise<true>

export type ReadExport = {
  /** Every file as text, by path. */
  texts: Record<string, string>
  lines: ExportLine[]
  byId(id: string | undefined): ExportLine | undefined
  manifest: Manifest
}

/** A package as somebody with the private key reads it. */
export const readExport = async (file: string, identity: string): Promise<ReadExport> => {
  const texts: Record<string, string> = {}
  await readPackage(file, [identity], path =>
    textListener(text => {
      texts[path] = text
    }),
  )
  const lines = (texts['messages.jsonl'] ?? '')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as ExportLine)
  return {
    texts,
    lines,
    byId: id => lines.find(l => l.event_id === id),
    manifest: JSON.parse(texts['manifest.json'] ?? '{}') as Manifest,
  }
}
