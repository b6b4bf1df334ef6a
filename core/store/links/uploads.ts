import type { PatientId } from '../../domain/ids.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import type { Session } from './sessions.ts'

/** Notes a file that a patient uploaded. `media` is `server/id`. */
export const noteUpload = async (tx: Tx, s: Session, media: string, bytes: number): Promise<void> => {
  await tx
    .sql('session_upload')
    .insert({ media, session_id: s.id, person_id: s.personId, patient_id: s.patientId, bytes, at: tx.now })
    .onConflict('media')
    .ignore()
}

/** Whose patient's upload is this? Undefined when no patient of ours uploaded it. */
export const uploadedFor = async (db: Db, media: string): Promise<PatientId | undefined> =>
  (await db('session_upload').where({ media }).first('patient_id'))?.patient_id
