import type { PatientId, UserId } from '../domain/ids.ts'
import { errorFacts } from '../error-facts.ts'
import type { Log } from '../log.ts'
import { endAccount, endBackup, endSecretStorage, endWaitingDevice } from '../matrix/end-account.ts'
import type { Homeserver } from '../matrix/homeserver.ts'
import { endedPatients } from '../store/records/exit-facts.ts'
import { beginExit, finishExit, type HomeserverPart, leftAtHomeserver, noteEnded } from '../store/records/exits.ts'
import { type StoreDeps, transact } from '../store/tx.ts'

export type ExitDeps = {
  store: StoreDeps
  /** Acts as patients' ghosts. */
  homeserver: Homeserver
  log: Log
}

const ends: Record<HomeserverPart, (homeserver: Homeserver, ghost: UserId) => Promise<boolean>> = {
  waiting_device: endWaitingDevice,
  backup: endBackup,
  secret_storage: endSecretStorage,
  account: endAccount,
}

const goOn = async (d: ExitDeps, patient: PatientId, run: string): Promise<boolean> => {
  for (const { what, owner, ghost } of await leftAtHomeserver(d.store, run)) {
    const was = await ends[what](d.homeserver, ghost)
    await transact(d.store, tx => noteEnded(tx, { run, patient }, { what, owner }, was))
  }
  return transact(d.store, tx => finishExit(tx, { run, patient }))
}

/**
 * Destroys every key to the records that have come to their end (row 53), and goes on with what a killed run had begun: first decides and commits (the point of no
 * return, with which K is gone), then ends the ghosts' accounts, each step noted and safe to repeat, then writes the certificate. How many patients were ended.
 */
export const exitRun = async (d: ExitDeps): Promise<number> => {
  let ended = 0
  for (const { patient, run } of await endedPatients(d.store.db, d.store.clock.now())) {
    try {
      const begun = run ?? (await transact(d.store, tx => beginExit(tx, patient)))
      if (begun && (await goOn(d, patient, begun))) ended++
    } catch (err) {
      d.log.error(
        { err: errorFacts(err) },
        'the keys of a record that is over were not all destroyed; it is gone on with',
      )
    }
  }
  if (ended > 0) d.log.info({ count: ended }, 'the keys of records that are over were destroyed')
  return ended
}
