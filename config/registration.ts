import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** One appservice registration file, as the homeserver reads it (Application Service API; MSC2409 and MSC3202 for what is pushed). */
export type Registration = {
  id: string
  url: string
  as_token: string
  hs_token: string
  sender_localpart: string
  rate_limited: boolean
  receive_ephemeral: boolean
  'de.sorunome.msc2409.push_ephemeral': boolean
  'org.matrix.msc3202': boolean
  namespaces: { users: Namespace[]; aliases: Namespace[]; rooms: Namespace[] }
}

type Namespace = { regex: string; exclusive: boolean }

/** The two registrations: `bots` for bots and service users of staff rooms, `ghosts` for patients and the owners of their rooms. */
export type Registrations = { bots: Registration; ghosts: Registration }

type RegistrationOptions = {
  serverName: string
  /** Where the homeserver pushes transactions. */
  urls: { bots: string; ghosts: string }
  /** Gives an unguessable token. */
  token: () => string
}

/**
 * Builds both registrations with fresh tokens, so that a process holds only the one it needs. `sender_localpart` stays unused: the homeserver
 * cannot sync that user. The bots' `!.*` delivers the events of every room without a join.
 */
export const newRegistrations = ({ serverName, urls, token }: RegistrationOptions): Registrations => {
  const server = serverName.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const users = (...localparts: string[]): Namespace[] =>
    localparts.map(localpart => ({ regex: `@${localpart}:${server}`, exclusive: true }))
  const registration = (id: 'bots' | 'ghosts', sender: string, own: Namespace[], rooms: Namespace[]): Registration => ({
    id: `wardroom-${id}`,
    url: urls[id],
    as_token: token(),
    hs_token: token(),
    sender_localpart: sender,
    rate_limited: false,
    receive_ephemeral: true,
    'de.sorunome.msc2409.push_ephemeral': true,
    'org.matrix.msc3202': true,
    namespaces: { users: own, aliases: [], rooms },
  })
  return {
    bots: registration('bots', '_wardroom', users('wardroom(_.*)?', 'role_.*'), [{ regex: '!.*', exclusive: false }]),
    ghosts: registration('ghosts', '_wardroom_ghosts', users('p_.*', 'r_.*'), []),
  }
}

/** Reads a registration file. @throws a sentence that names the file, never its tokens. */
export const readRegistration = (file: string): Registration => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`The registration file ${file} cannot be read.`, { cause })
  }
  const content: unknown = parse(text)
  const { as_token, hs_token, id } = (content ?? {}) as Partial<Registration>
  if (typeof as_token !== 'string' || typeof hs_token !== 'string' || typeof id !== 'string')
    throw new Error(`The registration file ${file} lacks id, as_token or hs_token.`)
  return content as Registration
}
