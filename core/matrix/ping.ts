import { errorFacts, isOutage } from '../error-facts.ts'
import type { Log } from '../log.ts'
import type { Homeserver } from './homeserver.ts'

/**
 * Asks the homeserver to reach us now (`POST /_matrix/client/v1/appservice/{id}/ping`), so that it does not sit out its back-off, up to 512 s, after we were
 * away. A homeserver that is away itself comes to us when it is back; that is only logged.
 */
export const pingHomeserver = async (homeserver: Homeserver, registrationId: string, log: Log): Promise<void> => {
  const path = `/_matrix/client/v1/appservice/${encodeURIComponent(registrationId)}/ping`
  for (let tries = 1; ; tries++) {
    try {
      await homeserver.request('POST', path, { body: { transaction_id: 'start' } })
      return
    } catch (err) {
      if (!isOutage(err)) throw err
      // Synapse answers 502 when its own call to us was cut short, which a busy machine brings about: the next one goes through.
      if (tries < 4) await new Promise(done => setTimeout(done, 150 * 2 ** tries))
      else {
        log.warn(
          { err: errorFacts(err), registrationId },
          'the homeserver cannot be asked to deliver; it will by itself',
        )
        return
      }
    }
  }
}
