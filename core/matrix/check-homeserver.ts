/** The oldest Synapse whose dehydrated devices and device management we have tested. */
export const oldestSynapse = [1, 157] as const

const get = async (url: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
  return { status: response.status, body: (await response.json().catch(() => ({}))) as Record<string, unknown> }
}

/**
 * Why the homeserver cannot be used, or undefined when it can: Synapse at least as new as `oldestSynapse`, with dehydrated devices (MSC3814) on.
 * @throws the fetch error when it cannot be reached at all.
 */
export const homeserverObjection = async (url: string): Promise<string | undefined> => {
  const base = url.replace(/\/+$/, '')
  const versions = await get(`${base}/_matrix/client/versions`)
  if (versions.status !== 200 || !Array.isArray(versions.body.versions))
    return `${base} is not a Matrix homeserver: /_matrix/client/versions answered ${versions.status}.`
  // A reverse proxy often hides the admin path; the probe below still tells what matters.
  const { status, body } = await get(`${base}/_synapse/admin/v1/server_version`)
  const version = status === 200 ? String(body.server_version) : undefined
  if (version && olderThan(version, oldestSynapse))
    return `The homeserver is Synapse ${version}, and Wardroom needs ${oldestSynapse.join('.')} or newer: upgrade it.`
  // Without a token, an endpoint that exists asks for one; one that does not is unrecognised.
  const probe = await get(`${base}/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device`)
  if (probe.body.errcode !== 'M_MISSING_TOKEN')
    return 'The homeserver lacks dehydrated devices (MSC3814), without which patients cannot read what is sent while they are away: set experimental_features: { msc3814_enabled: true } and restart it.'
  return undefined
}

/** What the module of config/synapse sees to, and what is not so without it. */
const guarantees: Record<string, string> = {
  no_clear_text:
    'a local client that sends a message in clear into an encrypted room is not refused: anybody who runs the homeserver could read it',
  staff_only_invitations:
    'a member of a care room may invite anybody of this homeserver into it: whoever is invited reads what is written from then on',
  destroys_content:
    "messages whose time is over, and recalled ones, are removed from people's eyes only: the homeserver keeps their encrypted content until it prunes it itself",
  tells_latest_state:
    'who joins or is removed while somebody writes may stay what they were before for the clients of a room, so that they miss messages, or are still sent keys: set experimental_features: { msc4222_enabled: true }',
  covers_rooms:
    'records of staff rooms and direct chats cannot be kept (records.coverage), and files stay in the media store, unreadable, when their messages are destroyed',
  delivers_everything:
    'a message that Synapse was delivering to Wardroom when one of the two was stopped can wait, unnoticed, until Wardroom is stopped the next time',
}

/** The guarantees that are off on a homeserver without our module, each as the rest of a sentence; empty when the module is loaded. */
export const missingGuarantees = async (url: string): Promise<string[]> => {
  const { status, body } = await get(`${url.replace(/\/+$/, '')}/_synapse/client/wardroom`)
  const given = status === 200 && Array.isArray(body.guarantees) ? body.guarantees : []
  return Object.entries(guarantees).flatMap(([name, sentence]) => (given.includes(name) ? [] : [sentence]))
}

const olderThan = (version: string, [major, minor]: readonly [number, number]): boolean => {
  const [, x, y] = /^(\d+)\.(\d+)/.exec(version) ?? []
  return x !== undefined && (Number(x) < major || (Number(x) === major && Number(y) < minor))
}
