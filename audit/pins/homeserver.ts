import { errorFacts, isOutage } from '../../core/error-facts.ts'
import { MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { pinAccountData } from '../../core/pin-content.ts'
import { botUsers } from '../../core/store/bots/bot-devices.ts'
import type { VerifierKey } from '../../core/tlog/key.ts'
import type { AuditDeps } from '../deps.ts'
import { checkpointIn } from './folder.ts'

/** The checkpoint that the bot left in its own account data: the homeserver's database is another one than ours, so an older copy of ours shows. */
export const readHomeserver = async (
  deps: AuditDeps,
  keys: readonly VerifierKey[],
): Promise<{ size: number; root: Uint8Array }[]> => {
  const found: { size: number; root: Uint8Array }[] = []
  for (const userId of await botUsers(deps.store.db)) {
    const path = `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/${pinAccountData}`
    try {
      const { note } = await deps.homeserver.request<{ note?: unknown }>('GET', path, { userId })
      const checkpoint = typeof note === 'string' ? checkpointIn(note, keys) : undefined
      if (checkpoint?.origin === deps.origin) found.push({ size: checkpoint.size, root: checkpoint.root })
    } catch (e) {
      if (isOutage(e)) deps.log.warn({ err: errorFacts(e) }, 'the checkpoint at the homeserver cannot be read now')
      else if (!(e instanceof MatrixRefusal && e.status === 404)) throw e
    }
  }
  return found
}
