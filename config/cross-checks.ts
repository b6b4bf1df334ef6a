type Json = Record<string, unknown>

const at = (raw: Json, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? (value as Json)[name] : undefined),
    raw,
  )

const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|.*\.localhost)$/

/** Rules over several entries, judged on the raw values so that they are reported together with every other problem. */
export const crossChecks = (raw: Json): string[] => {
  const problems: string[] = []
  const provider = at(raw, 'sms', 'provider')
  const hasTwilio = at(raw, 'sms', 'twilio') !== undefined
  const publicUrl = at(raw, 'publicUrl')
  const url = typeof publicUrl === 'string' && URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (provider === 'local' && hasTwilio)
    problems.push(
      'sms.provider is local although Twilio credentials are present: remove one of them, so that no patient is answered by a toy.',
    )
  if (provider === 'twilio' && !hasTwilio)
    problems.push(
      'sms.provider is twilio without credentials: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_MESSAGING_SERVICE_SID.',
    )
  if (hasTwilio && publicUrl === undefined)
    problems.push('publicUrl is missing (or set PUBLIC_URL): Twilio and the patients need an address to come to.')
  if (url && url.protocol === 'http:' && !local.test(url.hostname))
    problems.push('publicUrl must begin with https://, except on this machine.')
  const bots = at(raw, 'homeserver', 'registrations', 'bots')
  const ghosts = at(raw, 'homeserver', 'registrations', 'ghosts')
  if ((bots === undefined) !== (ghosts === undefined))
    problems.push('homeserver.registrations needs both bots and ghosts, or neither.')
  if (at(raw, 'homeserver', 'url') !== undefined && at(raw, 'homeserver', 'serverName') === undefined)
    problems.push(
      'homeserver.serverName is missing (or set HOMESERVER_NAME): with a homeserver of your own, say the name in its user ids.',
    )
  return problems
}
