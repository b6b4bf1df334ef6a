import { reauthFactor } from '../../core/domain/factor.ts'
import { idleAt, reauthAt } from '../../core/domain/session.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import type { Session } from '../../core/store/links/sessions.ts'
import { personById } from '../../core/store/patients/patients.ts'
import type { Session as SessionAnswer } from '../../web/contract.ts'
import { openDevice } from '../links/devices.ts'
import { quickReplies } from './clinic.ts'
import { defaultUploadBytes, maxTextBytes, type PublicDeps } from './deps.ts'
import { teamOf } from './team.ts'

/** Makes the session's device and describes the session to the page. @throws when the homeserver does not answer; the session has then ended. */
export const describeSession = async (
  deps: PublicDeps,
  settings: Settings,
  session: Session,
  csrf: string,
): Promise<SessionAnswer> => {
  const person = await personById(deps.store.db, session.personId)
  if (!person || !session.deviceId) throw new Error(`session ${session.id} has lost its person`)
  const asked = teamOf(
    { homeserver: deps.homeserver, db: deps.store.db },
    session,
    person.lang,
    settings['clinic.name'],
  )
  // Asked at the same time; whatever becomes of it, the device's own failure has ended the session before anything is answered.
  const [device] = await Promise.allSettled([openDevice(deps, session), asked])
  if (device.status === 'rejected') throw device.reason
  const team = await asked
  return {
    csrf,
    userId: session.userId,
    deviceId: session.deviceId,
    roomId: session.roomId,
    lang: person.lang,
    now: deps.store.clock.now(),
    idleAt: idleAt(session),
    reauthAt: reauthAt(session),
    reauthFactor: reauthFactor(settings['link.factors'], { hasPin: person.pin !== null }),
    person: { kind: person.kind },
    team,
    quickReplies: quickReplies(settings),
    limits: { textBytes: maxTextBytes, uploadBytes: deps.uploadBytes ?? defaultUploadBytes },
  }
}
