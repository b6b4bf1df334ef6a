import { errorFacts, isOutage } from '../error-facts.ts'
import type { Log } from '../log.ts'
import type { Homeserver } from './homeserver.ts'

/**
 * Asks the homeserver to reach us now (`POST /_matrix/client/v1/appservice/{id}/ping`), so that it does not sit out its back-off, up to 512 s, after we were
 * away. A homeserver that is away itself comes to us when it is back; that is only logged.
 */
export const pingHomeserver = async (homeserver: Homeserver, registrationId: string, log: Log): Promise<void> => {
  const path = `/_matrix/client/v1/appservice/${encodeURIComponent(registrationId)}/ping`
  try {
    await homeserver.request('POST', path, { body: { transaction_id: 'start' } })
  } catch (err) {
    if (!isOutage(err)) throw err
    log.warn({ err: errorFacts(err), registrationId }, 'the homeserver cannot be asked to deliver; it will by itself')
  }
}
