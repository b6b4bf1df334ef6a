import { readFileSync } from 'node:fs'
import { join } from 'node:path'

type Json = Record<string, unknown>

/** What differs between clinics. */
export type ElementOptions = { homeserverUrl: string; serverName: string; brand?: string }

const read = (name: string): Json => JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'))

/** Element Web's config.json for this clinic. */
export const elementConfig = ({ homeserverUrl, serverName, brand }: ElementOptions): Json => ({
  ...read('config.json'),
  ...(brand ? { brand } : {}),
  default_server_config: { 'm.homeserver': { base_url: homeserverUrl, server_name: serverName } },
})

/** The answer of /.well-known/matrix/client for this clinic. */
export const wellKnown = (homeserverUrl: string): Json => ({
  ...read('well-known.json'),
  'm.homeserver': { base_url: homeserverUrl },
})

/** The part of it that Synapse adds to what it serves itself (`extra_well_known_client_content`). */
export const clientPolicy = (): Json => {
  const { 'm.homeserver': _own, ...policy } = read('well-known.json')
  return policy
}
