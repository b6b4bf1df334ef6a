import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import type { Address } from '../../config/kinds.ts'
import { newRegistrations, type Registrations, readRegistration } from '../../config/registration.ts'
import type { Config } from '../../config/schema.ts'
import { defaultFiles } from '../../config/service.ts'
import { homeserverObjection } from '../../core/matrix/check-homeserver.ts'
import { Explained } from '../command.ts'

/**
 * Writes both registration files (into the data folder unless named), keeping tokens that are there: only the addresses may have changed.
 * Gives their paths.
 */
export const writeRegistrations = (
  config: Config,
  { bots, ghosts } = defaultFiles(config.dataDir) as { bots: string; ghosts: string },
): { bots: string; ghosts: string } => {
  const address = ({ host, port }: Address) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const made = newRegistrations({
    serverName: config.homeserver.serverName,
    urls: { bots: address(config.listen.bots), ghosts: address(config.listen.bridge) },
    token: () => randomBytes(32).toString('base64url'),
  })
  const write = (name: keyof Registrations, file: string) => {
    const { as_token, hs_token } = existsSync(file) ? readRegistration(file) : made[name]
    writeFileSync(file, stringify({ ...made[name], as_token, hs_token }), { mode: 0o600 })
  }
  write('bots', bots)
  write('ghosts', ghosts)
  return { bots, ghosts }
}

/** Checks a homeserver that is not ours: new enough, and it has our registrations. @throws Explained with what to do. */
export const checkOwnHomeserver = async (url: string, files: { bots: string; ghosts: string }): Promise<void> => {
  const objection = await homeserverObjection(url).catch(cause => {
    throw new Explained(
      `The homeserver at ${url} cannot be reached: ${(cause as Error & { cause?: Error }).cause?.message ?? String(cause)}.`,
      { cause },
    )
  })
  if (objection) throw new Explained(objection)
  for (const file of [files.bots, files.ghosts]) {
    const { as_token } = readRegistration(file)
    const headers = { authorization: `Bearer ${as_token}` }
    const { status } = await fetch(`${url}/_matrix/client/v3/account/whoami`, {
      headers,
      signal: AbortSignal.timeout(10_000),
    })
    if (status === 200) continue
    throw new Explained(
      `The homeserver does not know Wardroom yet. Add these files to app_service_config_files in homeserver.yaml and restart it (their \`url\` must lead to this machine):\n  ${files.bots}\n  ${files.ghosts}`,
    )
  }
}
