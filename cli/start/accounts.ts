import { randomInt } from 'node:crypto'
import { defaultFiles } from '../../config/service.ts'
import type { Role } from '../../core/domain/roles.ts'
import type { Synapse } from '../stack/synapse.ts'
import { keptJson } from './data-folder.ts'

/** The demo accounts of the embedded homeserver, by localpart. */
export type Accounts = Record<string, { userId: string; password: string; about: string }>

const demo: Record<string, string> = {
  admin: 'administrator of the homeserver and of Wardroom',
  drlee: 'clinician',
  nurse_kim: 'clinician',
  officer: 'compliance officer: audit log, retention, legal holds',
}

// Without l, 1, o and 0, which are misread.
const letters = 'abcdefghijkmnpqrstuvwxyz23456789'

/** A password that can be read aloud: 16 letters in fours, 80 bits. */
const password = (): string =>
  Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')).join(
    '-',
  )

/** What the demo accounts may do from the first minute on; the administrator is the configuration's `firstAdmin`. */
export const demoRoles = (accounts: Accounts): { userId: string; role: Role }[] =>
  Object.entries({ drlee: ['clinician'], nurse_kim: ['clinician', 'desk'], officer: ['compliance'] } as Record<
    string,
    Role[]
  >).flatMap(([name, roles]) => (accounts[name] ? roles.map(role => ({ userId: accounts[name]!.userId, role })) : []))

/** Makes an administrator, two clinicians and a compliance officer once; their random passwords stay in the data folder. */
export const makeAccounts = async (dataDir: string, synapse: Synapse): Promise<Accounts> => {
  const fresh = (): Accounts =>
    Object.fromEntries(
      Object.entries(demo).map(([name, about]) => [
        name,
        { userId: `@${name}:${synapse.serverName}`, password: password(), about },
      ]),
    )
  const accounts = keptJson(defaultFiles(dataDir).accounts, fresh)
  for (const [name, account] of Object.entries(accounts))
    await synapse.ensureAccount(name, account.password, name === 'admin')
  return accounts
}
