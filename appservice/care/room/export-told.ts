import { exportNotice } from '../../../core/domain/records/export-request.ts'
import { MatrixRefusal } from '../../../core/matrix/homeserver.ts'
import type { JobHandler, Outcome } from '../../../core/queues/outbox-worker.ts'
import { patientByRoom } from '../../../core/store/patients/patients.ts'
import { noteTold } from '../../../core/store/records/export-rooms.ts'
import { exportById } from '../../../core/store/records/exports.ts'
import type { CareDeps } from '../deps.ts'
import { speak } from '../speak.ts'

/** Job `care.export-told`: a care room learns of an approved export before anybody reads it, from its owner, which the patient reads too. */
export const exportTold =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { exportId, room } = job.payload as { exportId: string; room: string }
    const r = await exportById(deps.store.db, exportId)
    const patient = await patientByRoom(deps.store.db, room)
    const by = 'bridge'
    if (!r?.approvedBy || r.state !== 'approved') return { kind: 'done' }
    const untold = (why: string): Outcome => ({
      kind: 'done',
      apply: tx => noteTold(tx, { id: exportId, room, by, untold: why }),
    })
    if (!patient) return untold('no-owner')
    try {
      const body = exportNotice({ ...r, approvedBy: r.approvedBy })
      const event = await speak(deps, { patientId: patient.id, jobId: job.id, body })
      if (!event) return untold('no-owner')
      return { kind: 'done', apply: tx => noteTold(tx, { id: exportId, room, by, event }) }
    } catch (e) {
      if (e instanceof MatrixRefusal && (e.status === 403 || e.status === 404)) return untold('not-in-the-room')
      throw e
    }
  }
